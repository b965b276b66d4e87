//! What is shown where nothing is open, or where something of it is wrong.

use std::path::PathBuf;

use super::fixtures::{self, PARSE, Screen};
use super::{drawn, press};
use crate::bridge::Diagnostic;
use crate::pack::PackSource;
use crate::sigma::Span;
use crate::tui::action::{Action, Changed};
use crate::tui::model::{DatasetChange, Outcome, Overlay, Pane};
use crate::tui::update::{Effect, update};
use crate::tui::worker::{PackReport, Report};
use crate::tui::workspace::Workspace;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (250, 70)];

fn recent() -> Vec<Workspace> {
    let own = Workspace {
        rules: vec![PathBuf::from("/home/mila/detections/rules/windows")],
        dataset: Some(PathBuf::from("/data/runs/7/normalized")),
        pack: Some(PackSource::Folder(PathBuf::from("/home/mila/detections/pack"))),
    };
    let shipped = Workspace {
        rules: vec![PathBuf::from("rules"), PathBuf::from("more\u{1b}[2J")],
        dataset: None,
        pack: Some(PackSource::Embedded("ocsf-1.7.0".to_owned())),
    };
    vec![own, shipped]
}

fn text(screen: &Screen) -> String {
    let buffer = drawn(&screen.model);
    let width = usize::from(buffer.area.width.max(1));
    let rows = buffer.content.chunks(width);
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n")
        .collect()
}

/// One snapshot for each size of what `make` makes.
fn assert_looks(name: &str, make: impl Fn((u16, u16)) -> Screen) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text(&make(size)));
    }
}

fn finding(path: &str, message: &str, help: &str) -> Diagnostic {
    let (path, help) = (PathBuf::from(path), Some(help.to_owned()));
    Diagnostic { code: &PARSE, message: message.to_owned(), path, span: Span::START, help }
}

#[test]
fn nothing_is_open() {
    assert_looks("welcome", |size| Screen::empty(size, Vec::new()));
    assert_looks("welcome_recent", |size| {
        let mut screen = Screen::empty(size, recent());
        press(&mut screen, "j");
        screen
    });
}

#[test]
fn what_is_under_the_cursor_is_opened() {
    let mut screen = Screen::empty((80, 24), recent());
    assert!(matches!(update(&mut screen.model, Action::OpenChoice)[..], [Effect::OpenDemo]));
    press(&mut screen, "jj");
    let effects = update(&mut screen.model, Action::OpenChoice);
    assert!(matches!(&effects[..], [Effect::OpenWorkspace(opened)] if *opened == recent()[1]), "{effects:?}");
    // A click on a line puts the cursor there.
    let row = text(&screen).lines().position(|line| line.contains("The demo")).unwrap();
    screen.act(Action::Click(30, row as u16));
    assert!(matches!(&screen.model.overlay, Some(Overlay::Welcome(open)) if open.cursor == 0));
}

#[test]
fn the_welcome_stays_until_something_is_open_and_can_be_called_back() {
    let mut screen = Screen::empty((80, 24), Vec::new());
    press(&mut screen, "<esc>");
    assert!(matches!(screen.model.overlay, Some(Overlay::Welcome(_))));
    press(&mut screen, ":");
    assert!(matches!(screen.model.overlay, Some(Overlay::Palette(_))));
    press(&mut screen, "<esc>");
    assert!(matches!(screen.model.overlay, Some(Overlay::Welcome(_))));

    let mut screen = Screen::new((80, 24));
    press(&mut screen, ":welcome<enter>");
    assert!(matches!(screen.model.overlay, Some(Overlay::Welcome(_))));
    press(&mut screen, "<esc>");
    assert!(screen.model.overlay.is_none());
}

#[test]
fn events_that_do_not_open() {
    let missing = "no events at 'runs/1/normalized': found 2 files, such as 'a.csv'; expected a folder with Parquet files, or \
                   'ocsf_events.jsonl'";
    let broken = |size, rules| {
        let mut screen = Screen::with(size, rules, true);
        let generation = screen.model.generations.dataset;
        screen.model.dataset.info = None;
        screen.act(Action::Focus(Pane::Matches));
        screen.act(Action::Worker(Report::Dataset {
            generation,
            opened: Err(missing.to_owned()),
            change: DatasetChange::Other,
            unfinished: Vec::new(),
        }));
        screen
    };
    assert_looks("no_events", |size| broken(size, fixtures::rules()));
    // It is said also where there is no rule.
    assert!(text(&broken((120, 36), Vec::new())).contains("✗ no events at"));
    // And no longer once they open.
    let mut screen = broken((120, 36), fixtures::rules());
    screen.act(Action::FilesChanged(Changed { dataset: true, ..Changed::default() }));
    assert!(!text(&screen).contains("no events at"));
}

#[test]
fn a_pack_that_does_not_load() {
    let broken = |size| {
        let mut screen = Screen::new(size);
        let generation = screen.model.generations.compile;
        let rules = fixtures::rules().into_iter().map(|(rule, _)| (rule, None)).collect();
        let errors = vec![finding(
            "own/pack.yaml",
            "`extends` names `windows-bse`, which is no pack",
            "name windows-base",
        )];
        let pack = PackReport { errors, ..PackReport::default() };
        screen.act(Action::Worker(Report::Compiled {
            generation,
            rules,
            pack,
            gone: Vec::new(),
            refused: None,
        }));
        screen.act(Action::Focus(Pane::Route));
        screen
    };
    assert_looks("no_pack", broken);
    let mut screen = broken((120, 36));
    screen.act(Action::FilesChanged(Changed { pack: true, ..Changed::default() }));
    assert!(!text(&screen).contains("own/pack.yaml"));
}

#[test]
fn a_tiny_terminal_says_so() {
    let shown = |size| text(&Screen::new(size));
    assert_eq!(shown((20, 5)).lines().next(), Some("too small: needs"));
    assert_eq!(shown((9, 1)).trim(), "small");
    assert_eq!(shown((1, 1)).trim(), "…");
    assert!(shown((24, 6)).contains("1 Rules"));
}

#[test]
fn without_events_rules_say_so_and_wait_for_nothing() {
    let mut screen = Screen::with((80, 24), fixtures::rules(), true);
    let generation = screen.model.generations.dataset;
    screen.model.dataset.info = None;
    for entry in &mut screen.model.rules {
        entry.outcome = Outcome::NotRun;
    }
    let none = || Report::Dataset {
        generation,
        opened: Err("no events at 'runs': found no file at all".to_owned()),
        change: DatasetChange::Other,
        unfinished: Vec::new(),
    };
    screen.act(Action::Worker(none()));
    let shown = text(&screen);
    assert!(shown.contains("✗ no events; 5 says what to do"), "{shown}");
    assert!(shown.contains("∅ Download through certutil") && !shown.contains("… Download"), "{shown}");
    // What is compiled anew says it too.
    screen.act(Action::FilesChanged(Changed { rescan: true, ..Changed::default() }));
    assert!(text(&screen).contains("∅ Download through certutil"));
    press(&mut screen, "/\"no events\"<enter>");
    assert_eq!(screen.model.visible.len(), 4);
    press(&mut screen, "<esc>5");
    let shown = text(&screen);
    assert!(shown.contains("found no file at all") && shown.contains("Events are a run folder"), "{shown}");
    // As soon as there are some, it is run.
    screen.act(Action::FilesChanged(Changed { dataset: true, ..Changed::default() }));
    press(&mut screen, "1");
    let shown = text(&screen);
    assert!(shown.contains("● Download through certutil") && !shown.contains("no events"), "{shown}");
}
