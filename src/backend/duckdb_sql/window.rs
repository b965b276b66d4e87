//! Windows as SQL: what is measured over each, which satisfy the test, and what they hold.

use super::correlation::{Cte, StepNames, TIME, is_nested, keys, number};
use crate::bridge::{CorrelationStep, Measure, Seen, WindowTest};
use crate::sigma::{Bound, BoundOperator, Span};

/// From the `events` of a step to its `windows`.
pub(super) fn ctes(step: &CorrelationStep, names: &StepNames) -> Vec<Cte> {
    let mut ctes = if step.is_ordered() { chain(step, names) } else { Vec::new() };
    let source = ctes.last().map_or_else(|| names.of("events"), |cte| cte.name.clone());
    ctes.push(measured(step, names, &source));
    ctes.push(windows(step, names));
    ctes
}

fn partition(step: &CorrelationStep) -> String {
    let keys = keys(step, "");
    if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) }
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
        Measure::DistinctValues => format!("count(DISTINCT {}) OVER span", tuple(step.values())),
        Measure::Sum => "sum(value_1) OVER span".to_owned(),
        Measure::Average => "avg(value_1) OVER span".to_owned(),
        Measure::Quantile(fraction) => format!("quantile_cont(value_1, {fraction:?}) OVER span"),
    }
}

/// Several values as one; NULL where any is.
fn tuple(values: usize) -> String {
    let names: Vec<String> = (1..=values).map(|number| format!("value_{number}")).collect();
    match names.as_slice() {
        [only] => only.clone(),
        names => {
            let present: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
            format!("CASE WHEN {} THEN row({}) END", present.join(" AND "), names.join(", "))
        }
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
    let events = names.of("events");
    let events = if events == "events" { events } else { format!("{events} AS events") };
    cte.line(0, format!("JOIN {events}"), None);
    let between = format!("events.{TIME} BETWEEN fired.{TIME} - {length} AND fired.{TIME}");
    cte.line(1, format!("ON {between}"), names.origin(step.timespan.span));
    for (own, key) in keys(step, "events").iter().zip(&fired) {
        cte.line(1, format!("AND {own} = {key}"), None);
    }
    let group: Vec<String> = fired.iter().cloned().chain([format!("fired.{TIME}")]).collect();
    cte.line(0, format!("GROUP BY {}", group.join(", ")), None);
    cte
}

fn fired_events(cte: &mut Cte, step: &CorrelationStep, names: &StepNames) {
    let columns: Vec<String> = keys(step, "").into_iter().chain([TIME.to_owned()]).collect();
    cte.line(1, format!("SELECT DISTINCT {}", columns.join(", ")), None);
    cte.line(1, format!("FROM {}", names.of("measured")), None);
    let mut tests: Vec<(String, Span)> = match &step.test {
        WindowTest::Bounds(_, bounds) => {
            bounds.iter().map(|bound| (format!("measured {}", bound_sql(bound.value)), bound.span)).collect()
        }
        WindowTest::Seen(seen) => vec![(seen_sql(&seen.value), seen.span)],
    };
    if step.is_ordered() {
        let length = step.timespan.value.milliseconds();
        tests.push((format!("chain_start >= {TIME} - {length}"), step.timespan.span));
    }
    for (index, (test, span)) in tests.into_iter().enumerate() {
        let (depth, prefix) = if index == 0 { (1, "WHERE") } else { (2, "AND") };
        cte.line(depth, format!("{prefix} {test}"), names.origin(span));
    }
}

fn bound_sql(bound: Bound) -> String {
    let sign = match bound.operator {
        BoundOperator::Gt => ">",
        BoundOperator::Gte => ">=",
        BoundOperator::Lt => "<",
        BoundOperator::Lte => "<=",
        BoundOperator::Eq => "=",
        BoundOperator::Neq => "<>",
    };
    format!("{sign} {}", number(bound.value))
}

fn seen_sql(seen: &Seen) -> String {
    let joined = |parts: &[Seen], sign: &str| {
        format!("({})", parts.iter().map(seen_sql).collect::<Vec<_>>().join(sign))
    };
    match seen {
        Seen::Input(place) => format!("seen_{}", place + 1),
        Seen::And(parts) => joined(parts, " AND "),
        Seen::Or(parts) => joined(parts, " OR "),
        Seen::Not(part) => format!("NOT {}", seen_sql(part)),
    }
}
