//! `explain RULE`: why a rule did or did not match. Its document is a contract: `schemas/explain.schema.json`.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::json::write_json;
use super::report::Head;
use super::text::{one_line, time};
use super::{CliError, Format, Inputs};
use crate::attribution::{
    self, Attribution, CorrelationFinding, EventFinding, EventName, Evidence, Failure, FunnelRow, Place,
    RowKind, ValueCount,
};
use crate::evaluate::Cancel;
use crate::store;
use crate::tui::text::{bar_text, count, fit, pad, pad_left, width, wrap};

/// Columns of a line.
const WIDTH: usize = 80;

/// Columns of a label, of a bar, of a number, of a share.
const LABEL: usize = 42;
const BAR: usize = 8;
const NUMBER: usize = 9;
const FILLED: usize = 6;

/// Predicates of one group that are shown.
const SHOWN: usize = 12;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// Say of one event, by its id, what of the rule holds of it.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    head: Head,
    rules: Vec<Attribution>,
}

pub(super) fn run(args: &ExplainArgs) -> Result<(), CliError> {
    store::verify_duckdb_version().map_err(|error| CliError::Configuration(error.to_string()))?;
    let workspace = args.inputs.compile()?;
    let Some(mut store) = args.inputs.open_store(workspace.threads)? else {
        return Err(CliError::Configuration(
            "no events given; name them, as in `sigma-ocsf-tui explain rule.yml --parquet runs/7/normalized`"
                .to_owned(),
        ));
    };
    let mut rules = Vec::new();
    for rule in &workspace.compiled {
        let explained = attribution::attribute(&mut store, rule, args.event.as_deref(), &Cancel::never());
        let path = rule.compilation.rule.path.display();
        rules.push(explained.map_err(|error| CliError::Data(format!("{path}: {error}")))?);
    }
    if let Some(id) = &args.event {
        known(id, &rules)?;
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            let document = Document { head: Head::new(&workspace), rules };
            write_json(&mut out, &document)?;
        }
        Format::Human => {
            for (index, rule) in rules.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                human(&mut out, rule)?;
            }
        }
    }
    Ok(out.flush()?)
}

/// An id that no event has is a slip of the pen, not an answer.
fn known(id: &str, rules: &[Attribution]) -> Result<(), CliError> {
    let asked = rules.iter().any(|rule| !rule.funnel.is_empty());
    if asked && rules.iter().all(|rule| rule.event.is_none()) {
        return Err(CliError::Data(format!("the dataset has no event `{id}`")));
    }
    Ok(())
}

fn human(out: &mut impl Write, rule: &Attribution) -> io::Result<()> {
    writeln!(out, "{}", fit(&rule.title, WIDTH))?;
    writeln!(out, "{}", one_line(&rule.path))?;
    let finding = &rule.finding;
    let reason = finding.reason_code.map_or(String::new(), |reason| format!(" ({reason})"));
    indented(out, &format!("{}{reason}: {}", finding.cause.words(), finding.explanation), 0)?;
    if !rule.funnel.is_empty() {
        writeln!(out)?;
        funnel(out, &rule.funnel)?;
    }
    // Of a rule that matches, values that it does not ask for are no news.
    if finding.matches == 0 {
        values(out, rule)?;
    }
    if let Some(broad) = &finding.broad {
        let share = (broad.share * 100.0).round();
        let line = broad.place.map_or(String::new(), |place| format!(", line {}", place.line));
        writeln!(out)?;
        let text = format!(
            "matches {share} % of its scope; most is let in by {}{line}: {} events",
            broad.lets_in,
            count(broad.events)
        );
        indented(out, &text, 0)?;
    }
    if let Some(correlation) = &rule.correlation {
        windows(out, correlation)?;
    }
    if let Some(event) = &rule.event {
        one_event(out, event)?;
    }
    if !rule.matches.is_empty() {
        writeln!(out, "\nmatches")?;
    }
    for matched in &rule.matches {
        event_line(out, &matched.event)?;
        matched.evidence.iter().try_for_each(|evidence| write_evidence(out, evidence))?;
    }
    if !rule.nearest.is_empty() {
        writeln!(out, "\nnearest misses")?;
    }
    for near in &rule.nearest {
        event_line(out, &near.event)?;
        near.failed.iter().try_for_each(|failure| write_failure(out, failure))?;
    }
    Ok(())
}

fn funnel(out: &mut impl Write, rows: &[FunnelRow]) -> io::Result<()> {
    let whole = rows.first().map_or(0, |row| row.events);
    let route = rows.iter().take_while(|row| matches!(row.kind, RowKind::Class | RowKind::Filter));
    let in_scope = route.last().map_or(0, |row| row.events);
    let stopped = rows.iter().position(|row| row.cumulative && row.events == 0);
    let head = [("filled", LABEL + 1 + BAR + 1 + FILLED), ("alone", NUMBER), ("left", NUMBER)];
    writeln!(out, "{}", head.map(|(name, columns)| pad_left(name, columns)).join(" "))?;
    let mut hidden = Hidden::default();
    for (at, row) in rows.iter().enumerate() {
        if hidden.hides(row) {
            continue;
        }
        hidden.tell(out)?;
        write_row(out, row, whole, in_scope, stopped == Some(at))?;
    }
    hidden.tell(out)
}

/// Predicates of one group past those that are shown.
#[derive(Default)]
struct Hidden {
    depth: usize,
    seen: usize,
    hidden: u64,
    most: u64,
}

impl Hidden {
    fn hides(&mut self, row: &FunnelRow) -> bool {
        if row.kind != RowKind::Predicate || row.depth != self.depth {
            (self.depth, self.seen) = (row.depth, 0);
        }
        self.seen += 1;
        let hides = row.kind == RowKind::Predicate && self.seen > SHOWN;
        if hides {
            self.hidden += 1;
            self.most = self.most.max(row.events);
        }
        hides
    }

    fn tell(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.hidden > 0 {
            let indent = " ".repeat(self.depth * 2);
            writeln!(
                out,
                "     {indent}and {} more, of {} events at most",
                count(self.hidden),
                count(self.most)
            )?;
            (self.hidden, self.most) = (0, 0);
        }
        Ok(())
    }
}

fn write_row(
    out: &mut impl Write,
    row: &FunnelRow,
    whole: u64,
    in_scope: u64,
    stopped: bool,
) -> io::Result<()> {
    let indent = "  ".repeat(row.depth.min(8));
    let place = row.place.map_or(String::new(), |place: Place| format!("{:>4} ", place.line));
    let room = LABEL.saturating_sub(width(&indent) + 5);
    let label = format!("{}{indent}{}", pad(&place, 5), fit(&row.label, room));
    // A bar is for a step; what is counted alone has its number only.
    let bar = match row.cumulative {
        true if stopped => pad("stops →", BAR),
        true => bar_text(row.events, whole, BAR),
        false => " ".repeat(BAR),
    };
    let filled = row.filled.filter(|_| in_scope > 0).map(|filled| percent(filled, in_scope));
    let number = |number: Option<u64>| pad_left(&number.map(count).unwrap_or_default(), NUMBER);
    let numbers = [
        pad_left(&filled.unwrap_or_default(), FILLED),
        number(row.alone),
        number(row.cumulative.then_some(row.events)),
    ];
    writeln!(out, "{}", format!("{} {bar} {}", pad(&label, LABEL), numbers.join(" ")).trim_end())
}

/// Whole percents that say 0 and 100 only where that is so.
fn percent(part: u64, of: u64) -> String {
    match part {
        0 => "0 %".to_owned(),
        part if part >= of => "100 %".to_owned(),
        part => format!("{} %", (part * 100 / of).clamp(1, 99)),
    }
}

/// What stands in the fields that have values, none of them one that a predicate of the rule asks for.
fn values(out: &mut impl Write, rule: &Attribution) -> io::Result<()> {
    let mut told: Vec<(&str, &[ValueCount])> = Vec::new();
    for row in rule.funnel.iter().filter(|row| !row.common.is_empty()) {
        let field = row.label.split_whitespace().next().unwrap_or_default();
        if told.contains(&(field, &row.common)) {
            continue;
        }
        told.push((field, &row.common));
        writeln!(out, "\ncommonest values of {}", one_line(field))?;
        for value in &row.common {
            let room = WIDTH.saturating_sub(NUMBER + 3);
            writeln!(out, "  {} {}", pad_left(&count(value.events), NUMBER), fit(&value.value, room))?;
        }
    }
    Ok(())
}

fn windows(out: &mut impl Write, correlation: &CorrelationFinding) -> io::Result<()> {
    writeln!(out, "\n{}", pad_left("events", LABEL + 1 + BAR + 1 + NUMBER))?;
    let most = correlation.rules.iter().map(|(_, finding)| finding.matches).max().unwrap_or_default();
    for (title, finding) in &correlation.rules {
        let bar = bar_text(finding.matches, most, BAR);
        writeln!(out, "{} {bar} {}", pad(title, LABEL), pad_left(&count(finding.matches), NUMBER))?;
        if finding.matches == 0 {
            indented(out, &format!("{}: {}", finding.cause.words(), finding.explanation), 4)?;
        }
    }
    let keys = match correlation.group_by.as_slice() {
        [] => "in one group".to_owned(),
        keys => format!("with a value in {}", keys.join(", ")),
    };
    let bar = bar_text(correlation.grouped_events, most, BAR);
    let number = pad_left(&count(correlation.grouped_events), NUMBER);
    writeln!(out, "{} {bar} {number}", pad(&keys, LABEL))?;
    if let Some(most) = correlation.most {
        let least = correlation.least.unwrap_or(most);
        let line = correlation.place.map_or(String::new(), |place| format!(" (line {})", place.line));
        let text = format!(
            "windows of {} s measure {least} to {most} {}; asked{line}: {}",
            correlation.timespan / 1000,
            correlation.measure,
            correlation.asked
        );
        indented(out, &text, 0)?;
    }
    Ok(())
}

fn one_event(out: &mut impl Write, event: &EventFinding) -> io::Result<()> {
    let verdict = if event.matched { "this event matches" } else { "this event does not match" };
    writeln!(out, "\n{verdict}")?;
    event_line(out, &event.event)?;
    let class = event.class_uid.map_or_else(|| "none".to_owned(), |class| class.to_string());
    let mark = |holds: bool| if holds { "✓" } else { "✗" };
    writeln!(out, "    {} class {class}", mark(event.in_class))?;
    for (filter, passes) in &event.filters {
        writeln!(out, "    {} {}", mark(*passes), fit(filter, WIDTH - 6))?;
    }
    event.evidence.iter().try_for_each(|evidence| write_evidence(out, evidence))?;
    event.failed.iter().try_for_each(|failure| write_failure(out, failure))
}

fn event_line(out: &mut impl Write, event: &EventName) -> io::Result<()> {
    let at = event.time.map_or_else(|| "no time".to_owned(), time);
    let host = event.host.as_deref().unwrap_or("-");
    writeln!(out, "  {at}  {}\n    {}", one_line(host), one_line(&event.id))
}

fn write_failure(out: &mut impl Write, failure: &Failure) -> io::Result<()> {
    let others = match failure.alternatives {
        0 => String::new(),
        1 => " (or 1 alternative)".to_owned(),
        others => format!(" (or {others} alternatives)"),
    };
    let head =
        format!("✗ {}{}{others}", heading(failure.place, failure.selection.as_deref()), failure.predicate);
    indented(out, &head, 4)?;
    indented(out, &failure.difference.text, 8)
}

fn write_evidence(out: &mut impl Write, evidence: &Evidence) -> io::Result<()> {
    let head = format!("✓ {}{}", heading(evidence.place, evidence.selection.as_deref()), evidence.predicate);
    indented(out, &head, 4)?;
    match (&evidence.value, evidence.found) {
        (Some(value), Some((from, to))) => indented(out, &marked(value, from, to), 8),
        (Some(value), None) => indented(out, value, 8),
        (None, _) => Ok(()),
    }
}

fn heading(place: Option<Place>, selection: Option<&str>) -> String {
    match (place, selection) {
        (Some(place), Some(selection)) => format!("{}: {selection}: ", place.line),
        (Some(place), None) => format!("{}: ", place.line),
        (None, Some(selection)) => format!("{selection}: "),
        (None, None) => String::new(),
    }
}

/// A value with what was found in it between ‹ and ›.
fn marked(value: &str, from: usize, to: usize) -> String {
    let mut text = String::with_capacity(value.len() + 6);
    for (at, c) in value.chars().enumerate() {
        if at == from {
            text.push('‹');
        }
        if at == to {
            text.push('›');
        }
        text.push(c);
    }
    if to >= value.chars().count() {
        text.push('›');
    }
    text
}

/// `text` in lines of at most [`WIDTH`], all indented.
fn indented(out: &mut impl Write, text: &str, indent: usize) -> io::Result<()> {
    for line in wrap(text, WIDTH.saturating_sub(indent)) {
        writeln!(out, "{}{line}", " ".repeat(indent))?;
    }
    Ok(())
}
