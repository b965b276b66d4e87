//! While the dataset grows and while rules run: what is new, what is under way, and that nothing moves under the user.

use std::path::PathBuf;
use std::time::Duration;

use super::fixtures::{self, Screen};
use super::{drawn, press};
use crate::store::Unfinished;
use crate::tui::action::{Action, Changed, Motion};
use crate::tui::model::list::Order;
use crate::tui::model::{DatasetChange, INPUT_LIMIT, Pane, RuleEntry, RuleKey};
use crate::tui::update::{Effect, update};
use crate::tui::view;
use crate::tui::worker::Report;

const SIZE: (u16, u16) = (160, 40);

fn text(screen: &Screen) -> String {
    let buffer = drawn(&screen.model);
    let width = usize::from(screen.model.size.0);
    let symbols: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
    symbols.chunks(width).map(|row| row.concat() + "\n").collect()
}

fn data_changed() -> Action {
    Action::FilesChanged(Changed { dataset: true, ..Changed::default() })
}

fn under_cursor(screen: &Screen) -> String {
    screen.model.matched_row().unwrap().event_id.clone()
}

#[test]
fn new_matches_are_marked_counted_and_found_until_the_rule_is_left() {
    let mut screen = Screen::new(SIZE);
    assert_eq!(view::terminal_title(&screen.model), "sigma-ocsf-tui");
    screen.grow(2);
    let shown = text(&screen);
    assert!(shown.contains("»2 new  1,214 of 2,180 in scope"), "{shown}");
    assert!(shown.contains("6  »2 new") && shown.contains(" »2 high 1,214"), "{shown}");
    assert_eq!(shown.matches("»02:50").count() + shown.matches("»06").count(), 0);
    assert_eq!(view::terminal_title(&screen.model), "»2 new · sigma-ocsf-tui");
    // The new rows stand above the one that was under the cursor.
    screen.act(Action::Focus(Pane::Matches));
    screen.act(Action::Move(Motion::First));
    let marks = text(&screen).lines().filter(|line| line.contains("│»")).count();
    assert_eq!(marks, 2, "{}", text(&screen));
    press(&mut screen, "1/new<enter>");
    assert_eq!(screen.model.visible, [0]);
    screen.act(Action::SortBy(Order::Arrived));
    press(&mut screen, "<esc>jk");
    assert_eq!(screen.model.entry().map(RuleEntry::arrived), Some(0), "left and looked at again");
    assert!(!text(&screen).contains("»2"), "{}", text(&screen));
    screen.grow(3);
    assert!(text(&screen).contains("»3 new"), "only what has come since");
    screen.act(Action::SeeAll);
    assert!(!text(&screen).contains("»3"), "{}", text(&screen));
}

#[test]
fn the_cursor_stays_on_its_row_where_it_stood() {
    let mut screen = Screen::new(SIZE);
    screen.act(Action::Focus(Pane::Matches));
    screen.act(Action::Move(Motion::Lines(7)));
    let (row, down) = (under_cursor(&screen), screen.model.matches.cursor);
    screen.grow(5);
    assert_eq!((under_cursor(&screen), screen.model.matches.cursor), (row.clone(), down + 5));
    assert_eq!(screen.model.offset(Pane::Matches).row, 5);
    // So many that the row is not among those that come with the table.
    screen.grow(900);
    assert_eq!((under_cursor(&screen), screen.model.matches.cursor), (row, down + 905));
    assert_eq!(screen.model.offset(Pane::Matches).row, 905);
}

#[test]
fn a_rule_that_is_edited_or_another_dataset_brings_no_new_matches() {
    let mut screen = Screen::new(SIZE);
    let rule = screen.model.rules[0].key.clone();
    let generation = screen.model.generations.dataset;
    let opened = screen.model.dataset.info.clone().ok_or(String::new());
    let other = DatasetChange::Other;
    screen.arrived = 4;
    screen.act(Action::Worker(Report::Dataset { generation, opened, change: other, unfinished: Vec::new() }));
    let entry = screen.model.rules.iter().find(|entry| entry.key == rule).unwrap();
    assert_eq!((entry.verdict(), entry.arrived()), (crate::tui::model::Verdict::Matched(1_216), 0));
}

#[test]
fn the_bell_rings_once_for_what_has_come() {
    let mut screen = Screen::new(SIZE);
    let rings = |screen: &mut Screen| {
        let generation = screen.model.generations.summaries;
        let effects = update(&mut screen.model, Action::Worker(Report::SummariesDone { generation }));
        effects.iter().filter(|effect| matches!(effect, Effect::Bell)).count()
    };
    screen.act(Action::ToggleBell);
    screen.grow(1);
    assert_eq!(rings(&mut screen), 0, "it rang when the run ended");
    screen.model.live.told = 0;
    assert_eq!((rings(&mut screen), rings(&mut screen)), (1, 0));
}

/// A screen whose run of all rules has begun and does not end.
fn running() -> Screen {
    let mut screen = Screen::new(SIZE);
    for entry in &mut screen.model.rules {
        entry.outcome.age();
    }
    let generation = screen.model.generations.dataset;
    let opened = screen.model.dataset.info.clone().ok_or(String::new());
    let (change, unfinished) = (DatasetChange::Grown, Vec::new());
    drop(update(
        &mut screen.model,
        Action::Worker(Report::Dataset { generation, opened, change, unfinished }),
    ));
    assert_eq!(screen.model.work.running, Some((0, 4)));
    screen
}

#[test]
fn a_run_says_how_far_it_is_and_how_long_it_takes() {
    let mut screen = running();
    screen.model.work.matching = false;
    screen.model.work.running = Some((1_240, 3_728));
    screen.model.work.run_elapsed = Duration::from_secs(4);
    assert!(!text(&screen).contains("1,240/3,728"), "nothing is said of what is over in a moment");
    screen.act(Action::MentionWork);
    assert!(text(&screen).contains("◐ rules 1,240/3,728 · 310/s · 9 s left"), "{}", text(&screen));
    screen.model.work.elapsed = Duration::from_millis(250);
    assert!(text(&screen).contains("◑ rules 1,240"));
    screen.model.work.running = Some((10, 3_728));
    assert!(text(&screen).contains("2.5/s · 25 min left"), "{}", text(&screen));
}

#[test]
fn a_run_is_stopped_and_stays_so_until_r() {
    let mut screen = running();
    let (generation, rule) = (screen.model.generations.summaries, screen.model.rules[0].key.clone());
    let counted = || Report::Summary { generation, rule: rule.clone(), summary: Ok(fixtures::summary(9)) };
    drop(update(&mut screen.model, Action::Worker(counted())));
    screen.model.work.matching = false;
    screen.act(Action::MentionWork);
    press(&mut screen, "<esc>");
    assert_eq!((screen.model.work.running, screen.model.work.stopped), (None, Some((1, 4))));
    assert!(text(&screen).contains("stopped at 1 of 4; r runs again"), "{}", text(&screen));
    let before = screen.model.rules[0].outcome.clone();
    screen.act(Action::Worker(counted()));
    assert_eq!(screen.model.rules[0].outcome, before, "what comes late is dropped");
    screen.grow(1);
    assert_eq!(screen.model.work.running, None);
    assert!(text(&screen).contains("stopped at 1 of 4"));
    press(&mut screen, "r");
    assert_eq!(screen.model.work.stopped, None);
    assert!(screen.model.rules.iter().all(|entry| !entry.is_executable() || entry.outcome.is_fresh()));
}

#[test]
fn what_arrives_during_a_run_is_taken_in_when_it_ends() {
    let mut screen = running();
    assert!(update(&mut screen.model, data_changed()).is_empty());
    assert!(update(&mut screen.model, data_changed()).is_empty());
    let generation = screen.model.generations.summaries;
    let effects = update(&mut screen.model, Action::Worker(Report::SummariesDone { generation }));
    let opens = |effect: &&Effect| matches!(effect, Effect::OpenDataset { .. });
    assert_eq!(effects.iter().filter(opens).count(), 1);
    let (generation, change) = (screen.model.generations.dataset, DatasetChange::None);
    let opened = screen.model.dataset.info.clone().ok_or(String::new());
    let answer = Report::Dataset { generation, opened, change, unfinished: Vec::new() };
    drop(update(&mut screen.model, Action::Worker(answer)));
    screen.model.work.running = None;
    let effects = update(&mut screen.model, data_changed());
    assert_eq!(effects.iter().filter(opens).count(), 1, "with no run under way there is nothing to wait for");
}

#[test]
fn a_long_run_is_called_off_for_what_arrives_and_goes_on_with_the_rules_that_wait() {
    let mut screen = running();
    let opens = |effects: &[Effect]| matches!(effects, [Effect::OpenDataset { .. }]);
    let generation = screen.model.generations.summaries;
    let counted = |screen: &mut Screen, rule: usize| {
        let rule = screen.model.rules[rule].key.clone();
        let report = Report::Summary { generation, rule, summary: Ok(fixtures::summary(1)) };
        update(&mut screen.model, Action::Worker(report))
    };
    // Of the four rules one is on the screen, and none has been counted since the last part came.
    press(&mut screen, "/zone<enter>");
    screen.model.work.leading = 1;
    screen.model.dataset.opened += 1;
    assert!(update(&mut screen.model, data_changed()).is_empty());
    screen.model.work.run_elapsed = Duration::from_secs(3);
    assert!(counted(&mut screen, 0).is_empty(), "the rules on the screen are counted in any case");
    assert!(opens(&counted(&mut screen, 3)));
    assert!(update(&mut screen.model, data_changed()).is_empty(), "it is being opened");
    let (generation, change) = (screen.model.generations.dataset, DatasetChange::Grown);
    let opened = screen.model.dataset.info.clone().ok_or(String::new());
    let answer = Report::Dataset { generation, opened, change, unfinished: Vec::new() };
    let effects = update(&mut screen.model, Action::Worker(answer));
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Summarize { rules, first, .. } => {
            let name = |rule: &RuleKey| rule.path.to_string_lossy()["rules/".len()..][..1].to_owned();
            Some((rules.iter().map(|(rule, _)| name(rule)).collect::<String>(), *first))
        }
        _ => None,
    });
    assert_eq!(
        asked,
        Some(("defa".to_owned(), 3)),
        "the one on the screen, those that wait, the one that was counted"
    );
    assert!(screen.model.dataset.due, "what came while it was opened is not forgotten");
}

#[test]
fn an_opening_is_not_begun_anew_before_it_has_ended() {
    let mut screen = Screen::new(SIZE);
    let opens = |effects: &[Effect]| matches!(effects, [Effect::OpenDataset { .. }]);
    assert!(opens(&update(&mut screen.model, data_changed())));
    for _ in 0..3 {
        assert!(update(&mut screen.model, data_changed()).is_empty());
    }
    let (generation, change) = (screen.model.generations.dataset, DatasetChange::None);
    let opened = screen.model.dataset.info.clone().ok_or(String::new());
    let answer = Report::Dataset { generation, opened, change, unfinished: Vec::new() };
    let effects = update(&mut screen.model, Action::Worker(answer));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::OpenDataset { .. })), "{effects:?}");
}

#[test]
fn what_changes_while_events_do_not_open_is_looked_at_next() {
    let mut screen = running();
    drop(update(&mut screen.model, Action::Reload));
    assert!(update(&mut screen.model, data_changed()).is_empty(), "the run is not known to be over yet");
    let (generation, change) = (screen.model.generations.dataset, DatasetChange::Other);
    let failed = Report::Dataset { generation, opened: Err(String::new()), change, unfinished: Vec::new() };
    let effects = update(&mut screen.model, Action::Worker(failed));
    assert!(matches!(effects.as_slice(), [Effect::OpenDataset { .. }]), "{effects:?}");
}

#[test]
fn the_rules_on_the_screen_are_counted_first() {
    let mut screen = Screen::new((160, 40));
    press(&mut screen, "/zone<enter>");
    let mut found = None;
    for effect in update(&mut screen.model, Action::Reload) {
        for report in screen.answer(effect) {
            let effects = update(&mut screen.model, Action::Worker(report));
            found = effects.into_iter().fold(found, |found, effect| match effect {
                Effect::Summarize { rules, .. } if !rules.is_empty() => Some(rules),
                _ => found,
            });
        }
    }
    let (first, _) = found.unwrap().remove(0);
    assert!(first.path.ends_with("d_zone.yml"), "{first:?}");
}

#[test]
fn a_file_that_is_not_complete_is_named_until_it_is() {
    let mut screen = Screen::new(SIZE);
    let mut found = |names: &[&str]| {
        let generation = screen.model.generations.dataset;
        let opened = screen.model.dataset.info.clone().ok_or(String::new());
        let file = |name: &&str| Unfinished {
            path: PathBuf::from("run").join(name),
            why: "it has no footer yet".to_owned(),
        };
        let unfinished = names.iter().map(file).collect();
        let change = DatasetChange::None;
        screen.act(Action::Worker(Report::Dataset { generation, opened, change, unfinished }));
        (screen.model.notices.clone(), text(&screen))
    };
    let (notices, shown) = found(&["part-3.parquet"]);
    assert_eq!(notices, ["not read yet: part-3.parquet: it has no footer yet"]);
    assert!(shown.contains(&notices[0]) && shown.contains("1,212 of 2,180"), "{shown}");
    assert_eq!(found(&["part-3.parquet"]).0.len(), 1, "once");
    assert_eq!(found(&["part-3.parquet", "part-4.parquet"]).0.len(), 1);
    assert!(found(&[]).0.is_empty());
}

#[test]
fn a_newer_table_on_its_way_leaves_the_last_one_as_it_is_until_that_takes_long() {
    let mut screen = running();
    assert!(screen.model.matches.stale && !text(&screen).contains("updating"));
    screen.act(Action::MentionWork);
    let shown = text(&screen);
    assert!(shown.contains("1,212 of 2,180") && shown.contains("updating"), "{shown}");
}

#[test]
fn a_pasted_megabyte_stays_a_line() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "/");
    screen.act(Action::Type("x".repeat(1 << 20)));
    assert_eq!(screen.model.filter.input.text().len(), INPUT_LIMIT);
    press(&mut screen, "<esc>:");
    screen.act(Action::Type("y ".repeat(1 << 19)));
    assert!(text(&screen).contains("y y y"));
}

#[test]
fn what_differs_between_files_is_said_once() {
    let mut screen = Screen::new(SIZE);
    screen.drift = vec!["column 'a' differs between files".to_owned()];
    screen.grow(1);
    assert_eq!(screen.model.notices, screen.drift);
    screen.grow(1);
    assert_eq!(screen.model.notices.len(), 1, "{:?}", screen.model.notices);
    screen.drift.push("column 'b' is absent from 'c'".to_owned());
    screen.grow(1);
    assert_eq!(screen.model.notices.last(), screen.drift.last());
}
