//! Whatever happens, in whatever order and on whatever size: it is drawn, and nothing unsafe with it.

use std::sync::Arc;

use proptest::prelude::*;

use super::fixtures::{self, PARSE, Screen, diagnostic, event, executable, refused, rule, table};
use super::list;
use super::{drawn, press};
use crate::sigma::Body;
use crate::tui::action::{Action, Motion};
use crate::tui::model::list::Row;
use crate::tui::model::{Arrangement, DatasetChange, Model, Pane, Stroke};
use crate::tui::view::Layout;
use crate::tui::worker::Report;

fn motion() -> impl Strategy<Value = Motion> {
    prop_oneof![
        (-5..5isize).prop_map(Motion::Lines),
        (-2..2isize).prop_map(Motion::HalfPages),
        (-2..2isize).prop_map(Motion::Pages),
        Just(Motion::First),
        Just(Motion::Last),
    ]
}

/// Actions, as data that can be printed and made anew.
#[derive(Clone, Debug)]
enum Step {
    Size(u16, u16),
    Pane(usize),
    Go(Motion),
    Pan(isize),
    Type(String),
    Press(u8),
    Click(u16, u16),
    Wheel(u16, u16, isize),
    Twice(u16, u16),
    Drag(u16, u16),
    Border(u8, u16),
    Rules(u8),
    Dataset(bool),
    Key(char),
    Counted(usize, u64),
    Baseline,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..260u16, 0..80u16).prop_map(|(w, h)| Step::Size(w, h)),
        (0..12u16, 0..6u16).prop_map(|(w, h)| Step::Size(w, h)),
        (0..5usize).prop_map(Step::Pane),
        motion().prop_map(Step::Go),
        (-300..300isize).prop_map(Step::Pan),
        "\\PC{0,6}".prop_map(Step::Type),
        (0..25u8).prop_map(Step::Press),
        (0..260u16, 0..80u16).prop_map(|(x, y)| Step::Twice(x, y)),
        (0..260u16, 0..80u16).prop_map(|(x, y)| Step::Drag(x, y)),
        (0..4u8, 0..260u16).prop_map(|(at, to)| Step::Border(at, to)),
        (0..260u16, 0..80u16).prop_map(|(x, y)| Step::Click(x, y)),
        (0..260u16, 0..80u16, -9..9isize).prop_map(|(x, y, by)| Step::Wheel(x, y, by)),
        any::<u8>().prop_map(Step::Rules),
        any::<bool>().prop_map(Step::Dataset),
        prop::sample::select("tToOF hlCefmxg:/\r\u{1b}".chars().collect::<Vec<_>>()).prop_map(Step::Key),
        (0..8usize, 0..3u64).prop_map(|(at, matches)| Step::Counted(at, matches)),
        Just(Step::Baseline),
    ]
}

fn perform(screen: &mut Screen, step: Step) {
    let action = match step {
        Step::Size(columns, rows) => Action::Resize(columns, rows),
        Step::Pane(at) => Action::Focus(Pane::ALL[at]),
        Step::Go(motion) => Action::Move(motion),
        Step::Pan(columns) => Action::Pan(columns),
        Step::Type(text) => Action::Type(text),
        Step::Press(0) => Action::ToggleHelp,
        Step::Press(1) => Action::ToggleZoom,
        Step::Press(2) => Action::EditFilter,
        Step::Press(3) => Action::Stroke(Stroke::EraseLeft),
        Step::Press(4) => Action::AcceptFilter,
        Step::Press(5) => Action::MentionWork,
        Step::Press(6) => Action::OpenEvent,
        Step::Press(7) => Action::AskExport,
        Step::Press(8) => Action::SortNext,
        Step::Press(9) => Action::ShowWhy,
        Step::Press(10) => Action::ToggleWhySource,
        Step::Press(11) => Action::GoToWhy,
        Step::Press(12) => Action::EditInPlace,
        Step::Press(13) => Action::EditNext(true),
        Step::Press(14) => Action::TryEdit,
        Step::Press(15) => Action::SaveEdit,
        Step::Press(16) => Action::NewRule,
        Step::Press(17) => Action::Undo,
        Step::Press(18) => Action::Stroke(Stroke::WordLeft),
        Step::Press(19) => Action::NextArrangement,
        Step::Press(20) => Action::Arrange(Arrangement::Wide),
        Step::Press(21) => Action::Widen(-9),
        Step::Press(22) => Action::Heighten(7),
        Step::Press(_) => Action::Clear,
        Step::Click(column, row) => Action::Click(column, row),
        Step::Wheel(column, row, lines) => Action::Wheel(column, row, lines),
        Step::Twice(column, row) => Action::DoubleClick(column, row),
        Step::Drag(column, row) => Action::Drag(column, row),
        Step::Border(at, to) => {
            let border = Layout::of(&screen.model).borders().nth(usize::from(at));
            let Some((_, area)) = border else { return };
            screen.act(Action::Click(area.x, area.y));
            screen.act(Action::Drag(to, to));
            Action::Release
        }
        Step::Rules(bits) => {
            let all = list::foldered().into_iter().enumerate();
            return screen.rewrite(all.filter(|(at, _)| bits >> at & 1 == 1).map(|(_, rule)| rule).collect());
        }
        Step::Key('\r') => return press(screen, "<enter>"),
        Step::Key('\u{1b}') => return press(screen, "<esc>"),
        Step::Key(key) => return press(screen, &key.to_string()),
        Step::Counted(at, matches) => {
            let Some(rule) = screen.model.rules.get(at).map(|entry| entry.key.clone()) else { return };
            let generation = screen.model.generations.summaries;
            Action::Worker(Report::Summary { generation, rule, summary: Ok(fixtures::summary(matches)) })
        }
        Step::Baseline => Action::SetBaseline,
        Step::Dataset(opens) => {
            let generation = screen.model.generations.dataset;
            let opened = screen.model.dataset.info.clone().filter(|_| opens).ok_or("gone".to_owned());
            let change = DatasetChange::Other;
            Action::Worker(Report::Dataset { generation, opened, change, unfinished: Vec::new() })
        }
    };
    screen.act(action);
}

/// What a terminal would act on, or mirror.
pub(super) fn is_safe(model: &Model) -> bool {
    drawn(model).content.iter().all(|cell| {
        cell.symbol()
            .chars()
            .all(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    })
}

/// The list shows rules that there are, and the cursor stands on the selected one, or on a group.
pub(super) fn is_consistent(model: &Model) -> bool {
    let Model { list, rules, .. } = model;
    let there = list.rows.iter().all(|row| match row {
        Row::Rule { index, .. } => *index < rules.len() && model.visible.contains(index),
        Row::Group(group) => group.rules > 0,
    });
    let on_cursor = match list.rows.get(model.position) {
        Some(Row::Rule { index, .. }) => model.selected.as_ref() == rules.get(*index).map(|entry| &entry.key),
        Some(Row::Group(group)) => list.on_group.as_ref() == Some(&group.key),
        None => list.rows.is_empty(),
    };
    let selected = rules.is_empty() || model.entry().is_some() || model.visible.is_empty();
    there && on_cursor && selected
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_unsafe_is_drawn(steps in prop::collection::vec(step(), 0..24)) {
        let mut screen = Screen::new((120, 36));
        for step in steps {
            perform(&mut screen, step);
            prop_assert!(is_safe(&screen.model));
            prop_assert!(is_consistent(&screen.model));
        }
    }
}

#[test]
fn every_small_size_is_drawn() {
    let mut screen = Screen::new((120, 36));
    for pane in Pane::ALL {
        screen.act(Action::Focus(pane));
        for (columns, rows) in (0..40).flat_map(|c| (0..12).map(move |r| (c * 3, r * 3))) {
            screen.act(Action::Resize(columns, rows));
            assert!(is_safe(&screen.model));
        }
    }
}

#[test]
fn hostile_text_is_drawn_safely_everywhere() {
    let hostile = "\u{1b}[31m\u{202e}\u{2066}e\u{301}\u{200f}\t漢\u{7f}\u{9b}2J\r";
    let long = format!("title: {hostile}{}\nx: {}\n", "y".repeat(1 << 20), "\t".repeat(5_000));
    let first = rule("rules/a.yml", &long, None, event());
    let second = rule(&format!("rules/{hostile}.yml"), &long, None, Body::Unreadable);
    let finding = diagnostic(&second, &PARSE, "x:", &format!("{hostile} {}", "z".repeat(100_000)), hostile);
    let rules = vec![
        (Arc::clone(&first), Some(executable(&first, true))),
        (Arc::clone(&second), Some(refused(&second, vec![finding]))),
    ];
    let mut screen = Screen::with((120, 36), rules, true);
    let generation = screen.model.generations.matches;
    let mut found = table(1, 1);
    found.rows[0].event_id = hostile.to_owned();
    found.rows[0].host = Some("h".repeat(1 << 20));
    found.rows[0].values = vec![Some(hostile.repeat(1_000)), Some("\n\n\n".to_owned())];
    let key = screen.model.selected.clone().unwrap();
    screen.act(Action::Worker(Report::Matches { generation, rule: key, table: Ok(found) }));
    screen.act(Action::Worker(Report::Notice(hostile.to_owned())));
    for pane in Pane::ALL {
        screen.act(Action::Focus(pane));
        screen.act(Action::Pan(64));
        screen.act(Action::Move(Motion::Last));
        assert!(is_safe(&screen.model), "{pane:?}");
    }
}
