//! What goes to the clipboard.

use super::{Effect, event};
use crate::evaluate::MatchRow;
use crate::tui::action::Copied;
use crate::tui::model::{Model, Overlay, Shown, value_text};
use crate::tui::worker::WholeEvent;

pub(super) fn copy(model: &mut Model, what: Copied) -> Vec<Effect> {
    model.copying = false;
    match what {
        Copied::EventId => {
            let id = match &model.overlay {
                Some(Overlay::Event(open)) => Some(open.event_id.clone()),
                Some(Overlay::Window(open)) => open.selected().map(|event| event.event_id.clone()),
                _ => model.matched_row().map(|row| row.event_id.clone()),
            };
            text("the event id", id)
        }
        Copied::Row => text("the row", model.matched_row().map(tab_separated)),
        Copied::Sql => {
            let sql = model.entry().and_then(|entry| entry.sql_text()).map(str::to_owned);
            text("the SQL", sql)
        }
        Copied::Value => text("the value", value(model)),
        Copied::Event => {
            if let Some(Overlay::Event(open)) = &model.overlay
                && let Some(there) = open.event()
            {
                return self::event(there);
            }
            let effects = event::ask(model);
            model.copies_event = !effects.is_empty();
            effects
        }
    }
}

/// An event as JSON, laid out for reading.
pub(super) fn event(event: &WholeEvent) -> Vec<Effect> {
    // A value always has a JSON text.
    text("the event", serde_json::to_string_pretty(&event.fields).ok())
}

fn text(what: &'static str, text: Option<String>) -> Vec<Effect> {
    text.map(|text| Effect::Copy { what, text }).into_iter().collect()
}

/// Time in RFC 3339, host, the rule's columns, event id. A tab or line break within a value becomes a blank.
fn tab_separated(row: &MatchRow) -> String {
    let time = row.time.map(|time| {
        jiff::Timestamp::from_millisecond(time).map_or_else(|_| time.to_string(), |time| format!("{time:.3}"))
    });
    let cells = [time, row.host.clone()].into_iter().chain(row.values.iter().cloned());
    let cells = cells.chain([Some(row.event_id.clone())]);
    let cells = cells.map(|cell| cell.unwrap_or_default().replace(['\t', '\n', '\r'], " "));
    cells.collect::<Vec<_>>().join("\t")
}

fn value(model: &Model) -> Option<String> {
    let Some(Overlay::Event(open)) = &model.overlay else { return None };
    match open.nodes().get(open.cursor)?.shown {
        Shown::Branch(value, _) => serde_json::to_string_pretty(value).ok(),
        Shown::Leaf(value, _) => Some(value_text(value)),
    }
}
