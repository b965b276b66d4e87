//! The nearest misses, or the matches: a line each, which begins with what tells one from the other.
//!
//! ```text
//!  nearest misses                                              off  when            where
//!    37 ✗ CommandLine: is 'bitsadmin.exe /transfer /Download…    1  10-23 06:36:43  workstation5
//!    28 ✗ Image: is 'C:\Windows\System32\regsvr32.exe'           2  07-22 03:27:52  workstation5
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::super::matches::format_time;
use super::super::paint::{PaneLine, piece};
use super::super::symbols::{self, Symbol};
use super::list::{PLACE, place};
use crate::attribution::{EventName, Evidence, Failure, Place};
use crate::tui::model::{Item, Model};
use crate::tui::text::{count, fit, pad, pad_left, width};
use crate::tui::theme::Role;

/// Columns of the mark, of how many predicates are off, and of a time.
const MARK: usize = 2;
const OFF: usize = 5;
const WHEN: usize = 14;

/// The narrowest column of hosts.
const HOST: usize = 10;

/// Characters that are shown before the place where a text begins to differ from others.
const CONTEXT: usize = 12;

/// How the lines of one section are laid out.
pub(super) struct Columns {
    text: usize,
    /// None where nothing is off.
    off: usize,
    /// None where the texts need the room.
    host: usize,
}

/// A line to be drawn.
pub(super) struct Row {
    /// What separates the event from matching, or what lets it in: what fewest events share comes first.
    parts: Vec<Part>,
    /// How many predicates are off.
    off: Option<u64>,
    event: EventName,
}

/// A predicate that fails or holds.
struct Part {
    place: Option<Place>,
    text: String,
}

/// The misses, or the matches, among the items.
pub(super) fn rows(items: &[Item<'_>]) -> Vec<Row> {
    let mut rows: Vec<Row> = items.iter().filter_map(row).collect();
    let mut sharing: BTreeMap<String, usize> = BTreeMap::new();
    for row in &mut rows {
        let mut seen = BTreeSet::new();
        row.parts.retain(|part| seen.insert(part.text.clone()));
        seen.into_iter().for_each(|text| *sharing.entry(text).or_default() += 1);
    }
    for row in &mut rows {
        row.parts.sort_by_key(|part| sharing.get(&part.text).copied());
    }
    rows
}

fn row(item: &Item<'_>) -> Option<Row> {
    let (parts, off, event) = match item {
        Item::Near(near) => (near.failed.iter().map(failed).collect(), Some(near.distance), &near.event),
        Item::Match(matched) => (matched.evidence.iter().map(held).collect(), None, &matched.event),
        Item::Row(..) | Item::Part(..) => return None,
    };
    Some(Row { parts, off, event: event.clone() })
}

fn failed(failure: &Failure) -> Part {
    let text = format!("{}: {}", field(&failure.predicate), failure.difference.text);
    Part { place: failure.place, text }
}

fn held(evidence: &Evidence) -> Part {
    Part { place: evidence.place, text: evidence.predicate.clone() }
}

/// What a predicate looks at.
fn field(predicate: &str) -> &str {
    match predicate.starts_with("any text ") {
        true => "any text",
        false => predicate.split_whitespace().next().unwrap_or_default(),
    }
}

impl Columns {
    pub(super) fn of(rows: &[Row], all: usize) -> Self {
        let off = if rows.iter().any(|row| row.off.is_some()) { OFF } else { 0 };
        let rest = all.saturating_sub(PLACE + MARK + off + 2 + WHEN + 1);
        let widest = rows.iter().map(|row| width(host(&row.event))).max().unwrap_or(0).max("where".len());
        let host = widest.min(rest.saturating_sub(all / 2 + 2));
        let host = if host < HOST.min(widest) { 0 } else { host };
        let text = rest.saturating_sub(if host > 0 { host + 2 } else { 0 });
        Self { text, off, host }
    }

    /// The heading of the section.
    pub(super) fn heading(&self, title: &str) -> String {
        let off = pad_left(if self.off > 0 { "off" } else { "" }, self.off);
        let where_ = if self.host > 0 { "  where" } else { "" };
        let title = pad(&format!(" {title}"), PLACE + MARK + self.text);
        format!("{title}{off}  {}{where_}", pad("when", WHEN))
    }

    pub(super) fn line(&self, model: &Model, rows: &[Row], at: usize) -> PaneLine {
        let theme = &model.theme;
        let Some(row) = rows.get(at) else { return PaneLine::new() };
        let Symbol { glyph, .. } = if row.off.is_some() { symbols::REFUSED } else { symbols::SATISFIED };
        let role = if row.off.is_some() { Role::DiagnosticError } else { Role::StatusMatched };
        let off = pad_left(&row.off.map_or(String::new(), count), self.off);
        let said = telling(rows, at, self.text);
        let mut line = vec![
            piece(theme, Role::LineNumber, &place(row.parts.iter().find_map(|part| part.place))),
            piece(theme, role, &format!("{glyph} ")),
            piece(theme, Role::Text, &pad(&said, self.text)),
            piece(theme, Role::TextDim, &format!("{off}  {}", pad(&when(&row.event), WHEN))),
        ];
        if self.host > 0 {
            line.push(piece(theme, Role::TextDim, &format!("  {}", fit(host(&row.event), self.host))));
        }
        line
    }
}

/// The text of a row in so many columns: of one that is longer and begins like another one, the part that differs.
fn telling(rows: &[Row], at: usize, columns: usize) -> String {
    let parts = rows.get(at).map_or(&[][..], |row| &row.parts);
    let each: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    let whole = each.join("; ");
    let Some(first) = each.first().filter(|_| width(&whole) > columns) else { return fit(&whole, columns) };
    let others = rows.iter().filter_map(|row| row.parts.first()).map(|part| part.text.as_str());
    let shared = others.filter(|other| other != first).map(|other| shared(first, other)).max().unwrap_or(0);
    let head = first.find(": ").map_or(0, |at| first.get(..at + 2).unwrap_or_default().chars().count());
    if shared <= head + CONTEXT || shared + CONTEXT <= columns {
        return fit(&whole, columns);
    }
    let lead: String = whole.chars().take(head).collect();
    let rest: String = whole.chars().skip(shared - CONTEXT).collect();
    fit(&format!("{lead}…{rest}"), columns)
}

/// Characters at the start that two texts have in common.
fn shared(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

/// When and where an event was.
pub(super) fn name(event: &EventName) -> String {
    format!("{}  {}", when(event), host(event))
}

fn when(event: &EventName) -> String {
    event.time.map_or_else(|| "no time".to_owned(), |time| format_time(time, "%m-%d %H:%M:%S"))
}

fn host(event: &EventName) -> &str {
    event.host.as_deref().unwrap_or(symbols::NOTHING.glyph)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::attribution::{Difference, Miss, NearMiss};

    fn row(texts: &[&str]) -> Row {
        let parts = texts.iter().map(|text| Part { place: None, text: (*text).to_owned() }).collect();
        Row { parts, off: Some(1), event: EventName::default() }
    }

    #[test]
    fn of_texts_that_begin_alike_the_part_that_differs_is_shown() {
        let program =
            r"CommandLine: is 'C:\Program Files\Vendor\Agent\agent.exe --log C:\ProgramData\Vendor\";
        let [one, two] = ["one.txt'", "two.txt'"].map(|end| format!("{program}{end}"));
        let rows = [row(&[&one]), row(&[&two]), row(&["Image: is 'a'"])];
        assert_eq!(telling(&rows, 0, 44), r"CommandLine: …Data\Vendor\one.txt'");
        assert_eq!(telling(&rows, 1, 44), r"CommandLine: …Data\Vendor\two.txt'");
        assert_eq!(telling(&rows, 2, 44), "Image: is 'a'");
        assert!(telling(&rows, 0, 200).ends_with("one.txt'"), "nothing is left out where there is room");
        assert!(telling(&rows[..1], 0, 20).starts_with("CommandLine: is 'C:"), "alone it is cut at its end");
    }

    #[test]
    fn what_several_events_share_comes_last() {
        let failure = |predicate: &str, text: &str| Failure {
            selection: None,
            predicate: predicate.to_owned(),
            place: None,
            value: None,
            difference: Difference { miss: Miss::Other, text: text.to_owned() },
            alternatives: 0,
        };
        let near = |line: &str| NearMiss {
            event: EventName::default(),
            distance: 2,
            failed: vec![
                failure("Image ends with 'b'", "is 'a'"),
                failure("CommandLine contains 'x'", line),
                failure("CommandLine contains 'y'", line),
            ],
        };
        let (one, two) = (near("is '1'"), near("is '2'"));
        let rows = rows(&[Item::Near(&one), Item::Near(&two)]);
        assert_eq!(telling(&rows, 0, 80), "CommandLine: is '1'; Image: is 'a'");
        assert_eq!(telling(&rows, 1, 80), "CommandLine: is '2'; Image: is 'a'");
    }

    #[test]
    fn hosts_give_way_to_what_differs() {
        let event = EventName { host: Some("workstation5.example".to_owned()), ..EventName::default() };
        let rows = [Row { event, ..row(&["x"]) }];
        assert_eq!((Columns::of(&rows, 76).host, Columns::of(&rows, 76).text), (0, 45));
        assert_eq!((Columns::of(&rows, 160).host, Columns::of(&rows, 160).text), (20, 107));
    }
}
