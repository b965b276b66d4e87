//! Windows as Spark SQL: what is measured over each, and what they hold.
//!
//! Spark counts no distinct values over a window and filters none, so both are said by what it has: the size of a set, and
//! a count of what is not NULL.

use super::correlation::TIME;
use crate::backend::sql_parts;
use crate::backend::sql_windows::{self, Cte, Dialect, StepNames, tuple};
use crate::bridge::ir::Number;
use crate::bridge::{CorrelationStep, Measure};

const DIALECT: Dialect = Dialect {
    time: TIME,
    measure: measure_sql,
    of_input: |number| format!("count(CASE WHEN input = {number} THEN 1 END) OVER span"),
    back: "explode(array(0, 1)) AS back",
    divided_by: "div",
    held,
};

/// From the `events` of a step to its `windows`.
pub(super) fn ctes(step: &CorrelationStep, names: &StepNames) -> Vec<Cte> {
    sql_windows::ctes(step, names, &DIALECT)
}

fn measure_sql(measure: Measure, step: &CorrelationStep) -> String {
    // A sum of BIGINT would run over without a word, and a mean would be of fractions.
    let sum = "sum(CAST(value_1 AS DECIMAL(38, 0))) OVER span";
    match measure {
        Measure::Events => "count(*) OVER span".to_owned(),
        Measure::DistinctInputs => "size(collect_set(input) OVER span)".to_owned(),
        Measure::DistinctValues => format!("size(collect_set({}) OVER span)", tuple(step.values(), "struct")),
        Measure::Sum => sum.to_owned(),
        Measure::Average => format!("CAST({sum} AS DOUBLE) / count(value_1) OVER span"),
        Measure::Quantile(fraction) => {
            let sorted = "array_sort(collect_list(CAST(value_1 AS DOUBLE)) OVER span)";
            format!("transform(array({sorted}), s_ -> {})[0]", quantile("s_", fraction))
        }
    }
}

/// Linear between the two neighbours of the place that the fraction falls on; NULL of no values.
fn quantile(sorted: &str, fraction: f64) -> String {
    let place = format!("{} * (size({sorted}) - 1)", sql_parts::number(Number::Float(fraction)));
    let part = format!("({place} - floor({place}))");
    let at = |round: &str| format!("{sorted}[CAST({round}({place}) AS INT)]");
    let between = format!("{} * (1 - {part}) + {} * {part}", at("floor"), at("ceil"));
    format!("CASE WHEN size({sorted}) > 0 THEN {between} END")
}

fn held(is_nested: bool) -> [&'static str; 2] {
    match is_nested {
        true => [
            "min(events.first_seen)",
            "array_sort(array_distinct(flatten(collect_list(events.event_ids)))) AS event_ids, min(events.first) AS first",
        ],
        false => [
            "min(events.`time`)",
            "array_sort(collect_set(events.event_id)) AS event_ids, min(events.first) AS first",
        ],
    }
}
