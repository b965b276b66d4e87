//! Text of all scripts, in rules, values and names: drawn right or cut at cell borders, in every pane.

use std::sync::Arc;

use ratatui::buffer::Buffer;

use super::fixtures::{PARSE, Screen, diagnostic, event, executable, refused, rule, table};
use super::{drawn, press};
use crate::sigma::Body;
use crate::tui::action::{Action, Motion};
use crate::tui::model::Pane;
use crate::tui::text;
use crate::tui::view::Layout;
use crate::tui::worker::Report;

/// Wide, combining, right to left, joined emoji, flags, tabs, control characters, and what turns text around.
const SAMPLES: [&str; 9] = [
    "漢字かな交じり文ＡＢＣ",
    "e\u{301}a\u{328}\u{301}o\u{308}\u{304}",
    "\u{301}begins with a mark",
    "שלום עולם مرحبا می\u{200c}خواهم",
    "👩\u{200d}💻👨\u{200d}👩\u{200d}👧 🇫🇷 👍🏽 ❤\u{fe0f}",
    "a\tb\t\tc",
    "\u{1b}[31m\u{7}\u{9b}2J\u{7f}\r",
    "access \u{202e}\u{2066}// only admins\u{2069} \u{200b}\u{feff}",
    "ｗｉｄｅ ﷽ \u{1f469}\u{200d}",
];

/// A rule that says `sample` in its title, its text and its name, over and over, in a line longer than any screen.
fn screen(sample: &str, size: (u16, u16)) -> Screen {
    let quoted = format!("title: {sample}\nx: '{}'\ny: {sample}\n", sample.repeat(60));
    let first = rule(&format!("rules/{sample}.yml"), &quoted, None, event());
    let second = rule(&format!("rules/{sample} b.yml"), &quoted, None, Body::Unreadable);
    let finding = diagnostic(&second, &PARSE, "x:", &format!("about {}", sample.repeat(12)), sample);
    let rules = vec![
        (Arc::clone(&first), Some(executable(&first, true))),
        (Arc::clone(&second), Some(refused(&second, vec![finding]))),
    ];
    let mut screen = Screen::with(size, rules, true);
    let mut found = table(3, 3);
    for row in &mut found.rows {
        row.event_id = sample.to_owned();
        row.host = Some(sample.repeat(12));
        row.values = vec![Some(sample.repeat(60)), Some(sample.to_owned())];
    }
    press(&mut screen, "gg");
    let generation = screen.model.generations.matches;
    let key = screen.model.selected.clone().unwrap();
    screen.act(Action::Worker(Report::Matches { generation, rule: key, table: Ok(found) }));
    screen
}

fn row(buffer: &Buffer, y: u16) -> String {
    (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect()
}

/// The borders of the grid stand where they stood: nothing has been drawn over one, or half over one.
fn assert_borders(screen: &Screen, what: &str) {
    let buffer = drawn(&screen.model);
    let layout = Layout::of(&screen.model);
    for pane in [Pane::Source, Pane::Route] {
        let area = layout.pane(pane).unwrap();
        for y in area.y..area.bottom() {
            let symbol = buffer[(area.x - 1, y)].symbol();
            assert_eq!(symbol, "│", "{what}: {pane:?}, row {y}: {}", row(&buffer, y));
            let before = text::width(buffer[(area.x - 2, y)].symbol());
            assert!(before <= 1, "{what}: {pane:?}, row {y}: a wide character hangs over the border");
        }
    }
    for pair in buffer.content.windows(2).filter(|pair| text::width(pair[0].symbol()) > 1) {
        assert_eq!(pair[1].symbol(), " ", "{what}: drawn into the other half of {:?}", pair[0].symbol());
    }
    for cell in &buffer.content {
        assert!(text::width(cell.symbol()) <= 2, "{what}: {:?}", cell.symbol());
        let unsafe_ = |c: char| {
            c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
        };
        assert!(!cell.symbol().chars().any(unsafe_), "{what}: {:?}", cell.symbol());
    }
}

#[test]
fn borders_stay_whatever_is_drawn_beside_them() {
    for sample in SAMPLES {
        let mut screen = screen(sample, (120, 36));
        for keys in ["", "j"] {
            press(&mut screen, keys);
            for pane in Pane::ALL {
                screen.act(Action::Focus(pane));
                for column in 0..3 {
                    assert_borders(&screen, &format!("{sample:?} {pane:?} {column}"));
                    screen.act(Action::Pan(1));
                }
                screen.act(Action::PanHome);
            }
            screen.act(Action::Focus(Pane::Rules));
        }
    }
}

/// The text of one pane, which is shown alone.
fn alone(screen: &mut Screen, pane: Pane) -> String {
    screen.act(Action::Focus(pane));
    screen.act(Action::Resize(80, 24));
    let buffer = drawn(&screen.model);
    (0..24).map(|y| row(&buffer, y) + "\n").collect()
}

#[test]
fn what_turns_text_around_is_seen_in_every_pane_that_shows_it() {
    let mut screen = screen(SAMPLES[7], (120, 36));
    for pane in [Pane::Rules, Pane::Source, Pane::Matches] {
        let shown = alone(&mut screen, pane);
        assert!(shown.contains("<U+202E><U+2066>"), "{pane:?}:\n{shown}");
    }
    screen.act(Action::Focus(Pane::Rules));
    screen.act(Action::Move(Motion::Last));
    for pane in [Pane::Route, Pane::Sql] {
        let shown = alone(&mut screen, pane);
        assert!(shown.contains("<U+202E><U+2066>"), "{pane:?}:\n{shown}");
    }
}

#[test]
fn what_goes_on_beyond_the_border_ends_in_a_mark() {
    for sample in SAMPLES {
        let mut screen = screen(sample, (120, 36));
        screen.act(Action::Focus(Pane::Source));
        screen.act(Action::Resize(80, 24));
        let line = |screen: &Screen| {
            let buffer = drawn(&screen.model);
            (2..23).map(|y| row(&buffer, y)).find(|row| row.starts_with("  2 ")).unwrap()
        };
        assert!(line(&screen).trim_end().ends_with('…'), "{sample:?}: {}", line(&screen));
        let heading = alone(&mut screen, Pane::Matches);
        assert!(heading.contains('…'), "{sample:?}: {heading}");
    }
}

#[test]
fn a_line_of_a_megabyte_ends_where_it_is_no_longer_looked_at() {
    let long = format!("title: long\nx: {}\n", "y".repeat(1 << 20));
    let one = rule("rules/a.yml", &long, None, event());
    let mut screen = Screen::with((80, 24), vec![(Arc::clone(&one), Some(executable(&one, false)))], true);
    press(&mut screen, "2");
    screen.act(Action::Pan(isize::MAX));
    let buffer = drawn(&screen.model);
    let shown: String = (0..24).map(|y| row(&buffer, y)).collect();
    assert!(shown.contains("yy…"), "{shown}");
}
