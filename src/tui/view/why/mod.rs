//! Why the selected rule did or did not match: over the panes beside the source where there is room, else over all.
//!
//! ```text
//!        │ Source     │ Why
//!        │            │ the cause in words, and all about the line under the cursor
//!        ├────────────┴──────────────
//!        │ Funnel
//!        │    class 1007                ██████████████   254,974
//!        │  7 selection_img             ▏                      4
//!        │  8   Image ends with '\…'                           4   93 %
//!        │  9 selection_dest                                   0  ← stops
//! ```

mod details;
mod events;
mod list;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget};

use super::layout::Layout;
use super::paint::{self, PaneLine, piece};
use super::popup;
use crate::tui::model::{Model, Offset, Pane, WhyView};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the smallest screen that has it beside the source.
const BESIDE: u16 = 120;

/// Columns of the whole where it is over all.
const WIDTH: u16 = 132;

/// Whether it leaves the source to be seen.
pub(crate) fn beside(model: &Model) -> bool {
    model.size.0 >= BESIDE && Layout::of(model).tabs.is_none()
}

/// Where its parts stand, without titles and borders.
struct Parts {
    /// The cause, where it does not stand above the details.
    cause: Option<Rect>,
    list: Rect,
    details: Rect,
}

impl Parts {
    fn of(model: &Model, open: WhyView) -> Self {
        let layout = Layout::of(model);
        if beside(model) {
            let below = below(&layout);
            let list = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
            return Self { cause: None, list, details: layout.body(Pane::Route) };
        }
        let body = popup::inner(over(model));
        let width = usize::from(body.width);
        let cause = rows(details::cause(model, width).len()).min(body.height / 4);
        let left = body.height - cause;
        // The details get what they need, as far as that leaves two thirds to a list that needs them.
        let listed = rows(list::lines(model, width).len() + 1);
        let needed = rows(details::item(model, open.cursor, width).len());
        let details = needed.min((left / 3).max(left.saturating_sub(listed)));
        let list = left - details;
        Self {
            cause: Some(Rect { height: cause, ..body }),
            list: Rect { y: body.y + cause, height: list.saturating_sub(1), ..body },
            details: Rect { y: body.y + cause + list, height: details, ..body },
        }
    }
}

fn rows(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}

/// The panes below source and route, as one.
fn below(layout: &Layout) -> Rect {
    let sql = layout.pane(Pane::Sql).unwrap_or_default();
    let right = layout.pane(Pane::Matches).unwrap_or_default().right();
    Rect { width: right.saturating_sub(sql.x), ..sql }
}

fn over(model: &Model) -> Rect {
    popup::place(Rect::new(0, 0, model.size.0, model.size.1), WIDTH, usize::from(u16::MAX) - 2)
}

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: WhyView) {
    let parts = Parts::of(model, open);
    if parts.cause.is_some() {
        popup::draw(buffer, over(model), model, &title(model));
    } else {
        clear_panes(buffer, model, open);
    }
    let Parts { cause, list, details } = parts;
    if let Some(area) = cause {
        let lines = details::cause(model, usize::from(area.width));
        paint::scrolled(buffer, area.intersection(screen), &model.theme, &lines, Offset::default());
    }
    list::draw(buffer, list.intersection(screen), model, open);
    draw_details(buffer, details.intersection(screen), model, open);
}

fn draw_details(buffer: &mut Buffer, area: Rect, model: &Model, open: WhyView) {
    let lines = detail_lines(model, open, usize::from(area.width));
    let page = usize::from(area.height);
    paint::scrolled(buffer, area, &model.theme, &lines, Offset { row: open.scroll, column: 0 });
    if page > 0 && open.scroll + page < lines.len() {
        let more = piece(&model.theme, Role::Key, " PgDn … ");
        paint::right(buffer, area, page - 1, &[more]);
    }
}

/// Clears what it stands over, and joins the rules between the panes anew.
fn clear_panes(buffer: &mut Buffer, model: &Model, open: WhyView) {
    let theme = &model.theme;
    let layout = Layout::of(model);
    let (below, route) = (below(&layout), layout.pane(Pane::Route).unwrap_or_default());
    for area in [below, route].map(|area| area.intersection(buffer.area)) {
        Clear.render(area, buffer);
        buffer.set_style(area, theme.style(Role::Text));
    }
    if let Some(cell) = buffer.cell_mut((route.x.saturating_sub(1), below.y.saturating_sub(1))) {
        cell.set_symbol("┴");
    }
    let blank = vec![piece(theme, Role::Text, " ")];
    paint::line(buffer, route, 0, &[blank, title(model)].concat(), 0);
    let keys = if open.in_source { " " } else { "▌" };
    let heading =
        [piece(theme, Role::PaneTitleFocused, keys), piece(theme, Role::PaneTitleFocused, "Funnel")];
    paint::line(buffer, below, 0, &[heading.to_vec(), list::title(model)].concat(), 0);
}

fn title(model: &Model) -> PaneLine {
    let theme = &model.theme;
    let mut title = vec![piece(theme, Role::PaneTitleFocused, "Why  ")];
    if let Some(known) = model.why.known() {
        title.push(piece(theme, Role::PaneTitle, known.finding.cause.words()));
        if let Some(reason) = known.finding.reason_code {
            title.push(piece(theme, Role::TextDim, &format!("  {reason}")));
        }
    }
    if model.why.stale {
        title.push(piece(theme, Role::Error, "  stale"));
    }
    title
}

fn detail_lines(model: &Model, open: WhyView, width: usize) -> Vec<PaneLine> {
    let item = details::item(model, open.cursor, width);
    if beside(model) { [details::cause(model, width), item].concat() } else { item }
}

/// Lines of the details, and how many of them are shown at once.
pub(crate) fn details_extent(model: &Model, open: WhyView) -> (usize, usize) {
    let area = Parts::of(model, open).details;
    (detail_lines(model, open, usize::from(area.width)).len(), usize::from(area.height))
}

/// The item at a column and row of the screen.
pub(crate) fn item_at(model: &Model, open: WhyView, column: u16, row: u16) -> Option<usize> {
    let area = Parts::of(model, open).list;
    if !area.contains((column, row).into()) {
        return None;
    }
    list::item_at(model, open, area, usize::from(row - area.y))
}

/// `said` in lines of `width`, the first after `lead`, the others below it.
fn paragraph(model: &Model, role: Role, lead: &str, said: &str, width: usize) -> Vec<PaneLine> {
    let indent = text::width(lead);
    let lines = text::wrap(said, width.saturating_sub(indent + 1)).into_iter().enumerate();
    let lead = |at: usize| if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
    let blank = Style::default();
    lines.map(|(at, line)| vec![(lead(at), blank), piece(&model.theme, role, &line)]).collect()
}
