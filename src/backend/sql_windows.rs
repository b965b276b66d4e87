//! What a correlation is made of in every dialect of SQL: named parts, keys, what is measured over windows, and their tests.

use super::layout::{Layout, Origin};
use super::sql_parts;
use crate::bridge::ir::{FieldExpr, Number};
use crate::bridge::{CorrelationPlan, CorrelationStep, InputValue, Measure, Seen, Source, WindowTest};
use crate::sigma::{Bound, BoundValue, Span};

/// A named part of a statement.
pub(super) struct Cte {
    pub(super) name: String,
    lines: Vec<(usize, String, Origin)>,
}

impl Cte {
    pub(super) fn new(name: String) -> Self {
        Self { name, lines: Vec::new() }
    }

    pub(super) fn line(&mut self, depth: usize, text: impl Into<String>, origin: Origin) {
        self.lines.push((depth, text.into(), origin));
    }

    /// What a rule asks, line by line, behind a `WHERE` that has asked something already.
    pub(super) fn condition(&mut self, body: &str) {
        for (index, line) in body.lines().enumerate() {
            let prefix = if index == 0 { "AND " } else { "" };
            self.line(1, format!("{prefix}{line}"), None);
        }
    }

    /// Lines that are joined by `AND`, the first behind `WHERE`.
    fn tests(&mut self, tests: Vec<(String, Span)>, names: &StepNames) {
        for (index, (test, span)) in tests.into_iter().enumerate() {
            let (depth, prefix) = if index == 0 { (1, "WHERE") } else { (2, "AND") };
            self.line(depth, format!("{prefix} {test}"), names.origin(span));
        }
    }

    fn write(self, text: &mut Layout, is_last: bool) {
        text.line(0, format!("{} AS (", self.name), None);
        for (depth, line, origin) in self.lines {
            text.line(depth + 1, line, origin);
        }
        text.line(0, if is_last { ")" } else { ")," }, None);
    }
}

/// The parts of a statement, in front of what it selects from them.
pub(super) fn with(ctes: Vec<Cte>) -> Layout {
    let mut text = Layout::default();
    text.line(0, "WITH", None);
    let count = ctes.len();
    for (index, cte) in ctes.into_iter().enumerate() {
        cte.write(&mut text, index + 1 == count);
    }
    text
}

/// What the parts of a step are called: the last one plainly, those before it with their number. Only the last
/// stands in the rule's own file, so that only its lines have a place.
pub(super) struct StepNames {
    suffix: String,
    is_own: bool,
}

impl StepNames {
    /// Of the step at `place`.
    pub(super) fn new(plan: &CorrelationPlan, place: usize) -> Self {
        let is_own = place + 1 == plan.steps.len();
        let suffix = if is_own { String::new() } else { format!("_{}", place + 1) };
        Self { suffix, is_own }
    }

    pub(super) fn of(&self, part: &str) -> String {
        format!("{part}{}", self.suffix)
    }

    /// A part under its plain name, for a `FROM`.
    pub(super) fn as_plain(&self, part: &str) -> String {
        let name = self.of(part);
        if name == part { name } else { format!("{name} AS {part}") }
    }

    pub(super) fn origin(&self, span: Span) -> Origin {
        Some(span).filter(|_| self.is_own)
    }
}

/// Whether events of the step may be windows, which have several event ids.
pub(super) fn is_nested(step: &CorrelationStep) -> bool {
    step.inputs.iter().any(|input| matches!(input.source, Source::Step(_)))
}

/// Whether it matters which input an event is of.
pub(super) fn tells_inputs(step: &CorrelationStep) -> bool {
    matches!(step.test, WindowTest::Bounds(Measure::DistinctInputs, _) | WindowTest::Seen(_))
}

/// What tells the events of the input at `place` from those of others, as a column, where that matters.
pub(super) fn input_mark(step: &CorrelationStep, place: usize, source: &Source) -> Option<String> {
    // Windows of two correlations are never one event, whatever they hold.
    let firing = if matches!(source, Source::Step(_)) { place + 1 } else { 0 };
    if tells_inputs(step) {
        return Some(format!("{} AS input", place + 1));
    }
    is_nested(step).then(|| format!("{firing} AS firing"))
}

/// A value of an event; NULL where it has none.
pub(super) fn value(value: &InputValue, field: impl Fn(&FieldExpr) -> String) -> String {
    match value {
        InputValue::Field(expr) => field(expr),
        InputValue::Key(place) => format!("key_{}", place + 1),
    }
}

/// `key_1` and so on, of a relation where one is named.
pub(super) fn keys(step: &CorrelationStep, relation: &str) -> Vec<String> {
    let dot = if relation.is_empty() { "" } else { "." };
    (1..=step.keys.len()).map(|number| format!("{relation}{dot}key_{number}")).collect()
}

/// What windows are apart by.
fn partition(step: &CorrelationStep) -> String {
    let keys = keys(step, "");
    if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) }
}

/// Several values as one, of which `row` is the function; NULL where any is.
pub(super) fn tuple(values: usize, row: &str) -> String {
    let names: Vec<String> = (1..=values).map(|number| format!("value_{number}")).collect();
    match names.as_slice() {
        [only] => only.clone(),
        names => {
            let present: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
            format!("CASE WHEN {} THEN {row}({}) END", present.join(" AND "), names.join(", "))
        }
    }
}

/// What one dialect says in its own way.
pub(super) struct Dialect {
    /// The column of times, quoted.
    pub(super) time: &'static str,
    /// What is measured over the window `span`.
    pub(super) measure: fn(Measure, &CorrelationStep) -> String,
    /// How many events of the input of a number the window `span` has.
    pub(super) of_input: fn(usize) -> String,
    /// The column `back`: a row with 0, and one with 1.
    pub(super) back: &'static str,
    /// What cuts a time to its stretch, rounding down.
    pub(super) divided_by: &'static str,
    /// Of the `events` of a window, or of those of the windows that are its events: when the first was seen, and the
    /// columns of which `event_ids` is one.
    pub(super) held: fn(is_nested: bool) -> [&'static str; 2],
}

/// From the `events` of a step to its `windows`.
pub(super) fn ctes(step: &CorrelationStep, names: &StepNames, dialect: &Dialect) -> Vec<Cte> {
    let mut ctes = if step.is_ordered() { chain(step, names, dialect) } else { Vec::new() };
    let source = ctes.last().map_or_else(|| names.of("events"), |cte| cte.name.clone());
    ctes.push(measured(step, names, &source, dialect));
    ctes.push(windows(step, names, dialect));
    ctes
}

fn so_far(step: &CorrelationStep, dialect: &Dialect) -> String {
    format!("OVER ({}ORDER BY {})", partition(step), dialect.time)
}

/// For each event of the n-th input, the latest start of a chain of the first n that ends with it.
fn chain(step: &CorrelationStep, names: &StepNames, dialect: &Dialect) -> Vec<Cte> {
    let so_far = so_far(step, dialect);
    let mut ctes: Vec<Cte> = Vec::new();
    for (place, input) in step.inputs.iter().enumerate() {
        let number = place + 1;
        let start = if place == 0 { dialect.time.to_owned() } else { format!("max(start_{place}) {so_far}") };
        let source = ctes.last().map_or_else(|| names.of("events"), |cte: &Cte| cte.name.clone());
        let mut cte = Cte::new(names.of(&format!("chain_{number}")));
        let line = format!("SELECT *, CASE WHEN input = {number} THEN {start} END AS start_{number}");
        cte.line(0, line, names.origin(input.span));
        cte.line(0, format!("FROM {source}"), None);
        ctes.push(cte);
    }
    ctes
}

fn measured(step: &CorrelationStep, names: &StepNames, source: &str, dialect: &Dialect) -> Cte {
    let mut columns: Vec<(String, Span)> = match &step.test {
        WindowTest::Bounds(measure, bounds) => {
            let span = bounds.first().map_or(step.timespan.span, |bound| bound.span);
            vec![(format!("{} AS measured", (dialect.measure)(*measure, step)), span)]
        }
        WindowTest::Seen(seen) => (1..=step.inputs.len())
            .map(|number| (format!("{} > 0 AS seen_{number}", (dialect.of_input)(number)), seen.span))
            .collect(),
    };
    if step.is_ordered() {
        let chain = format!("max(start_{}) {} AS chain_start", step.inputs.len(), so_far(step, dialect));
        columns.push((chain, step.timespan.span));
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
    let window = format!("WINDOW span AS ({}ORDER BY {} {frame})", partition(step), dialect.time);
    cte.line(0, window, names.origin(step.timespan.span));
    cte
}

/// One window for each group and time that satisfy the test, with all its events.
fn windows(step: &CorrelationStep, names: &StepNames, dialect: &Dialect) -> Cte {
    let Dialect { time, divided_by, .. } = dialect;
    let (fired, length) = (keys(step, "fired"), step.timespan.value.milliseconds());
    let selected: Vec<String> = fired.iter().map(|key| format!("{key}, ")).collect();
    let [first_seen, held] = (dialect.held)(is_nested(step));
    let mut cte = Cte::new(names.of("windows"));
    cte.line(0, format!("SELECT {}{first_seen} AS first_seen,", selected.concat()), None);
    cte.line(1, format!("fired.{time} AS last_seen, {held}"), None);
    cte.line(0, "FROM (", None);
    fired_events(&mut cte, step, names, dialect);
    cte.line(0, ") AS fired", None);
    cte.line(0, format!("JOIN {}", names.as_plain("events")), None);
    // A window lies in the stretch of its end or in the one before. Without the equality, all events of a group
    // would meet all its windows.
    let stretch = |of: &str| format!("{of}.{time} {divided_by} {length}");
    let equality = format!("ON {} = {} - fired.back", stretch("events"), stretch("fired"));
    cte.line(1, equality, names.origin(step.timespan.span));
    let between = format!("events.{time} BETWEEN fired.{time} - {length} AND fired.{time}");
    cte.line(1, format!("AND {between}"), names.origin(step.timespan.span));
    for (own, key) in keys(step, "events").iter().zip(&fired) {
        cte.line(1, format!("AND {own} = {key}"), None);
    }
    let group: Vec<String> = fired.iter().cloned().chain([format!("fired.{time}")]).collect();
    cte.line(0, format!("GROUP BY {}", group.join(", ")), None);
    cte
}

/// The groups and times whose windows fire, for each of the two stretches of time that such a window lies in.
fn fired_events(cte: &mut Cte, step: &CorrelationStep, names: &StepNames, dialect: &Dialect) {
    let others = [dialect.time, dialect.back].map(str::to_owned);
    let columns: Vec<String> = keys(step, "").into_iter().chain(others).collect();
    cte.line(1, format!("SELECT DISTINCT {}", columns.join(", ")), None);
    cte.line(1, format!("FROM {}", names.of("measured")), None);
    cte.tests(firing(step, dialect.time), names);
}

/// What must hold of a row of `measured` for its window to fire. `time` is the column, quoted.
fn firing(step: &CorrelationStep, time: &str) -> Vec<(String, Span)> {
    let mut tests: Vec<(String, Span)> = match &step.test {
        WindowTest::Bounds(_, bounds) => {
            bounds.iter().map(|bound| (format!("measured {}", bound_sql(bound.value)), bound.span)).collect()
        }
        WindowTest::Seen(seen) => vec![(seen_sql(&seen.value), seen.span)],
    };
    if step.is_ordered() {
        let length = step.timespan.value.milliseconds();
        tests.push((format!("chain_start >= {time} - {length}"), step.timespan.span));
    }
    tests
}

fn bound_sql(bound: Bound) -> String {
    let value = match bound.value {
        BoundValue::Integer(number) => Number::Integer(i128::from(number)),
        BoundValue::Float(number) => Number::Float(number),
    };
    format!("{} {}", bound.operator.sign(), sql_parts::number(value))
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
