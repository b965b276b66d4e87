//! Windows as SQL: what is measured over each, which satisfy the test, and what they hold.

use super::correlation::TIME;
use crate::backend::sql_windows::{Cte, StepNames, firing, is_nested, keys, partition, tuple};
use crate::bridge::{CorrelationStep, Measure, WindowTest};
use crate::sigma::Span;

/// From the `events` of a step to its `windows`.
pub(super) fn ctes(step: &CorrelationStep, names: &StepNames) -> Vec<Cte> {
    let mut ctes = if step.is_ordered() { chain(step, names) } else { Vec::new() };
    let source = ctes.last().map_or_else(|| names.of("events"), |cte| cte.name.clone());
    ctes.push(measured(step, names, &source));
    ctes.push(windows(step, names));
    ctes
}

/// For each event of the n-th input, the latest start of a chain of the first n that ends with it.
fn chain(step: &CorrelationStep, names: &StepNames) -> Vec<Cte> {
    let so_far = format!("OVER ({}ORDER BY {TIME})", partition(step));
    let mut ctes: Vec<Cte> = Vec::new();
    for (place, input) in step.inputs.iter().enumerate() {
        let number = place + 1;
        let start = if place == 0 { TIME.to_owned() } else { format!("max(start_{place}) {so_far}") };
        let source = ctes.last().map_or_else(|| names.of("events"), |cte: &Cte| cte.name.clone());
        let mut cte = Cte::new(names.of(&format!("chain_{number}")));
        let line = format!("SELECT *, CASE WHEN input = {number} THEN {start} END AS start_{number}");
        cte.line(0, line, names.origin(input.span));
        cte.line(0, format!("FROM {source}"), None);
        ctes.push(cte);
    }
    ctes
}

fn measured(step: &CorrelationStep, names: &StepNames, source: &str) -> Cte {
    let mut columns: Vec<(String, Span)> = match &step.test {
        WindowTest::Bounds(measure, bounds) => {
            let span = bounds.first().map_or(step.timespan.span, |bound| bound.span);
            vec![(format!("{} AS measured", measure_sql(*measure, step)), span)]
        }
        WindowTest::Seen(seen) => (1..=step.inputs.len())
            .map(|number| {
                let count = format!("count(*) FILTER (WHERE input = {number}) OVER span");
                (format!("{count} > 0 AS seen_{number}"), seen.span)
            })
            .collect(),
    };
    if step.is_ordered() {
        let so_far = format!("OVER ({}ORDER BY {TIME})", partition(step));
        columns
            .push((format!("max(start_{}) {so_far} AS chain_start", step.inputs.len()), step.timespan.span));
    }
    let mut cte = Cte::new(names.of("measured"));
    cte.line(0, "SELECT *,", None);
    let count = columns.len();
    for (index, (column, span)) in columns.into_iter().enumerate() {
        let comma = if index + 1 < count { "," } else { "" };
        cte.line(1, format!("{column}{comma}"), names.origin(span));
    }
    cte.line(0, format!("FROM {source}"), None);
    let frame = format!("RANGE BETWEEN {} PRECEDING AND CURRENT ROW", step.timespan.value.milliseconds());
    let window = format!("WINDOW span AS ({}ORDER BY {TIME} {frame})", partition(step));
    cte.line(0, window, names.origin(step.timespan.span));
    cte
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
    fired_events(&mut cte, step, names);
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

fn fired_events(cte: &mut Cte, step: &CorrelationStep, names: &StepNames) {
    let others = [TIME, "unnest([0, 1]) AS back"].map(str::to_owned);
    let columns: Vec<String> = keys(step, "").into_iter().chain(others).collect();
    cte.line(1, format!("SELECT DISTINCT {}", columns.join(", ")), None);
    cte.line(1, format!("FROM {}", names.of("measured")), None);
    cte.tests(firing(step, TIME), names);
}
