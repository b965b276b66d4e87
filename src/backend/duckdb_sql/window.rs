//! Windows as SQL: what is measured over each, and what they hold.

use super::correlation::TIME;
use crate::backend::sql_windows::{self, Cte, Dialect, StepNames, tuple};
use crate::bridge::{CorrelationStep, Measure};

const DIALECT: Dialect = Dialect {
    time: TIME,
    measure: measure_sql,
    of_input: |number| format!("count(*) FILTER (WHERE input = {number}) OVER span"),
    back: "unnest([0, 1]) AS back",
    divided_by: "//",
    held,
};

/// From the `events` of a step to its `windows`.
pub(super) fn ctes(step: &CorrelationStep, names: &StepNames) -> Vec<Cte> {
    sql_windows::ctes(step, names, &DIALECT)
}

fn measure_sql(measure: Measure, step: &CorrelationStep) -> String {
    match measure {
        Measure::Events => "count(*) OVER span".to_owned(),
        Measure::DistinctInputs => "count(DISTINCT input) OVER span".to_owned(),
        Measure::DistinctValues => format!("count(DISTINCT {}) OVER span", tuple(step.values(), "row")),
        Measure::Sum => "sum(value_1) OVER span".to_owned(),
        Measure::Average => "avg(value_1) OVER span".to_owned(),
        Measure::Quantile(fraction) => format!("quantile_cont(value_1, {fraction:?}) OVER span"),
    }
}

fn held(is_nested: bool) -> [&'static str; 2] {
    match is_nested {
        true => [
            "min(events.first_seen)",
            "list_sort(list_distinct(flatten(list(events.event_ids)))) AS event_ids",
        ],
        false => {
            ["min(events.\"time\")", "list(DISTINCT events.event_id ORDER BY events.event_id) AS event_ids"]
        }
    }
}
