//! Spark on the screen: whose SQL is shown, the run of a job, and whether it found what DuckDB finds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Generations, Model, RuleEntry, RuleKey};
use crate::backend::{CompiledRule, Sql};
use crate::bridge::{Diagnostic, ReasonCode};
use crate::bundle::Agreement;
use crate::tui::text::count;

/// What the screen knows of Spark.
#[derive(Debug, Default)]
pub(crate) struct Spark {
    /// Whether statements are shown as Spark has them.
    pub shown: bool,
    /// That of the selected rule, while they are.
    pub statement: Option<SparkStatement>,
    /// What a run that is under way says.
    pub running: Option<String>,
    /// What the last run gave.
    pub outcome: Option<SparkOutcome>,
    /// What was compiled and open when it was asked for.
    pub asked_at: Asked,
}

/// The statement of a rule, or why Spark has none.
#[derive(Debug)]
pub(crate) struct SparkStatement {
    /// The rule as it was compiled.
    pub rule: Arc<CompiledRule>,
    /// None where it has no plan at all.
    pub sql: Result<Option<Sql>, Vec<Diagnostic>>,
}

impl SparkStatement {
    /// The statement, if there is one.
    pub(crate) fn sql(&self) -> Option<&Sql> {
        self.sql.as_ref().ok()?.as_ref()
    }

    /// Why Spark refuses a rule that has a plan.
    pub(crate) fn reason(&self) -> Option<ReasonCode> {
        self.sql.as_ref().err()?.iter().find_map(|finding| finding.code.reason)
    }
}

/// What each rule that both would run gave in Spark.
pub(crate) type SparkOutcome = BTreeMap<RuleKey, Agreement>;

/// The newest rules and events of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    compile: u64,
    dataset: u64,
}

impl Asked {
    /// Those of now.
    pub(crate) fn of(generations: &Generations) -> Self {
        Self { compile: generations.compile, dataset: generations.dataset }
    }
}

impl Model {
    /// What the last run on Spark gave for a rule, while it was of these rules and events.
    pub(crate) fn agreement(&self, entry: &RuleEntry) -> Option<&Agreement> {
        let is_of_now = self.spark.asked_at == Asked::of(&self.generations);
        self.spark.outcome.as_ref().filter(|_| is_of_now)?.get(&entry.key)
    }
}

impl Spark {
    /// The last run in a line.
    pub(crate) fn summary(&self) -> Option<String> {
        let outcome = self.outcome.as_ref()?;
        let counted = |holds: fn(&Agreement) -> bool| outcome.values().filter(|a| holds(a)).count() as u64;
        let same = counted(|agreement| matches!(agreement, Agreement::Same(_)));
        let detections: u64 =
            outcome.values().map(|agreement| if let Agreement::Same(n) = agreement { *n } else { 0 }).sum();
        let others = [
            (counted(|agreement| matches!(agreement, Agreement::Other { .. })), "other detections"),
            (counted(|agreement| matches!(agreement, Agreement::Refused(_))), "refused by Spark"),
            (counted(|agreement| matches!(agreement, Agreement::Failed(_))), "failed"),
        ];
        let others = others.iter().filter(|(rules, _)| *rules > 0);
        let others: String = others.map(|(rules, what)| format!(" · {} {what}", count(*rules))).collect();
        Some(format!(
            "Spark: {} of {} rules as DuckDB, {} detections{others}",
            count(same),
            count(outcome.len() as u64),
            count(detections)
        ))
    }
}
