//! The bottom line: totals, what is under way or went wrong, and the keys that matter now.
//!
//! ```text
//!  3,780 rules · 2,911 executable · 869 refused · 41 fallback · 212 matched   rules 120/2,911 …   / filter  ? help
//! ```

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::changes;
use super::paint::{self, PaneLine, Ranked, piece};
use crate::store::TimeRange;
use crate::tui::command::{self, Hint};
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns that a notice leaves: for the way to the help.
const NOTICE_LEAVES: usize = 12;

/// What the totals leave to hints, while nothing is open: a third of the line, and no fewer columns than these.
const HINTS_KEEP: usize = 24;

/// How long a run takes before its speed means anything.
const TELLING: Duration = Duration::from_millis(500);

/// How long each step of the spinner shows.
pub(crate) const SPIN: Duration = Duration::from_millis(120);

/// What turns while something is under way.
const SPINNER: [&str; 4] = ["◐", "◓", "◑", "◒"];

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model) {
    let keys = hints(model);
    let width = usize::from(area.width);
    let reserved = if asks(model) {
        keys.iter().map(|(_, hint)| paint::width(hint)).sum()
    } else {
        HINTS_KEEP.max(width / 3)
    };
    let totals = match model.opened.is_empty() {
        true => PaneLine::new(),
        false => totals(model, width.saturating_sub(reserved.min(width * 3 / 4) + 3)),
    };
    let left = match state(model, width) {
        Some(state) => {
            let gap = piece(&model.theme, Role::TextDim, "   ");
            let whole = [vec![state.clone(), gap], totals].concat();
            let reserved = if asks(model) { reserved } else { 0 };
            if paint::width(&whole) + reserved < width { whole } else { vec![state] }
        }
        None => totals,
    };
    paint::line(buffer, area, 0, &[vec![piece(&model.theme, Role::Text, " ")], left.clone()].concat(), 0);
    let room = usize::from(area.width).saturating_sub(paint::width(&left) + 3);
    if let Some(keys) = shortened(keys, room) {
        paint::right(buffer, area, 0, &keys);
    }
}

/// Whether something is open that wants an answer: then its keys matter more than figures.
fn asks(model: &Model) -> bool {
    model.overlay.is_some() || model.copying || model.filter.editing || model.help.is_some()
}

/// The figures that `room` has, those that matter most.
fn totals(model: &Model, room: usize) -> PaneLine {
    let theme = &model.theme;
    let totals = model.list.totals;
    let word = if model.rules.len() == 1 { "rule" } else { "rules" };
    let figures = [
        (0, model.rules.len() as u64, word, Role::Text),
        (1, totals.executable, "executable", Role::Text),
        (3, totals.refused, "refused", Role::StatusRefused),
        (4, totals.fallback, "fallback", Role::StatusFallback),
        (2, totals.matched, "matched", Role::StatusMatched),
    ];
    let mut line: Vec<Ranked> = Vec::new();
    for (rank, number, word, role) in
        figures.into_iter().filter(|(_, n, word, _)| *n > 0 || *word != "fallback")
    {
        let between = if rank > 0 { " · " } else { "" };
        let role = if number == 0 { Role::TextDim } else { role };
        line.push((rank, piece(theme, Role::TextDim, between)));
        line.push((rank, piece(theme, role, &text::count(number))));
        line.push((rank, piece(theme, Role::TextDim, &format!(" {word}"))));
    }
    let drift = changes::drift(model.list.drift);
    if !drift.is_empty() {
        let said = format!(" · since baseline:{}", drift.trim_start_matches(" ·"));
        line.push((5, piece(theme, Role::TextDim, &said)));
    }
    if model.dataset.range != TimeRange::default() {
        // Without it, the figures would be taken for those of all events.
        line.push((0, piece(theme, Role::TextDim, &format!(" · {}", model.dataset.range))));
    }
    paint::fitting(line, room)
}

/// What is under way, or wrong; the gravest first.
fn state(model: &Model, width: usize) -> Option<text::Piece> {
    let theme = &model.theme;
    if model.work.mentioned && model.work.is_under_way() {
        let said = format!("{} {}", spinner(model.work.elapsed), under_way(model));
        return Some(piece(theme, Role::Key, &said));
    }
    if model.pack.is_stale() {
        return Some(piece(theme, Role::Error, "✗ pack does not load: stale"));
    }
    if !model.pack.errors.is_empty() {
        return Some(piece(theme, Role::Error, "✗ pack does not load"));
    }
    if let Some(folder) = model.gone.first() {
        let said = format!("✗ rules stale: {} is gone", folder.display());
        return Some(piece(theme, Role::Error, &text::fit(&said, 48)));
    }
    if let Some(error) = &model.dataset.error {
        let word = if model.dataset.info.is_some() { "✗ dataset stale: " } else { "✗ dataset: " };
        return Some(piece(theme, Role::Error, &text::fit(&format!("{word}{error}"), 48)));
    }
    if let Some((done, of)) = model.work.stopped {
        let said =
            format!("stopped at {} of {}; r runs again", text::count(done as u64), text::count(of as u64));
        return Some(piece(theme, Role::DiagnosticWarning, &said));
    }
    if let Some(said) = &model.spark.running {
        return Some(piece(theme, Role::Key, &text::fit(&format!("Spark: {said} …"), 64)));
    }
    let notice = model.notices.last()?;
    Some(piece(theme, Role::DiagnosticWarning, &text::fit(notice, width.saturating_sub(NOTICE_LEAVES))))
}

fn under_way(model: &Model) -> String {
    let work = &model.work;
    if work.compiling {
        return "compiling …".to_owned();
    }
    if work.opening {
        return "opening the dataset …".to_owned();
    }
    match (work.running, work.reading) {
        (Some(progress), _) => run(progress, work.run_elapsed),
        (None, Some(progress)) => reading(progress),
        (None, None) => "looking for matches …".to_owned(),
    }
}

/// `rules 1,240/3,728 · 410/s · 6 s left`; how fast it goes, once that can be told.
fn run((done, of): (usize, usize), elapsed: Duration) -> String {
    let mut said = format!("rules {}/{}", text::count(done as u64), text::count(of as u64));
    if done > 0 && elapsed >= TELLING {
        let per_second = done as f64 / elapsed.as_secs_f64();
        let left = (of - done.min(of)) as f64 / per_second;
        let rate =
            if per_second < 10.0 { format!("{per_second:.1}") } else { text::count(per_second as u64) };
        said.push_str(&format!(" · {rate}/s · {} left", time_left(left)));
    }
    said
}

/// `reading events: 45 % of 1,204 MiB`.
fn reading((done, of): (u64, u64)) -> String {
    let percent = u128::from(done) * 100 / u128::from(of.max(1));
    format!("reading events: {percent} % of {} MiB", text::count(of.div_ceil(1 << 20)))
}

/// Whole seconds, or minutes; never none as long as there is something left.
fn time_left(seconds: f64) -> String {
    let seconds = seconds.ceil().max(1.0) as u64;
    if seconds < 100 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

/// One of [`SPINNER`], by how long things have been under way.
fn spinner(elapsed: Duration) -> &'static str {
    let step = elapsed.as_millis() / SPIN.as_millis();
    SPINNER.get((step % SPINNER.len() as u128) as usize).copied().unwrap_or("…")
}

/// A hint and its rank.
type Told = (usize, PaneLine);

fn hints(model: &Model) -> Vec<Told> {
    let theme = &model.theme;
    let told = |hint: Hint| {
        let pieces = vec![
            piece(theme, Role::Key, &hint.key.to_string()),
            piece(theme, Role::TextDim, &format!(" {} ", hint.word)),
            piece(theme, Role::Text, " "),
        ];
        (hint.rank, pieces)
    };
    command::hints(model).into_iter().map(told).collect()
}

/// As many hints as there is room for, those that matter least left out first.
fn shortened(mut hints: Vec<Told>, room: usize) -> Option<PaneLine> {
    while hints.iter().map(|(_, hint)| paint::width(hint)).sum::<usize>() > room {
        let least = hints.iter().map(|(rank, _)| *rank).max()?;
        hints.retain(|(rank, _)| *rank < least);
    }
    (!hints.is_empty()).then(|| hints.into_iter().flat_map(|(_, hint)| hint).collect())
}
