//! Spark beside DuckDB: whose SQL is shown, and running the rules there to compare.

use std::sync::Arc;

use super::Effect;
use crate::backend;
use crate::tui::highlight::Language;
use crate::tui::model::{Asked, Model, Offset, Pane, SparkOutcome, SparkStatement};
use crate::tui::worker::SparkJob;

/// Shows the SQL of the other backend.
pub(super) fn next_backend(model: &mut Model) {
    model.spark.shown = !model.spark.shown;
    *model.offset_mut(Pane::Sql) = Offset::default();
    model.sql_cursor = 0;
}

/// Has the statement of the selected rule at hand while Spark's are shown, and asks for its colours.
pub(super) fn settle(model: &mut Model) -> Option<Effect> {
    let rule = match model.spark.shown {
        true => model.entry().and_then(|entry| entry.last_good.as_ref().or(entry.compiled.as_ref())),
        false => None,
    };
    let Some(rule) = rule else {
        model.spark.statement = None;
        return None;
    };
    if model.spark.statement.as_ref().is_some_and(|statement| Arc::ptr_eq(&statement.rule, rule)) {
        return None;
    }
    let statement =
        SparkStatement { rule: Arc::clone(rule), sql: backend::spark_statement(&rule.compilation) };
    let text: Option<Arc<str>> = statement.sql().map(|sql| Arc::from(sql.text.as_str()));
    model.spark.statement = Some(statement);
    let text = text.filter(|text| model.highlights.get(Language::Sql, text).is_none())?;
    Some(Effect::Highlight(Language::Sql, text))
}

/// Whether there is anything to run.
pub(crate) fn can_run(model: &Model) -> bool {
    model.dataset.info.is_some() && model.pack.loaded.is_some() && model.spark.running.is_none()
}

/// Runs all rules on the installed Spark.
pub(super) fn run(model: &mut Model) -> Vec<Effect> {
    let Some(pack) = model.pack.loaded.clone().filter(|_| can_run(model)) else { return Vec::new() };
    let rules = model.rules.iter();
    let rules = rules.filter_map(|entry| Some((entry.key.clone(), Arc::clone(entry.compiled.as_ref()?))));
    let job = SparkJob { pack, rules: rules.collect() };
    model.generations.spark += 1;
    model.spark.running = Some("starts".to_owned());
    model.spark.outcome = None;
    model.spark.asked_at = Asked::of(&model.generations);
    vec![Effect::RunSpark { generation: model.generations.spark, job: Some(Box::new(job)) }]
}

/// Stops it.
pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    if model.spark.running.take().is_none() {
        return Vec::new();
    }
    model.generations.spark += 1;
    model.notices.push("Spark was stopped".to_owned());
    vec![Effect::RunSpark { generation: model.generations.spark, job: None }]
}

pub(super) fn ended(model: &mut Model, outcome: Result<SparkOutcome, String>) {
    model.spark.running = None;
    match outcome {
        Ok(outcome) => {
            model.spark.outcome = Some(outcome);
            let changed = model.spark.asked_at != Asked::of(&model.generations);
            let meanwhile = if changed { "; rules or events have changed meanwhile" } else { "" };
            model.notices.extend(model.spark.summary().map(|summary| summary + meanwhile));
        }
        Err(error) => model.notices.push(error),
    }
}
