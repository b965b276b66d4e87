//! Coverage of the rules: how many can run, why the others cannot, what would add most, and all since the baseline.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::list::{scope, technique};
use super::{Drift, Model, Outcome, RuleKey};
use crate::backend::CompiledRule;
use crate::bridge::ReasonCode;
use crate::pack::AliasScope;
use crate::sigma::{Body, SigmaField};

/// Aliases that are shown of those that would add rules.
const SHOWN: usize = 20;

/// Names behind a reason code.
const NAMES: usize = 4;

/// The coverage, while it is shown.
#[derive(Clone, Debug)]
pub(crate) struct CoverageView {
    /// Its lines.
    pub lines: Vec<CoverageLine>,
    /// All rules, which bars are measured by.
    pub rules: u64,
    /// Missing aliases; `None` while they are being looked for.
    pub away: Option<Arc<Vec<AliasAway>>>,
    /// The line under the cursor: always one that leads somewhere.
    pub cursor: usize,
}

/// A line of the coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CoverageLine {
    /// Nothing, between sections.
    Blank,
    /// What the lines below are.
    Heading(&'static str),
    /// What is to be said in place of lines.
    Said(&'static str),
    /// A number of rules.
    Figure(Figure),
    /// An alias that is missing.
    Away(AliasAway),
}

/// A number of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figure {
    /// Of which rules.
    pub label: String,
    /// How deep it stands.
    pub depth: usize,
    /// How many.
    pub rules: u64,
    /// How many more, or fewer, than at the baseline; of a category or technique, executable ones.
    pub drift: i64,
    /// Of a category or technique, how many can run and how many matched.
    pub parts: Option<(u64, u64)>,
    /// What is behind it: names with their numbers.
    pub note: String,
    /// The filter that shows these rules.
    pub filter: String,
}

/// A field without an alias, and what it keeps from running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AliasAway {
    /// The field.
    pub field: SigmaField,
    /// Where an alias for it would stand.
    pub scope: AliasScope,
    /// Rules of that scope that name it.
    pub rules: u64,
    /// Those that wait for it alone.
    pub unlocks: u64,
    /// Whether some alias to `raw.*` is there, which is not permitted.
    pub raw: bool,
    /// One of them.
    pub rule: RuleKey,
}

impl AliasAway {
    /// The filter that shows the rules that name it.
    pub(crate) fn filter(&self) -> String {
        format!("unmapped:{} logsource:{}", quoted(&self.field.0), exactly(&self.scope.to_string()))
    }
}

/// A scope as a value of the filter language that stands for itself alone, and not for all that begins with it.
fn exactly(scope: &str) -> String {
    if scope.contains(['/', '*']) { quoted(scope) } else { quoted(&format!("{scope}/*")) }
}

/// A value of the filter language.
fn quoted(value: &str) -> String {
    if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value.to_owned() }
}

/// Numbers of some rules.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    rules: u64,
    executable: u64,
    refused: u64,
    fallback: u64,
    matched: u64,
}

/// Numbers of all rules.
#[derive(Debug, Default)]
struct Tally {
    totals: Counts,
    reasons: BTreeMap<ReasonCode, u64>,
    categories: BTreeMap<String, Counts>,
    techniques: BTreeMap<String, Counts>,
    unrouted: BTreeMap<String, u64>,
}

impl Counts {
    fn of(rule: &CompiledRule, matches: Option<u64>) -> Self {
        let executable = rule.sql.is_some();
        let unreadable = matches!(rule.compilation.rule.body, Body::Unreadable);
        let refused = unreadable || !executable && rule.compilation.reason().is_some();
        Self {
            rules: 1,
            executable: executable.into(),
            refused: refused.into(),
            fallback: rule.compilation.fallback_used().into(),
            matched: (executable && matches.is_some_and(|matches| matches > 0)).into(),
        }
    }

    fn add(&mut self, other: Self) {
        self.rules += other.rules;
        self.executable += other.executable;
        self.refused += other.refused;
        self.fallback += other.fallback;
        self.matched += other.matched;
    }
}

impl Tally {
    fn of<'r>(rules: impl Iterator<Item = (&'r CompiledRule, Option<u64>)>) -> Self {
        let mut tally = Self::default();
        rules.for_each(|(rule, matches)| tally.add(rule, matches));
        tally
    }

    fn add(&mut self, rule: &CompiledRule, matches: Option<u64>) {
        let counts = Counts::of(rule, matches);
        let source = scope(&rule.compilation.rule.logsource);
        let tags = rule.compilation.rule.metadata.tags.iter().map(|tag| tag.value.to_lowercase());
        self.totals.add(counts);
        for id in tags.filter_map(|tag| technique(&tag)).collect::<BTreeSet<_>>() {
            self.techniques.entry(id).or_default().add(counts);
        }
        if let Some(reason) = rule.compilation.reason() {
            *self.reasons.entry(reason).or_default() += 1;
            if reason == ReasonCode::UnroutedLogsource {
                *self.unrouted.entry(source.to_string()).or_default() += 1;
            }
        }
        let category = source.category.unwrap_or_else(|| "-".to_owned());
        self.categories.entry(category).or_default().add(counts);
    }
}

impl CoverageView {
    /// The coverage as it is.
    pub(crate) fn new(model: &Model, away: Option<Arc<Vec<AliasAway>>>) -> Self {
        let now = Tally::of(model.rules.iter().filter_map(|entry| {
            let matches = match &entry.outcome {
                Outcome::Ran { summary, .. } => Some(summary.matches),
                Outcome::NotRun | Outcome::NoEvents | Outcome::Failed(_) => None,
            };
            Some((entry.compiled.as_deref()?, matches))
        }));
        let kept = model.baseline.rules.values();
        let before = Tally::of(kept.map(|kept| (&*kept.compiled, kept.matches)));
        let mut lines = totals(&now, &before, model.list.drift, away.as_deref());
        aliases(&mut lines, away.as_deref());
        groups(&mut lines, "By category", &now.categories, &before.categories, |name| match name {
            "-" => "logsource:-".to_owned(),
            name => format!("logsource:{}", exactly(name)),
        });
        groups(&mut lines, "By technique", &now.techniques, &before.techniques, |id| {
            format!("tag:{}", id.to_lowercase())
        });
        let mut view = Self { lines, rules: now.totals.rules, away, cursor: 0 };
        view.cursor = view.stop_near(0);
        view
    }

    /// The lines that lead somewhere.
    pub(crate) fn stops(&self) -> impl Iterator<Item = usize> {
        let leads = |line: &CoverageLine| matches!(line, CoverageLine::Figure(_) | CoverageLine::Away(_));
        self.lines.iter().enumerate().filter(move |(_, line)| leads(line)).map(|(at, _)| at)
    }

    /// The line nearest to `line` that leads somewhere.
    pub(crate) fn stop_near(&self, line: usize) -> usize {
        self.stops().min_by_key(|stop| stop.abs_diff(line)).unwrap_or(0)
    }
}

fn difference(now: u64, before: u64) -> i64 {
    i64::try_from(now).unwrap_or(i64::MAX).saturating_sub_unsigned(before)
}

fn totals(now: &Tally, before: &Tally, drift: Drift, away: Option<&Vec<AliasAway>>) -> Vec<CoverageLine> {
    let (all, was) = (now.totals, before.totals);
    let figure = |label: &str, rules, drift, filter: &str| Figure {
        label: label.to_owned(),
        rules,
        drift,
        filter: filter.to_owned(),
        ..Figure::default()
    };
    let figures = [
        figure("rules", all.rules, difference(all.rules, was.rules), ""),
        figure("executable", all.executable, difference(all.executable, was.executable), "executable"),
        figure("fallback used", all.fallback, difference(all.fallback, was.fallback), "fallback"),
        figure("matched", all.matched, drift.matched, "matched"),
        figure("refused", all.refused, difference(all.refused, was.refused), "refused"),
    ];
    let reasons: BTreeSet<_> = now.reasons.keys().chain(before.reasons.keys()).collect();
    let mut reasons: Vec<Figure> = reasons
        .into_iter()
        .map(|reason| {
            let count = |tally: &Tally| tally.reasons.get(reason).copied().unwrap_or_default();
            let drift = difference(count(now), count(before));
            let filter = format!("reason:{reason}");
            let note = behind(*reason, now, away);
            Figure { depth: 1, note, ..figure(reason.as_str(), count(now), drift, &filter) }
        })
        .collect();
    reasons.sort_by_key(|figure| Reverse(figure.rules));
    figures.into_iter().chain(reasons).map(CoverageLine::Figure).collect()
}

/// What most of the rules behind a reason code have in common.
fn behind(reason: ReasonCode, now: &Tally, away: Option<&Vec<AliasAway>>) -> String {
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    match reason {
        ReasonCode::UnroutedLogsource => {
            names.extend(now.unrouted.iter().map(|(name, rules)| (name.as_str(), *rules)));
        }
        ReasonCode::UnmappedField | ReasonCode::RawFallbackDisabled => {
            let raw = reason == ReasonCode::RawFallbackDisabled;
            for alias in away.into_iter().flatten().filter(|alias| alias.raw == raw) {
                *names.entry(&alias.field.0).or_default() += alias.rules;
            }
        }
        _ => {}
    }
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by_key(|(_, rules)| Reverse(*rules));
    let names: Vec<_> = names.iter().take(NAMES).map(|(name, rules)| format!("{name} {rules}")).collect();
    names.join(" · ")
}

/// The aliases that would add most rules.
fn aliases(lines: &mut Vec<CoverageLine>, away: Option<&Vec<AliasAway>>) {
    lines.extend([CoverageLine::Blank, CoverageLine::Heading("One alias away")]);
    let Some(away) = away else {
        lines.push(CoverageLine::Said("looking for them …"));
        return;
    };
    let alone = away.iter().filter(|alias| alias.unlocks > 0).take(SHOWN);
    let before = lines.len();
    lines.extend(alone.cloned().map(CoverageLine::Away));
    if lines.len() == before {
        lines.push(CoverageLine::Said("no rule waits for one alias alone"));
    }
}

fn groups(
    lines: &mut Vec<CoverageLine>,
    title: &'static str,
    now: &BTreeMap<String, Counts>,
    before: &BTreeMap<String, Counts>,
    filter: impl Fn(&str) -> String,
) {
    if now.is_empty() {
        return;
    }
    lines.extend([CoverageLine::Blank, CoverageLine::Heading(title)]);
    let mut groups: Vec<_> = now.iter().collect();
    groups.sort_by_key(|(_, counts)| Reverse(counts.rules));
    lines.extend(groups.into_iter().map(|(name, counts)| {
        let was = before.get(name).copied().unwrap_or_default();
        CoverageLine::Figure(Figure {
            label: if name == "-" { "without a category".to_owned() } else { name.clone() },
            rules: counts.rules,
            drift: difference(counts.executable, was.executable),
            parts: Some((counts.executable, counts.matched)),
            filter: filter(name),
            ..Figure::default()
        })
    }));
}
