//! `bridge/coverage.json`: totals over the rules of a run, and what most stands in the way of the rest.
//!
//! Made from the plans and the numbers of detections alone, so that an auditor can make it anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::plan::{PackRecord, PlanDocument, RuleKind};
use crate::bridge::ReasonCode;

/// How many entries the longest lists have.
const TOP: usize = 50;

/// How many rules have each.
pub(crate) type Reasons = BTreeMap<ReasonCode, usize>;

/// The document. Its schema is `schemas/bridge_coverage.schema.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    schema_version: u32,
    mapping_pack: PackRecord,
    pub(crate) totals: Totals,
    /// By `logsource.category`, rules without one last.
    pub(crate) by_category: Vec<CategoryTotals>,
    pub(crate) reasons: Reasons,
    pub(crate) subcodes: BTreeMap<String, usize>,
    pub(crate) unmapped_fields: Ranking<FieldCount>,
    pub(crate) unrouted_logsources: Ranking<LogsourceCount>,
    pub(crate) fallback: Fallback,
}

/// `executable` and `non_executable` add up to `rules`; `matched`, `no_match` and `not_reported` to `executable`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) rules: usize,
    pub(crate) executable: usize,
    pub(crate) non_executable: usize,
    pub(crate) matched: usize,
    pub(crate) no_match: usize,
    /// Filters, and rules that run within correlations only.
    pub(crate) not_reported: usize,
    pub(crate) fallback_used: usize,
    pub(crate) detections: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct CategoryTotals {
    pub(crate) category: Option<String>,
    #[serde(flatten)]
    pub(crate) totals: Totals,
    pub(crate) reasons: Reasons,
}

/// The commonest of `distinct`.
#[derive(Debug, Serialize)]
pub(crate) struct Ranking<T> {
    pub(crate) distinct: usize,
    pub(crate) top: Vec<T>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FieldCount {
    pub(crate) field: String,
    pub(crate) rules: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct LogsourceCount {
    pub(crate) logsource: BTreeMap<&'static str, String>,
    pub(crate) rules: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Fallback {
    pub(crate) rules: usize,
    pub(crate) fields: Ranking<FieldCount>,
}

/// Coverage in the making, a plan at a time.
#[derive(Debug, Default)]
pub(super) struct Counter {
    totals: Totals,
    /// Rules without a category come last, as `true` does.
    by_category: BTreeMap<(bool, Option<String>), (Totals, Reasons)>,
    reasons: Reasons,
    subcodes: BTreeMap<String, usize>,
    unmapped: BTreeMap<String, usize>,
    unrouted: BTreeMap<BTreeMap<&'static str, String>, usize>,
    fallback: BTreeMap<String, usize>,
}

impl Counter {
    /// Counts a rule with its plan and the number of its detections.
    pub(super) fn add(&mut self, plan: &PlanDocument, detections: u64) {
        let category = token(plan, "category");
        let (category_totals, category_reasons) =
            self.by_category.entry((category.is_none(), category)).or_default();
        for totals in [&mut self.totals, category_totals] {
            totals.add(plan, detections);
        }
        if let Some(refusal) = &plan.non_executable {
            *self.reasons.entry(refusal.reason_code).or_default() += 1;
            *category_reasons.entry(refusal.reason_code).or_default() += 1;
            *self.subcodes.entry(refusal.subcode.clone()).or_default() += 1;
            if refusal.reason_code == ReasonCode::UnroutedLogsource {
                *self.unrouted.entry(logsource(plan)).or_default() += 1;
            }
        }
        let fields = &plan.compilation.fields;
        for field in fields.unmapped.iter().collect::<BTreeSet<_>>() {
            *self.unmapped.entry(field.clone()).or_default() += 1;
        }
        if plan.compilation.fallback_used {
            for field in fields.raw_fallback.iter().map(|field| &field.field).collect::<BTreeSet<_>>() {
                *self.fallback.entry(field.clone()).or_default() += 1;
            }
        }
    }

    /// What was counted, as the document.
    pub(super) fn finish(self, mapping_pack: PackRecord) -> Coverage {
        let field = |(field, rules)| FieldCount { field, rules };
        let logsource = |(logsource, rules)| LogsourceCount { logsource, rules };
        let by_category = self
            .by_category
            .into_iter()
            .map(|((_, category), (totals, reasons))| CategoryTotals { category, totals, reasons });
        Coverage {
            schema_version: super::SCHEMA_VERSION,
            mapping_pack,
            by_category: by_category.collect(),
            reasons: self.reasons,
            subcodes: self.subcodes,
            unmapped_fields: ranking(self.unmapped, field),
            unrouted_logsources: ranking(self.unrouted, logsource),
            fallback: Fallback { rules: self.totals.fallback_used, fields: ranking(self.fallback, field) },
            totals: self.totals,
        }
    }
}

impl Totals {
    fn add(&mut self, plan: &PlanDocument, detections: u64) {
        self.rules += 1;
        self.detections += detections;
        self.fallback_used += usize::from(plan.compilation.fallback_used);
        if !plan.executable {
            self.non_executable += 1;
            return;
        }
        self.executable += 1;
        let counter = if plan.rule.kind == RuleKind::Filter || !plan.compilation.reported {
            &mut self.not_reported
        } else if detections > 0 {
            &mut self.matched
        } else {
            &mut self.no_match
        };
        *counter += 1;
    }
}

/// A part of the log source as the router compares it.
fn token(plan: &PlanDocument, key: &str) -> Option<String> {
    let stated = plan.rule.logsource.get(key)?.trim().to_ascii_lowercase();
    (!stated.is_empty()).then_some(stated)
}

fn logsource(plan: &PlanDocument) -> BTreeMap<&'static str, String> {
    let stated = ["category", "product", "service"].into_iter();
    stated.filter_map(|key| Some((key, token(plan, key)?))).collect()
}

/// The commonest first, those of one number in their own order.
fn ranking<K: Ord, T>(counts: BTreeMap<K, usize>, entry: impl Fn((K, usize)) -> T) -> Ranking<T> {
    let distinct = counts.len();
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(one, of_one), (other, of_other)| of_other.cmp(of_one).then_with(|| one.cmp(other)));
    Ranking { distinct, top: counts.into_iter().take(TOP).map(entry).collect() }
}
