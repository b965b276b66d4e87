//! Coverage of a set of rules: how many can run, why the others cannot, and what would change that.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::model::{Cause, Finding};
use crate::backend::CompiledRule;
use crate::bridge::{Compilation, Diagnostic, FieldResolution, ReasonCode, Resolution, Severity};
use crate::sigma::LogSource;

/// What running a rule gave, where it was run.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was not: it is not executable, or there were no events, or only a correlation asks for it.
    NotRun,
    /// It matched so many events or windows.
    Ran(u64),
    /// The engine refused it, for this reason.
    Failed(ReasonCode),
}

/// Coverage of a set of rules. Written as JSON it is part of `schemas/rule-coverage.schema.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// All of them.
    pub totals: Counts,
    /// Rules that are not executable, by reason code.
    pub reasons: BTreeMap<&'static str, u64>,
    /// By `logsource.category`; `-` for rules without one.
    pub categories: BTreeMap<String, Counts>,
    /// By ATT&CK technique, from the tags; a rule counts for each of its own.
    pub techniques: BTreeMap<String, Counts>,
    /// Fields that nothing maps, those of most rules first.
    pub unmapped_fields: Vec<FieldCount>,
    /// Log sources that no route takes, those of most rules first.
    pub unrouted_logsources: Vec<LogSourceCount>,
    /// Executable rules that matched nothing, by cause; only where that was asked for.
    pub causes: BTreeMap<&'static str, u64>,
    /// The fields that executable rules need and that are empty, those of most rules first.
    pub empty_fields: Vec<FieldCount>,
    /// Each executable rule that matched nothing, with its cause, in the order of the set.
    pub unmatched: Vec<Unmatched>,
}

/// Counts of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub rules: u64,
    /// Those that can run.
    pub executable: u64,
    /// Of these, those that read `raw.*`.
    pub fallback_used: u64,
    /// Those that cannot.
    pub non_executable: u64,
    /// Those that matched.
    pub matched: u64,
}

/// A field, and the rules that it keeps from something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldCount {
    /// The field.
    pub field: String,
    /// Rules that use it.
    pub rules: u64,
    /// Those for which it is the only thing in the way.
    pub alone: u64,
}

/// A log source, and how many rules have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogSourceCount {
    /// `category/product/service`, `*` for what is not stated.
    pub logsource: String,
    /// Rules.
    pub rules: u64,
}

/// An executable rule that matched nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unmatched {
    /// The rule's id.
    pub rule_id: Option<String>,
    /// Its file.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Why.
    pub finding: Finding,
}

/// The coverage of `rules`, each with its outcome, in order; `findings` has the cause of each that matched nothing, by
/// its place, where that was asked for.
#[must_use]
pub fn coverage(
    rules: &[CompiledRule],
    outcomes: &[Outcome],
    findings: &BTreeMap<usize, Finding>,
) -> Coverage {
    let mut coverage = Coverage::default();
    let (mut fields, mut sources, mut empty) = (Tally::default(), BTreeMap::new(), Tally::default());
    for (index, (rule, outcome)) in rules.iter().zip(outcomes).enumerate() {
        let compilation = &rule.compilation;
        let reason = reason(compilation, outcome);
        let counts = counts(compilation, outcome);
        coverage.totals.add(counts);
        coverage.categories.entry(category(&compilation.rule.logsource)).or_default().add(counts);
        for technique in techniques(compilation) {
            coverage.techniques.entry(technique).or_default().add(counts);
        }
        if let Some(reason) = reason {
            *coverage.reasons.entry(reason.as_str()).or_default() += 1;
        }
        if reason == Some(ReasonCode::UnroutedLogsource) {
            *sources.entry(logsource(&compilation.rule.logsource)).or_default() += 1;
        }
        fields.add(&unmapped(compilation), one_alias_away(compilation));
        if let Some(finding) = findings.get(&index) {
            *coverage.causes.entry(finding.cause.as_str()).or_default() += 1;
            let needed: BTreeSet<String> = needed(finding);
            empty.add(&needed, needed.len() == 1);
            coverage.unmatched.push(unmatched(compilation, finding));
        }
    }
    coverage.unmapped_fields = fields.ranked();
    coverage.empty_fields = empty.ranked();
    coverage.unrouted_logsources = ranked_sources(sources);
    coverage
}

fn unmatched(compilation: &Compilation, finding: &Finding) -> Unmatched {
    Unmatched {
        rule_id: compilation.rule.id().map(|id| id.0.clone()),
        path: compilation.rule.path.display().to_string(),
        title: compilation.rule.title(),
        finding: finding.clone(),
    }
}

fn needed(finding: &Finding) -> BTreeSet<String> {
    let gap = matches!(finding.cause, Cause::NormalizationGap | Cause::BridgeGap);
    let fields = finding.empty_fields.iter().filter(|field| gap && field.needed);
    fields
        .map(|field| if field.field.is_empty() { field.source.clone() } else { field.field.clone() })
        .collect()
}

fn reason(compilation: &Compilation, outcome: &Outcome) -> Option<ReasonCode> {
    match outcome {
        Outcome::Failed(reason) => Some(*reason),
        Outcome::NotRun | Outcome::Ran(_) => compilation.reason(),
    }
}

fn counts(compilation: &Compilation, outcome: &Outcome) -> Counts {
    let executable = compilation.is_executable() && !matches!(outcome, Outcome::Failed(_));
    Counts {
        rules: 1,
        executable: executable.into(),
        fallback_used: (executable && compilation.fallback_used()).into(),
        non_executable: (!executable).into(),
        matched: matches!(outcome, Outcome::Ran(1..)).into(),
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.rules += other.rules;
        self.executable += other.executable;
        self.fallback_used += other.fallback_used;
        self.non_executable += other.non_executable;
        self.matched += other.matched;
    }
}

/// Rules by field.
#[derive(Default)]
struct Tally(BTreeMap<String, (u64, u64)>);

impl Tally {
    fn add(&mut self, fields: &BTreeSet<String>, alone: bool) {
        for field in fields {
            let (rules, only) = self.0.entry(field.clone()).or_default();
            *rules += 1;
            *only += u64::from(alone);
        }
    }

    fn ranked(self) -> Vec<FieldCount> {
        let counted = self.0.into_iter().map(|(field, (rules, alone))| FieldCount { field, rules, alone });
        let mut ranked: Vec<FieldCount> = counted.collect();
        ranked.sort_by_key(|count| std::cmp::Reverse(count.rules));
        ranked
    }
}

fn ranked_sources(sources: BTreeMap<String, u64>) -> Vec<LogSourceCount> {
    let mut ranked: Vec<LogSourceCount> =
        sources.into_iter().map(|(logsource, rules)| LogSourceCount { logsource, rules }).collect();
    ranked.sort_by_key(|count| std::cmp::Reverse(count.rules));
    ranked
}

/// Whether an alias could answer for a finding: nothing maps the field, or only `raw.*` has it.
fn awaits_alias(finding: &Diagnostic) -> bool {
    matches!(finding.code.reason, Some(ReasonCode::UnmappedField | ReasonCode::RawFallbackDisabled))
}

fn errors(compilation: &Compilation) -> impl Iterator<Item = &Diagnostic> {
    compilation.diagnostics.iter().filter(|found| found.code.severity == Severity::Error)
}

/// The fields that wait for an alias.
fn unmapped(compilation: &Compilation) -> BTreeSet<String> {
    let within = |field: &FieldResolution, found: &Diagnostic| {
        field.uses.iter().any(|used| used.start <= found.span.start && found.span.end <= used.end)
    };
    let waits = |field: &&FieldResolution| {
        field.resolution == Resolution::Unmapped
            && errors(compilation).any(|found| awaits_alias(found) && within(field, found))
    };
    compilation.fields.iter().filter(waits).map(|field| field.field.0.clone()).collect()
}

/// Whether one alias is all that the rule needs to run.
fn one_alias_away(compilation: &Compilation) -> bool {
    unmapped(compilation).len() == 1 && errors(compilation).all(awaits_alias)
}

fn token(part: Option<&str>) -> Option<String> {
    part.map(|text| text.trim().to_ascii_lowercase()).filter(|text| !text.is_empty())
}

fn category(logsource: &LogSource) -> String {
    token(logsource.category.as_ref().map(|part| part.value.as_str())).unwrap_or_else(|| "-".to_owned())
}

fn logsource(logsource: &LogSource) -> String {
    let parts = [&logsource.category, &logsource.product, &logsource.service];
    let mut parts: Vec<String> = parts
        .into_iter()
        .map(|part| token(part.as_ref().map(|part| part.value.as_str())).unwrap_or_else(|| "*".to_owned()))
        .collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part == "*") {
        parts.pop();
    }
    parts.join("/")
}

/// ATT&CK techniques among the tags, as `T1059.001`.
fn techniques(compilation: &Compilation) -> BTreeSet<String> {
    let tags = compilation.rule.metadata.tags.iter().map(|tag| tag.value.to_ascii_lowercase());
    tags.filter_map(|tag| {
        let id = tag.strip_prefix("attack.t")?;
        id.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("T{id}"))
    })
    .collect()
}
