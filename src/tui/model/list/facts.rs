//! What filters and groups ask of a rule, worked out once for each load.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::query::Standing;
use crate::bridge::{Resolution, Severity};
use crate::pack::AliasScope;
use crate::sigma::LogSource;
use crate::tui::model::RuleEntry;

/// What filters and groups ask of a rule and what stays as long as it is not loaded anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Its title, in lower case.
    pub title: String,
    /// Its path, in lower case.
    pub path: String,
    /// Level, reason code and id, in lower case: what free text finds besides title and path.
    pub words: String,
    /// The folders between those that all rules have in common and the rule's file.
    pub folders: Vec<String>,
    /// Its log source, in lower case.
    pub logsource: AliasScope,
    /// Its tags, in lower case.
    pub tags: Vec<String>,
    /// The ATT&CK techniques among them, without their parts: `T1059`.
    pub techniques: BTreeSet<String>,
    /// Its fields, in lower case, and whether an alias is missing for each.
    pub fields: Vec<(String, bool)>,
    /// Whether there are warnings about it.
    pub warnings: bool,
    /// How it answered the query that was asked last, and what it was then.
    pub ranked: Option<(Standing, Option<u32>)>,
}

/// The facts of all rules, in their order. Those that have `stayed` what they were have the ones that are known, at the
/// place that is told for each.
pub(super) fn facts(
    mut known: Vec<Facts>,
    stayed: &[Option<usize>],
    rules: &[RuleEntry],
    root: &Path,
) -> Vec<Facts> {
    let mut of = |(entry, stayed): (&RuleEntry, &Option<usize>)| {
        let known = stayed.and_then(|at| known.get_mut(at)).map(std::mem::take);
        known.unwrap_or_else(|| Facts::of(entry, root))
    };
    rules.iter().zip(stayed).map(&mut of).collect()
}

impl Facts {
    fn of(entry: &RuleEntry, root: &Path) -> Self {
        let metadata = &entry.rule.metadata;
        let level = metadata.level.as_ref().map_or("", |level| level.value.as_str());
        let reason = entry.reason().map_or("", |reason| reason.as_str());
        let id = metadata.id.as_ref().map_or("", |id| id.value.0.as_str());
        let tags: Vec<_> = metadata.tags.iter().map(|tag| tag.value.to_lowercase()).collect();
        let compilation = entry.compiled.as_ref().map(|compiled| &compiled.compilation);
        let fields = compilation.map(|made| &made.fields).into_iter().flatten();
        let findings = compilation.map(|made| &made.diagnostics).into_iter().flatten();
        let folder = entry.key.path.parent().unwrap_or(Path::new(""));
        let inside = folder.strip_prefix(root).unwrap_or(folder);
        Self {
            title: entry.title.to_lowercase(),
            path: entry.key.path.to_string_lossy().to_lowercase(),
            words: format!("{level} {reason} {id}").to_lowercase(),
            folders: inside.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
            logsource: scope(&entry.rule.logsource),
            techniques: tags.iter().filter_map(|tag| technique(tag)).collect(),
            tags,
            fields: fields
                .map(|field| (field.field.0.to_lowercase(), field.resolution == Resolution::Unmapped))
                .collect(),
            warnings: findings.into_iter().any(|found| found.code.severity == Severity::Warning),
            ranked: None,
        }
    }

    /// Whether the rule is of this log source.
    pub(crate) fn is_of(&self, scope: &AliasScope) -> bool {
        let AliasScope { category, product, service } = &self.logsource;
        scope.applies(category.as_deref(), product.as_deref(), service.as_deref())
    }
}

/// The folder that all rules are in. They are sorted by path, so that the first and the last have no more in common.
pub(super) fn common_folder(rules: &[RuleEntry]) -> PathBuf {
    let ends = [rules.first(), rules.last()].map(|entry| entry.and_then(|entry| entry.key.path.parent()));
    let [first, last] = ends.map(|folder| folder.unwrap_or(Path::new("")));
    first.iter().zip(last).take_while(|(a, b)| a == b).map(|(part, _)| part).collect()
}

/// A log source as packs name scopes.
pub(crate) fn scope(logsource: &LogSource) -> AliasScope {
    let [category, product, service] = [&logsource.category, &logsource.product, &logsource.service]
        .map(|part| part.as_ref().map(|part| part.value.trim().to_ascii_lowercase()))
        .map(|part| part.filter(|text| !text.is_empty()));
    AliasScope { category, product, service }
}

/// The technique of a tag such as `attack.t1059.001`: `T1059`.
pub(crate) fn technique(tag: &str) -> Option<String> {
    let id = tag.strip_prefix("attack.t")?;
    let number = id.split('.').next().filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(format!("T{number}"))
}
