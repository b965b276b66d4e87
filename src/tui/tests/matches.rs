//! The matches pane: paging, sorting, the event, copying, exporting, the editor.

use std::path::PathBuf;

use super::fixtures::Screen;
use super::keys::text;
use super::{drawn, press};
use crate::evaluate::{Order, SortKey};
use crate::tui::action::Action;
use crate::tui::command;
use crate::tui::model::{EventView, Overlay, Shown};
use crate::tui::update::{EditorPlace, Effect, update};

const SIZE: (u16, u16) = (120, 36);

/// What the last of some keys asks of the outside.
fn effects_of(screen: &mut Screen, keys: &str, last: char) -> Vec<Effect> {
    press(screen, keys);
    let code = crossterm::event::KeyCode::Char(last);
    let event = crossterm::event::KeyEvent::new(code, crossterm::event::KeyModifiers::NONE);
    let action = command::action_for(&screen.model, event);
    action.map(|action| update(&mut screen.model, action)).unwrap_or_default()
}

fn copied(keys: &str, last: char) -> (&'static str, String) {
    let mut screen = Screen::new(SIZE);
    match &effects_of(&mut screen, keys, last)[..] {
        [Effect::Copy { what, text }] => (what, text.clone()),
        other => panic!("{other:?}"),
    }
}

fn event(screen: &Screen) -> &EventView {
    match &screen.model.overlay {
        Some(Overlay::Event(open)) => open,
        other => panic!("{other:?}"),
    }
}

/// The path of the line under the cursor.
fn here(screen: &Screen) -> String {
    let open = event(screen);
    open.nodes()[open.cursor].path.clone()
}

#[test]
fn every_row_can_be_reached_and_few_are_there_at_once() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5G");
    assert_eq!(screen.model.matches.cursor, 1_211);
    let row = screen.model.matched_row().unwrap();
    assert!(row.event_id.starts_with("018f04bb"), "{}", row.event_id);
    assert!(screen.model.table().unwrap().rows.len() <= 500);
    press(&mut screen, "g<pgdn><pgdn><pgdn><pgdn>");
    let at = screen.model.matches.cursor;
    let row = screen.model.matched_row().unwrap();
    assert!(at > 40 && row.event_id.starts_with(&format!("018f{at:04x}")), "{at} {}", row.event_id);
    assert!(!screen.model.work.is_under_way());
}

#[test]
fn sorting_goes_through_the_columns_and_starts_at_the_top() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5zGss");
    assert_eq!(screen.model.matches.order, Order { key: SortKey::Column(0), descending: false });
    assert_eq!(screen.model.matches.cursor, 0);
    assert!(text(&screen).contains("↑ process.file.path"));
    press(&mut screen, "S");
    assert!(text(&screen).contains("↓ process.file.path"));
    // Another rule starts by time.
    press(&mut screen, "z1jj");
    assert_eq!(screen.model.matches.order, Order::default());
}

#[test]
fn the_event_opens_at_what_matches_and_folds() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5<enter>");
    assert_eq!(here(&screen), "metadata.labels[1]");
    press(&mut screen, "hh");
    assert_eq!(here(&screen), "metadata.labels");
    assert!(matches!(event(&screen).nodes()[event(&screen).cursor].shown, Shown::Branch(_, true)));
    press(&mut screen, "hh");
    assert_eq!(here(&screen), "metadata");
    let all = event(&screen).all_nodes().len();
    press(&mut screen, "-");
    assert_eq!(event(&screen).nodes().len(), 6);
    press(&mut screen, "+");
    assert_eq!(event(&screen).nodes().len(), all);
    press(&mut screen, "<esc>");
    assert!(screen.model.overlay.is_none());
}

#[test]
fn searching_an_event_unfolds_what_it_finds() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5<enter>-/System32<enter>");
    assert_eq!(here(&screen), "process.file.path");
    press(&mut screen, "/PID<enter>");
    assert_eq!(here(&screen), "process.pid");
    press(&mut screen, "/q<esc>");
    assert!(matches!(screen.model.overlay, Some(Overlay::Event(_))));
}

#[test]
fn what_satisfies_the_rule_stands_out_in_words_and_in_place() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5<enter>");
    let buffer = drawn(&screen.model);
    let shown = text(&screen);
    let row = shown.lines().position(|line| line.contains("cmd_line")).unwrap();
    let line = shown.lines().nth(row).unwrap();
    assert!(line.contains('▌'), "{line}");
    let column = line.chars().position(|c| c == '-').unwrap();
    let linked = screen.model.theme.style(crate::tui::theme::Role::Linked);
    let cell = |x: usize| buffer.cell((x as u16, row as u16)).unwrap();
    assert_eq!(cell(column + 1).symbol(), "u");
    assert_eq!(cell(column + 1).fg, linked.fg.unwrap());
    assert_ne!(cell(column + 10).fg, linked.fg.unwrap());
}

#[test]
fn copying_asks_what() {
    assert_eq!(copied("5jy", 'i'), ("the event id", "018f0001-7c1e-7d3b-a6f0-9f0b5c0d1e2f".to_owned()));
    let (_, row) = copied("5y", 'r');
    assert!(row.starts_with("2020-06-10T02:50:54.000Z\tworkstation0\tC:\\Windows"), "{row}");
    assert!(copied("y", 's').1.starts_with("SELECT"));
    assert_eq!(copied("5<enter>y", 'v'), ("the value", "two".to_owned()));
    let (_, event) = copied("5<enter>y", 'e');
    assert_eq!(serde_json::from_str::<serde_json::Value>(&event).unwrap()["process"]["pid"], 4711);
}

#[test]
fn copying_an_event_that_is_not_open_looks_for_it_first() {
    let mut screen = Screen::new(SIZE);
    let asked = effects_of(&mut screen, "5y", 'e');
    assert!(matches!(asked[..], [Effect::Rows { .. }]), "{asked:?}");
    assert!(screen.model.copies_event && screen.model.overlay.is_none());
}

#[test]
fn a_key_that_copies_nothing_changes_nothing() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5y<esc>");
    assert!(!screen.model.copying);
    press(&mut screen, "yj<esc>j");
    assert_eq!(screen.model.matches.cursor, 1);
}

#[test]
fn exporting_asks_for_a_name_and_says_what_was_written() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5x");
    assert!(
        text(&screen).contains("Write 1,212 matches to a file") && text(&screen).contains("a_certutil.csv")
    );
    press(&mut screen, "<tab>");
    assert!(text(&screen).contains("a_certutil.jsonl"));
    press(&mut screen, "<enter>");
    assert!(screen.model.overlay.is_none());
    assert_eq!(screen.model.notices.last().unwrap(), "wrote 1,212 matches to a_certutil.jsonl");
}

#[test]
fn a_name_that_is_taken_or_of_no_format_can_be_mended() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5x");
    screen.act(Action::Type("x".to_owned()));
    press(&mut screen, "<enter>");
    assert!(text(&screen).contains("let the name end in .csv, .jsonl or .parquet"));
    for _ in 0.."a_certutil.csvx".len() {
        press(&mut screen, "<backspace>");
    }
    press(&mut screen, "taken.csv<enter>");
    assert!(text(&screen).contains("'taken.csv' exists"));
    assert!(
        matches!(&screen.model.overlay, Some(Overlay::Export(prompt)) if prompt.name.text() == "taken.csv")
    );
}

#[test]
fn the_editor_opens_at_the_cursor_and_the_pack_only_where_it_is_a_file() {
    let mut screen = Screen::new(SIZE);
    let place = EditorPlace { path: PathBuf::from("rules/a_certutil.yml"), line: 3 };
    let effects = effects_of(&mut screen, "2jj", 'e');
    assert!(matches!(&effects[..], [Effect::OpenEditor(at)] if *at == place), "{effects:?}");
    assert!(effects_of(&mut screen, "", 'E').is_empty());
    assert!(!screen.model.notices.is_empty());
}
