//! Windows as SQL: what is measured over each, which satisfy the test, and what they hold.

use super::correlation::TIME;
use crate::backend::sql_windows::{self, Cte, Dialect, StepNames, fired_events, is_nested, keys, tuple};
use crate::bridge::{CorrelationStep, Measure};

const DIALECT: Dialect = Dialect {
    time: TIME,
    measure: measure_sql,
    of_input: |number| format!("count(*) FILTER (WHERE input = {number}) OVER span"),
    back: "unnest([0, 1]) AS back",
    windows,
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

/// One window for each group and time that satisfy the test, with all its events.
fn windows(step: &CorrelationStep, names: &StepNames) -> Cte {
    let (fired, length) = (keys(step, "fired"), step.timespan.value.milliseconds());
    let selected: Vec<String> = fired.iter().map(|key| format!("{key}, ")).collect();
    let (first_seen, event_ids) = if is_nested(step) {
        ("min(events.first_seen)", "list_sort(list_distinct(flatten(list(events.event_ids))))")
    } else {
        ("min(events.\"time\")", "list(DISTINCT events.event_id ORDER BY events.event_id)")
    };
    let mut cte = Cte::new(names.of("windows"));
    cte.line(0, format!("SELECT {}{first_seen} AS first_seen,", selected.concat()), None);
    cte.line(1, format!("fired.{TIME} AS last_seen, {event_ids} AS event_ids"), None);
    cte.line(0, "FROM (", None);
    fired_events(&mut cte, step, names, &DIALECT);
    cte.line(0, ") AS fired", None);
    cte.line(0, format!("JOIN {}", names.as_plain("events")), None);
    // A window lies in the stretch of its end or in the one before. Without the equality, all events of a group
    // would meet all its windows.
    let stretch = format!("events.{TIME} // {length} = fired.{TIME} // {length} - fired.back");
    cte.line(1, format!("ON {stretch}"), names.origin(step.timespan.span));
    let between = format!("events.{TIME} BETWEEN fired.{TIME} - {length} AND fired.{TIME}");
    cte.line(1, format!("AND {between}"), names.origin(step.timespan.span));
    for (own, key) in keys(step, "events").iter().zip(&fired) {
        cte.line(1, format!("AND {own} = {key}"), None);
    }
    let group: Vec<String> = fired.iter().cloned().chain([format!("fired.{TIME}")]).collect();
    cte.line(0, format!("GROUP BY {}", group.join(", ")), None);
    cte
}
