//! The cause in words and numbers, and all about the item under the cursor.

use super::super::paint::{PaneLine, piece};
use super::super::symbols;
use super::{events, paragraph};
use crate::attribution::{
    Attribution, CorrelationFinding, Failure, FunnelRow, MatchReason, NearMiss, Place, RowKind, ValueCount,
};
use crate::tui::model::{Item, Model};
use crate::tui::text::{self, Piece, count, percent};
use crate::tui::theme::Role;

/// Lines of one value that are shown.
const VALUE_LINES: usize = 4;

/// Columns of the word before a number.
const WORD: usize = 6;

/// The cause, with the numbers that it rests on; a blank line behind it.
pub(super) fn cause(model: &Model, width: usize) -> Vec<PaneLine> {
    let Some(known) = model.why.known() else { return Vec::new() };
    let finding = &known.finding;
    let mut lines = paragraph(model, Role::Text, " ", &finding.explanation, width);
    if let Some(broad) = &finding.broad {
        let line = broad.place.map_or(String::new(), |place| format!(", line {}", place.line));
        let said = format!(
            "matches {} of its scope; most is let in by {}{line}: {} events",
            percent(finding.matches, finding.scope_events),
            broad.lets_in,
            count(broad.events)
        );
        lines.extend(paragraph(model, Role::DiagnosticWarning, " ! ", &said, width));
    }
    for said in known.correlation.iter().flat_map(windows) {
        lines.extend(paragraph(model, Role::Text, " ", &said, width));
    }
    lines.push(PaneLine::new());
    lines
}

/// What the windows of a correlation come to.
fn windows(correlation: &CorrelationFinding) -> Vec<String> {
    let keys = match correlation.group_by.as_slice() {
        [] => "in one group".to_owned(),
        keys => format!("with a value in {}", keys.join(", ")),
    };
    let mut said = vec![format!("{} events {keys}", count(correlation.grouped_events))];
    if let Some(most) = correlation.most {
        let least = correlation.least.unwrap_or(most);
        let line = correlation.place.map_or(String::new(), |place| format!(" (line {})", place.line));
        said.push(format!(
            "windows of {} s measure {least} to {most} {}; asked{line}: {}",
            correlation.timespan / 1000,
            correlation.measure,
            correlation.asked
        ));
    }
    said
}

/// All about one item.
pub(super) fn item(model: &Model, at: usize, width: usize) -> Vec<PaneLine> {
    let Some(known) = model.why.known() else { return Vec::new() };
    match model.why.items().get(at) {
        Some(Item::Row(at, row)) => of_row(model, known, (*at, row), width),
        Some(Item::Part(title, finding)) => {
            let mut lines = paragraph(model, Role::PaneTitle, " ", title, width);
            let said = format!("{}: {}", finding.cause.words(), finding.explanation);
            lines.extend(paragraph(model, Role::Text, " ", &said, width));
            lines
        }
        Some(Item::Near(near)) => of_near(model, near, width),
        Some(Item::Match(matched)) => of_match(model, matched, width),
        None => Vec::new(),
    }
}

fn of_row(model: &Model, known: &Attribution, (at, row): (usize, &FunnelRow), width: usize) -> Vec<PaneLine> {
    let place = row.place.map_or(" ".to_owned(), |place| format!(" {}: ", place.line));
    let mut lines = paragraph(model, Role::PaneTitle, &place, &row.label, width);
    for (word, said) in row_numbers(known, at, row) {
        let lead = format!(" {} ", text::pad(word, WORD));
        lines.extend(told(model, &lead, &said, width));
    }
    // Of a rule that matches, values that it does not ask for are no news.
    if known.finding.matches == 0 {
        lines.extend(values(model, known, at, width));
    }
    lines
}

/// A sentence after its word.
fn told(model: &Model, lead: &str, said: &str, width: usize) -> Vec<PaneLine> {
    let mut lines = paragraph(model, Role::Text, lead, said, width);
    if let Some((_, style)) = lines.first_mut().and_then(|line| line.first_mut()) {
        *style = model.theme.style(Role::TextDim);
    }
    lines
}

/// The numbers of a row in sentences, each after the heading of its column.
fn row_numbers(known: &Attribution, at: usize, row: &FunnelRow) -> Vec<(&'static str, String)> {
    let in_scope = known.finding.scope_events;
    let share = |events: u64| {
        format!("{} of {} events in scope, {}", count(events), count(in_scope), percent(events, in_scope))
    };
    let mut said = Vec::new();
    if let Some(filled) = row.filled.filter(|_| in_scope > 0) {
        said.push(("filled", format!("in {}", share(filled))));
    }
    if let Some(alone) = row.alone.filter(|_| in_scope > 0) {
        said.push(("alone", format!("satisfied by {}", share(alone))));
    }
    let steps = known.funnel.iter().take(at).rev();
    let before = steps.clone().find(|row| row.cumulative).filter(|_| row.cumulative);
    if let Some(before) = before {
        let stops = if row.events == 0 && before.events > 0 { ": it stops here" } else { "" };
        let events = format!("{} of the {} before this step{stops}", count(row.events), count(before.events));
        said.push(("left", events));
    }
    said
}

/// The commonest values of the fields under a row, each field once.
fn values(model: &Model, known: &Attribution, at: usize, width: usize) -> Vec<PaneLine> {
    let depth = known.funnel.get(at).map_or(0, |row| row.depth);
    let below = known.funnel.iter().skip(at + 1).take_while(|row| row.depth > depth);
    let mut told: Vec<(&str, &[ValueCount])> = Vec::new();
    let mut lines = Vec::new();
    for row in known.funnel.get(at).into_iter().chain(below) {
        let field = row.label.split_whitespace().next().unwrap_or_default();
        if row.kind != RowKind::Predicate || row.common.is_empty() || told.contains(&(field, &row.common)) {
            continue;
        }
        told.push((field, &row.common));
        let said = format!("commonest values of {field}");
        lines.push(PaneLine::new());
        lines.extend(paragraph(model, Role::TableHeader, " ", &said, width));
        let most = row.common.iter().map(|value| count(value.events).len()).max().unwrap_or_default();
        for value in &row.common {
            let events = text::pad_left(&count(value.events), most);
            lines.push(vec![
                piece(&model.theme, Role::TextDim, &format!(" {events} × ")),
                (text::fit(&value.value, width.saturating_sub(most + 5)), model.theme.style(Role::Text)),
            ]);
        }
    }
    lines
}

fn of_near(model: &Model, near: &NearMiss, width: usize) -> Vec<PaneLine> {
    let mut lines = event(model, &near.event, width);
    let off = match near.failed.len() {
        1 => "one predicate keeps it out".to_owned(),
        failed => format!("{failed} predicates keep it out"),
    };
    lines.extend(paragraph(model, Role::Text, " ", &off, width));
    for Failure { selection, predicate, place, value, difference, alternatives } in &near.failed {
        let others = match alternatives {
            0 => String::new(),
            1 => " (or 1 alternative)".to_owned(),
            others => format!(" (or {others} alternatives)"),
        };
        let head = format!("{}{predicate}{others}", heading(*place, selection.as_deref()));
        lines.extend(paragraph(model, Role::DiagnosticError, " ✗ ", &head, width));
        lines.extend(paragraph(model, Role::Text, "     ", &difference.text, width));
        // What a sentence cannot quote whole.
        if let Some(value) = value.as_deref().filter(|_| difference.text.ends_with("…'")) {
            lines.extend(stretch(model, value, None, width));
        }
    }
    lines
}

fn of_match(model: &Model, matched: &MatchReason, width: usize) -> Vec<PaneLine> {
    let mut lines = event(model, &matched.event, width);
    for evidence in &matched.evidence {
        let head =
            format!("{}{}", heading(evidence.place, evidence.selection.as_deref()), evidence.predicate);
        lines.extend(paragraph(
            model,
            Role::StatusMatched,
            &format!(" {} ", symbols::SATISFIED.glyph),
            &head,
            width,
        ));
        if let Some(value) = &evidence.value {
            lines.extend(stretch(model, value, evidence.found, width));
        }
    }
    lines
}

fn event(model: &Model, event: &crate::attribution::EventName, width: usize) -> Vec<PaneLine> {
    let mut lines = paragraph(model, Role::PaneTitle, " ", &events::name(event), width);
    lines.extend(paragraph(model, Role::TextDim, " ", &event.id, width));
    lines
}

fn heading(place: Option<Place>, selection: Option<&str>) -> String {
    let line = place.map_or(String::new(), |place| format!("{}: ", place.line));
    let selection = selection.map_or(String::new(), |selection| format!("{selection}: "));
    format!("{line}{selection}")
}

/// A value, what was found in it between `‹` and `›`: of a long one the lines around that.
fn stretch(model: &Model, value: &str, found: Option<(usize, usize)>, width: usize) -> Vec<PaneLine> {
    const INDENT: usize = 5;
    let theme = &model.theme;
    let pieces: Vec<Piece> = match found {
        Some((from, to)) => {
            let part = |from: usize, to: usize| {
                value.chars().skip(from).take(to.saturating_sub(from)).collect::<String>()
            };
            vec![
                piece(theme, Role::Text, &part(0, from)),
                piece(theme, Role::Linked, &format!("‹{}›", part(from, to))),
                piece(theme, Role::Text, &part(to, usize::MAX)),
            ]
        }
        None => vec![piece(theme, Role::Text, value)],
    };
    let room = width.saturating_sub(INDENT + 1).max(1);
    let columns: usize = pieces.iter().map(|(content, _)| text::width(content)).sum();
    let before = pieces.first().filter(|_| pieces.len() > 1);
    let first = before.map_or(0, |(content, _)| text::width(content) / room).saturating_sub(1);
    let last = columns.div_ceil(room).min(first + VALUE_LINES);
    let line = |at: usize| {
        let lead = if at == first && first > 0 { "   … " } else { "     " };
        let shown = text::window(&pieces, at * room, room);
        let shown = shown.into_iter().map(|span| (span.content.into_owned(), span.style));
        std::iter::once(piece(theme, Role::TextDim, lead)).chain(shown).collect()
    };
    (first..last).map(line).collect()
}
