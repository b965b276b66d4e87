//! The screen as a pure function of the [`Model`]: one file a region.
//!
//! ```text
//! rules.rs │ source.rs │ route.rs
//!          ├───────────┼───────────
//!          │ sql.rs    │ matches.rs
//! status.rs    over all: proposals.rs, changes.rs, why/, event.rs, export.rs, coverage.rs,
//!              palette.rs, new_rule.rs, help.rs
//! welcome.rs   where nothing is open; trouble.rs what is wrong with rules, events or pack; tiny.rs no room
//! ```
//!
//! Nothing here changes anything or fails; where there is no room, less is drawn.

mod changes;
mod chips;
mod columns;
mod correlation;
mod coverage;
mod edit;
mod event;
mod export;
mod findings;
mod frame;
mod help;
mod layout;
mod link;
mod matches;
mod new_rule;
mod paint;
mod palette;
mod popup;
mod proposals;
mod route;
mod rules;
mod source;
mod sql;
mod status;
mod symbols;
mod timeline;
mod tiny;
mod trouble;
mod verdict;
mod welcome;
mod why;

use ratatui::Frame;
use ratatui::layout::Rect;

pub(crate) use findings::first_finding_line;
pub(crate) use layout::{Layout, fitting, least};
pub(crate) use link::{Link, first_lines, link};
pub(crate) use matches::{reserved_rows, rows_above, rows_shown};
pub(crate) use route::{edited_alias_row, rows_of_field};
pub(crate) use rules::list_area;
pub(crate) use source::{line_at_row, rows_of_line};
pub(crate) use sql::{rows_of_sql, sql_at_row};
pub(crate) use status::SPIN;
#[cfg(test)]
pub(crate) use symbols::LEGEND;
#[cfg(test)]
pub(crate) use verdict::glyph as verdict_glyph;
pub(crate) use why::{beside as why_beside, details_extent, item_at};

use crate::tui::model::{Model, Overlay, Pane};
use crate::tui::text;

/// The program, as the terminal's title names it.
const NAME: &str = "sigma-ocsf-tui";

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    if tiny::is(area) {
        return tiny::draw(frame.buffer_mut(), model);
    }
    let layout = Layout::new(area, model);
    let buffer = frame.buffer_mut();
    frame::draw(buffer, &layout, model);
    for pane in Pane::ALL {
        if let Some(area) = layout.pane(pane).filter(|area| !area.is_empty()) {
            draw_pane(buffer, area, layout.body(pane), model, pane);
        }
    }
    status::draw(buffer, layout.status, model);
    match &model.overlay {
        Some(Overlay::Proposals(open)) => proposals::draw(buffer, area, model, open),
        Some(Overlay::Changes(open)) => changes::draw(buffer, area, model, open),
        Some(Overlay::Event(open)) => event::draw(buffer, area, model, open),
        Some(Overlay::Export(prompt)) => export::draw(buffer, area, model, prompt),
        Some(Overlay::Why(open)) => why::draw(buffer, area, model, *open),
        Some(Overlay::Coverage(open)) => coverage::draw(buffer, area, model, open),
        Some(Overlay::Palette(open)) => palette::draw(buffer, area, model, open),
        Some(Overlay::Welcome(open)) => welcome::draw(buffer, area, model, open),
        Some(Overlay::NewRule(open)) => new_rule::draw(buffer, area, model, open),
        Some(Overlay::Edit(_)) | None => {}
    }
    help::draw(buffer, area, model);
}

/// What the terminal's title says.
pub(crate) fn terminal_title(model: &Model) -> String {
    match model.list.totals.arrived {
        0 => NAME.to_owned(),
        arrived => format!("{}{} new · {NAME}", symbols::ARRIVED.glyph, text::count(arrived)),
    }
}

fn draw_pane(buffer: &mut ratatui::buffer::Buffer, area: Rect, body: Rect, model: &Model, pane: Pane) {
    let taken = if pane == Pane::Source { source::heading(buffer, area, model) } else { 0 };
    let left = Rect { width: area.width - taken, ..area };
    paint::title(buffer, left, model, pane, title(model, pane));
    match pane {
        Pane::Rules => rules::draw(buffer, body, model),
        Pane::Source => source::draw(buffer, body, model),
        Pane::Route => route::draw(buffer, body, model),
        Pane::Sql => sql::draw(buffer, body, model),
        Pane::Matches => matches::draw(buffer, body, model),
    }
}

fn title(model: &Model, pane: Pane) -> Vec<paint::Ranked> {
    match pane {
        Pane::Rules => rules::title(model),
        Pane::Source => source::title(model),
        Pane::Route => route::title(model),
        Pane::Sql => sql::title(model),
        Pane::Matches => matches::title(model),
    }
}

/// How much there is to scroll through in a pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Lines.
    pub rows: usize,
    /// Columns of the widest.
    pub columns: usize,
}

/// How much there is to scroll through in `pane`, laid out for `body`.
pub(crate) fn extent(model: &Model, pane: Pane, body: Rect) -> Extent {
    let lines = match pane {
        Pane::Rules => return Extent { rows: model.list.rows.len(), columns: 0 },
        Pane::Source => return source::extent(model, body),
        Pane::Matches => return matches::extent(model, body),
        Pane::Route => route::lines(model, usize::from(body.width)),
        Pane::Sql => sql::lines(model, usize::from(body.width)),
    };
    let columns = lines.iter().map(|line| paint::width(line)).max().unwrap_or(0);
    Extent { rows: lines.len(), columns }
}

/// Lines that the help has, and lines of it that are shown at once.
pub(crate) fn help_extent(model: &Model) -> (usize, usize) {
    help::extent(model)
}

/// Lines that the cursor of what is shown over the panes moves among, and how many are shown at once.
pub(crate) fn overlay_extent(model: &Model) -> (usize, usize) {
    match &model.overlay {
        Some(Overlay::Proposals(open)) => proposals::extent(model, open),
        Some(Overlay::Changes(open)) => changes::extent(model, open),
        Some(Overlay::Event(open)) => event::extent(model, open),
        Some(Overlay::Coverage(open)) => coverage::extent(model, open),
        Some(Overlay::Palette(open)) => palette::extent(model, open),
        Some(Overlay::Welcome(open)) => welcome::extent(open),
        Some(Overlay::NewRule(_)) => new_rule::extent(),
        Some(Overlay::Export(_) | Overlay::Why(_) | Overlay::Edit(_)) | None => (0, 0),
    }
}

/// The line of what is shown over the panes that stands at a row of the screen.
pub(crate) fn overlay_line(model: &Model, row: u16) -> Option<usize> {
    match &model.overlay {
        Some(Overlay::Proposals(open)) => proposals::line_at(model, open, row),
        Some(Overlay::Changes(open)) => changes::line_at(model, open, row),
        Some(Overlay::Event(open)) => event::node_at(model, open, row),
        Some(Overlay::Coverage(open)) => coverage::line_at(model, open, row),
        Some(Overlay::Palette(open)) => palette::line_at(model, open, row),
        Some(Overlay::Welcome(open)) => welcome::line_at(model, open, row),
        Some(Overlay::NewRule(_)) => new_rule::line_at(model, row),
        Some(Overlay::Export(_) | Overlay::Why(_) | Overlay::Edit(_)) | None => None,
    }
}
