//! Windows of a correlation: opened, their events looked at one by one, written to a file.

use std::sync::Arc;

use super::fixtures::{Compiled, Screen};
use super::{drawn, press};
use crate::backend;
use crate::bridge::Settings;
use crate::evaluate::WindowEvent;
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma::{self, Capability};
use crate::tui::action::Copied;
use crate::tui::model::{Overlay, Pane};
use crate::tui::update::{Effect, update};
use crate::tui::worker::WindowEvents;

const SIZE: (u16, u16) = (140, 40);

/// What the workers of the fixtures say of any window.
pub(super) fn window_events(_: &str) -> WindowEvents {
    let event = |at: usize| WindowEvent {
        event_id: format!("018f{at:04x}-7c1e-7d3b-a6f0-9f0b5c0d1e2f"),
        time: Some(1_591_757_454_000 + at as i64 * 4_120),
        host: (at != 1).then(|| format!("workstation{at}")),
        rules: vec![at % 2],
    };
    let rules = vec!["Refused logon".to_owned(), "Accepted\u{1b}[2J logon".to_owned()];
    WindowEvents { events: (0..3).map(event).collect(), of: 3, rules }
}

/// A correlation and the rules that it looks at, the correlation first; the fixtures' first rule has its matches.
fn correlation() -> Vec<Compiled> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let files = ["correlation/repeated_refused_logons.yml", "windows/logon"].map(|file| folder.join(file));
    let mut rules = sigma::load(&files);
    for rule in &mut rules {
        if rule.path.ends_with("repeated_refused_logons.yml") && rule.document == 0 {
            rule.path = Arc::from(std::path::Path::new("rules/a_certutil.yml"));
        }
    }
    let rules: Vec<_> = rules.into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true };
    let compiled = backend::compile(&rules, &pack, &settings);
    rules.into_iter().zip(compiled).map(|(rule, made)| (rule, Some(Arc::new(made)))).collect()
}

fn text(screen: &Screen) -> String {
    let buffer = drawn(&screen.model);
    let width = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(width);
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n")
        .collect()
}

/// The correlation is the last of the list.
fn on_correlation() -> Screen {
    let mut screen = Screen::with(SIZE, correlation(), true);
    press(&mut screen, "G");
    screen
}

fn opened() -> Screen {
    let mut screen = on_correlation();
    let is_correlation = screen.model.entry().is_some_and(|entry| {
        entry.compiled.as_ref().is_some_and(|compiled| compiled.compilation.correlation.is_some())
    });
    assert!(is_correlation, "{:?}", screen.model.selected);
    press(&mut screen, "5j<enter>");
    screen
}

#[test]
fn a_window_opens_its_events_and_each_of_them_whole_with_a_way_back() {
    let mut screen = opened();
    let shown = text(&screen);
    assert!(
        shown.contains("Window") && shown.contains("workstation0") && shown.contains("Refused logon"),
        "{shown}"
    );
    assert!(shown.contains("Accepted␛[2J logon"), "{shown}");
    press(&mut screen, "jj");
    let Some(Overlay::Window(open)) = &screen.model.overlay else { panic!("{shown}") };
    let third = open.selected().unwrap().event_id.clone();
    press(&mut screen, "<enter>");
    let Some(Overlay::Event(event)) = &screen.model.overlay else { panic!("{}", text(&screen)) };
    assert_eq!((event.event_id.as_str(), event.event().is_some()), (third.as_str(), true));
    press(&mut screen, "<esc>");
    let Some(Overlay::Window(open)) = &screen.model.overlay else { panic!("{}", text(&screen)) };
    assert_eq!((open.cursor, open.events().is_some()), (2, true), "where it was left");
    press(&mut screen, "<esc>");
    assert!(screen.model.overlay.is_none() && screen.model.focus == Pane::Matches);
}

#[test]
fn what_is_copied_is_the_event_under_the_cursor_and_not_the_window() {
    let mut screen = opened();
    press(&mut screen, "j");
    let copied = |screen: &mut Screen| {
        let effects = update(&mut screen.model, crate::tui::action::Action::Copy(Copied::EventId));
        match effects.as_slice() {
            [Effect::Copy { text, .. }] => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert!(copied(&mut screen).starts_with("018f0001"));
    press(&mut screen, "<enter>");
    assert!(copied(&mut screen).starts_with("018f0001"));
}

#[test]
fn an_answer_to_a_window_that_was_left_is_dropped() {
    let mut screen = on_correlation();
    press(&mut screen, "5");
    let effects = update(&mut screen.model, crate::tui::action::Action::OpenEvent);
    press(&mut screen, "<esc>");
    press(&mut screen, "j<enter>");
    let Some(Overlay::Window(open)) = &mut screen.model.overlay else { panic!() };
    open.cursor = 2;
    let late: Vec<_> = effects.into_iter().flat_map(|effect| screen.answer(effect)).collect();
    for report in late {
        screen.act(crate::tui::action::Action::Worker(report));
    }
    assert!(matches!(&screen.model.overlay, Some(Overlay::Window(open)) if open.cursor == 2));
}

#[test]
fn windows_are_written_to_a_file() {
    let mut screen = on_correlation();
    Arc::make_mut(screen.model.matches.table.as_mut().unwrap()).in_scope = None;
    press(&mut screen, "5x");
    let shown = text(&screen);
    assert!(shown.contains("windows to a file") && shown.contains("ids of its events"), "{shown}");
    let effects = update(&mut screen.model, crate::tui::action::Action::Export);
    assert!(matches!(effects.as_slice(), [Effect::Rows { .. }]), "{effects:?}");
}
