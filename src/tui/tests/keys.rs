//! Keys in, state out; and what reports of workers do.

use std::sync::Arc;

use super::fixtures::{self, PARSE, Screen, diagnostic, executable, refused, rule, rules, table};
use super::{drawn, press};
use crate::authoring::RuleChange;
use crate::sigma::{Body, Level};
use crate::tui::action::{Action, Changed};
use crate::tui::model::{DatasetChange, Drift, Outcome, Overlay, Pane, RuleKey, Said, Verdict};
use crate::tui::update::{Effect, update};
use crate::tui::worker::{PackReport, Report};

const SIZE: (u16, u16) = (120, 36);

fn selected(screen: &Screen) -> String {
    screen.model.entry().map_or_else(String::new, |entry| entry.title.clone())
}

pub(super) fn text(screen: &Screen) -> String {
    let buffer = drawn(&screen.model);
    let width = usize::from(buffer.area.width);
    let rows =
        buffer.content.chunks(width).map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_rule_is_selected_and_run() {
    let screen = Screen::new(SIZE);
    assert_eq!(selected(&screen), "Download through certutil");
    assert_eq!(screen.model.entry().unwrap().verdict(), Verdict::Matched(1_212));
    assert_eq!(screen.model.table().unwrap().rows.len(), 40);
    assert!(!screen.model.work.is_under_way());
}

#[test]
fn moving_selects_and_stops_at_the_ends() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "kj");
    assert_eq!(selected(&screen), "Access to lsass from unbacked memory");
    press(&mut screen, "Gj");
    assert_eq!(screen.model.position, 5);
    press(&mut screen, "gk");
    assert_eq!(screen.model.position, 0);
}

#[test]
fn focus_goes_around_and_numbers_lead_to_panes() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "<tab><tab>");
    assert_eq!(screen.model.focus, Pane::Route);
    press(&mut screen, "<backtab><backtab><backtab>");
    assert_eq!(screen.model.focus, Pane::Matches);
    press(&mut screen, "4");
    assert_eq!(screen.model.focus, Pane::Sql);
}

#[test]
fn a_refused_rule_opens_at_its_first_error() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "j");
    assert_eq!(screen.model.cursor_line, 8);
    assert!(text(&screen).contains("no alias for 'CallTrace'"));
}

#[test]
fn filtering_narrows_while_typing_and_escape_brings_all_back() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "jj/lsaX<backspace>");
    assert_eq!(screen.model.visible.len(), 1);
    assert_eq!(selected(&screen), "Access to lsass from unbacked memory");
    press(&mut screen, "<enter>q");
    assert!(!screen.model.filter.editing);
    press(&mut screen, "<esc>");
    assert_eq!(screen.model.visible.len(), 6);
    assert_eq!(selected(&screen), "Access to lsass from unbacked memory");
}

#[test]
fn filters_know_reasons_levels_and_verdicts() {
    for (filter, found) in
        [("unmapped_field", 1), ("critical", 1), ("parse error", 1), ("low zone", 1), ("x?!", 0)]
    {
        let mut screen = Screen::new(SIZE);
        press(&mut screen, "/");
        press(&mut screen, filter);
        assert_eq!(screen.model.visible.len(), found, "{filter}");
    }
}

#[test]
fn a_filter_that_nothing_passes_keeps_the_rule_on_screen() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "/###");
    assert_eq!(selected(&screen), "Download through certutil");
    assert!(text(&screen).contains("no rule passes the filter"));
}

#[test]
fn escape_never_leaves_and_q_does() {
    let mut screen = Screen::new(SIZE);
    let keys = ["<esc>", "?", "<esc>", "z", "<esc>", "/", "<esc>"];
    keys.iter().for_each(|key| press(&mut screen, key));
    assert!(!screen.model.zoomed && screen.model.help.is_none() && !screen.model.filter.editing);
    assert!(matches!(update(&mut screen.model, Action::Quit)[..], [Effect::Quit]));
}

#[test]
fn typing_q_into_the_filter_is_text() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "/q?z");
    assert_eq!(screen.model.filter.input.text(), "q?z");
}

#[test]
fn a_click_focuses_and_selects_and_the_wheel_scrolls_what_is_under_it() {
    let mut screen = Screen::new(SIZE);
    screen.act(Action::Click(5, 4));
    assert_eq!((screen.model.focus, screen.model.position), (Pane::Rules, 3));
    screen.act(Action::Click(5, 1));
    screen.act(Action::Wheel(100, 25, 3));
    assert_eq!((screen.model.focus, screen.model.matches.cursor), (Pane::Rules, 3));
    screen.act(Action::Click(45, 10));
    assert_eq!((screen.model.focus, screen.model.cursor_line), (Pane::Source, 10));
}

#[test]
fn sideways_scrolling_stops_at_both_ends() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5hhh");
    assert_eq!(screen.model.offset(Pane::Matches).column, 0);
    press(&mut screen, &"l".repeat(100));
    let end = screen.model.offset(Pane::Matches).column;
    assert!(end > 0 && text(&screen).contains("metadata.event_id"));
    press(&mut screen, "l0");
    assert_eq!(screen.model.offset(Pane::Matches).column, 0);
}

#[test]
fn the_selection_follows_its_rule_through_a_reload() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "jjj");
    let mut rules = fixtures::rules();
    rules.remove(0);
    let early = rule("rules/0_early.yml", "title: Early\n", None, fixtures::event());
    rules.push((Arc::clone(&early), Some(executable(&early, false))));
    screen.rewrite(rules.clone());
    assert_eq!(selected(&screen), "Download from the Internet zone");
    rules.retain(|(rule, _)| !rule.text.contains("zone"));
    screen.rewrite(rules);
    assert_eq!(selected(&screen), "Bits job to a public folder");
}

#[test]
fn a_half_written_rule_keeps_the_last_good_sql_and_matches() {
    let mut screen = Screen::new(SIZE);
    let broken = rule("rules/a_certutil.yml", "title: [\n", Some(Level::High), Body::Unreadable);
    let finding = diagnostic(&broken, &PARSE, "[", "PARSE: the list has no end", "");
    let mut rules = fixtures::rules();
    rules[0] = (Arc::clone(&broken), Some(refused(&broken, vec![finding])));
    screen.rewrite(rules);
    let entry = screen.model.entry().unwrap();
    assert_eq!(entry.verdict(), Verdict::ParseError);
    assert!(entry.last_good.is_some());
    assert!(screen.model.matches.stale && screen.model.table().is_some());
    let shown = text(&screen);
    assert!(shown.contains("stale: last good") && shown.contains("FROM ocsf_events"));
    screen.rewrite(fixtures::rules());
    assert!(!screen.model.matches.stale);
    assert!(screen.model.entry().unwrap().last_good.is_none());
}

#[test]
fn a_rule_does_not_vanish_from_a_filtered_list_while_it_is_edited() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "/ matched<enter>");
    assert_eq!(screen.model.visible, [0, 3]);
    let broken = rule("rules/a_certutil.yml", "title: [\n", None, Body::Unreadable);
    let mut rules = fixtures::rules();
    rules[0] = (Arc::clone(&broken), Some(refused(&broken, Vec::new())));
    screen.rewrite(rules);
    assert_eq!((screen.model.visible.as_slice(), screen.model.position), ([0, 3].as_slice(), 0));
    screen.rewrite(fixtures::rules());
    assert_eq!(screen.model.visible, [0, 3]);
}

#[test]
fn counts_that_arrive_show_and_hide_rules_of_a_filtered_list() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "/ matched<enter>j");
    let generation = screen.model.generations.summaries;
    for (index, matches) in [(0, 0), (4, 9), (5, 1)] {
        let rule = screen.model.rules[index].key.clone();
        let summary = Ok(fixtures::summary(matches));
        screen.act(Action::Worker(Report::Summary { generation, rule, summary }));
    }
    assert_eq!(screen.model.visible, [3, 4, 5]);
    assert_eq!(screen.model.position, 0);
    assert_eq!(selected(&screen), "Download from the Internet zone");
}

#[test]
fn answers_to_older_requests_are_dropped() {
    let mut screen = Screen::new(SIZE);
    let key = RuleKey::of(&screen.model.entry().unwrap().rule);
    let old = screen.model.generations;
    press(&mut screen, "jk");
    let before = screen.model.table().cloned();
    screen.act(Action::Worker(Report::Matches {
        generation: old.matches,
        rule: key.clone(),
        table: Ok(table(7, 7)),
    }));
    assert_eq!(screen.model.table().cloned(), before);
    let (generation, pack) = (old.compile - 1, PackReport::default());
    screen.act(Action::Worker(Report::Compiled {
        generation,
        rules: Vec::new(),
        pack,
        gone: Vec::new(),
        refused: None,
    }));
    assert_eq!(screen.model.rules.len(), 6);
    let summary = Err("late".to_owned());
    screen.act(Action::Worker(Report::Summary { generation: old.summaries - 1, rule: key, summary }));
    assert!(!matches!(screen.model.entry().unwrap().outcome, Outcome::Failed(_)));
}

#[test]
fn a_pack_that_does_not_load_leaves_the_rules_and_says_so() {
    let mut screen = Screen::new(SIZE);
    let finding = diagnostic(
        &screen.model.rules[0].rule,
        &PARSE,
        "id",
        "unknown key 'rotues'",
        "did you mean 'routes'?",
    );
    let rules = fixtures::rules();
    let info = screen.model.pack.info.clone();
    let pack = PackReport { info, errors: vec![finding], ..PackReport::default() };
    let changed = Changed { pack: true, ..Changed::default() };
    let effects = update(&mut screen.model, Action::FilesChanged(changed));
    assert!(matches!(effects[..], [Effect::Compile { .. }]));
    let generation = screen.model.generations.compile;
    screen.act(Action::Worker(Report::Compiled { generation, rules, pack, gone: Vec::new(), refused: None }));
    let shown = text(&screen);
    assert!(shown.contains("unknown key") && shown.contains("pack does not load: stale"));
    assert_eq!(screen.model.entry().unwrap().verdict(), Verdict::Matched(1_212));
}

#[test]
fn a_dataset_that_does_not_open_any_more_leaves_the_matches_marked() {
    let mut screen = Screen::new(SIZE);
    let generation = screen.model.generations.dataset;
    let opened = Err("no dataset at 'x'".to_owned());
    let (change, unfinished) = (DatasetChange::Other, Vec::new());
    screen.act(Action::Worker(Report::Dataset { generation, opened, change, unfinished }));
    assert!(screen.model.matches.stale && screen.model.entry().unwrap().is_stale());
    assert!(text(&screen).contains("no dataset at 'x'"));
}

#[test]
fn only_what_changed_is_run_again() {
    let mut screen = Screen::new(SIZE);
    let effects =
        update(&mut screen.model, Action::FilesChanged(Changed { rescan: true, ..Changed::default() }));
    assert!(matches!(effects[..], [Effect::Compile { .. }]));
    let generation = screen.model.generations.compile;
    let pack = PackReport { info: screen.model.pack.info.clone(), ..PackReport::default() };
    let report =
        Report::Compiled { generation, rules: fixtures::rules(), pack, gone: Vec::new(), refused: None };
    let effects = update(&mut screen.model, Action::Worker(report));
    assert!(matches!(&effects[..], [Effect::Summarize { rules, .. }] if rules.is_empty()));
}

#[test]
fn narrow_screens_show_one_pane_and_name_the_others() {
    let mut screen = Screen::new((80, 24));
    press(&mut screen, "3");
    let shown = text(&screen);
    assert!(shown.contains("1 Rules  2 Source  3 Route  4 SQL  5 Matches 1,212"));
    assert!(shown.contains("process.cmd_line") && !shown.contains("FROM ocsf_events"));
}

#[test]
fn an_alias_is_proposed_tried_written_and_taken_back() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "ja");
    let open = |screen: &Screen| match &screen.model.overlay {
        Some(Overlay::Proposals(open)) => open.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(open(&screen).field().map(|field| field.0.as_str()), Some("CallTrace"));
    press(&mut screen, "j");
    assert_eq!(open(&screen).cursor, 1);
    press(&mut screen, "jjjj");
    assert_eq!(open(&screen).cursor, 2);
    press(&mut screen, "<tab>");
    assert_eq!(open(&screen).field().map(|field| field.0.as_str()), Some("TargetImage"));
    press(&mut screen, "<tab><enter>");
    assert!(matches!(open(&screen).said, Some(Said::Done(_))));
    press(&mut screen, "w");
    assert!(screen.model.overlay.is_none());
    assert_eq!(screen.model.history.done.len(), 1);
    assert!(screen.model.notices.last().unwrap().contains("process.yaml:2"));
    press(&mut screen, "u");
    assert!(screen.model.history.done.is_empty());
    press(&mut screen, "u");
    assert!(screen.model.notices.last().unwrap().contains("as it was"));
}

#[test]
fn proposals_that_nobody_waits_for_are_dropped() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "j");
    let effects = update(&mut screen.model, Action::Propose);
    let [Effect::Bench { generation, question: Some(_) }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(screen.model.work.is_under_way());
    let closed = update(&mut screen.model, Action::Clear);
    assert!(matches!(closed.as_slice(), [Effect::Bench { question: None, .. }]));
    let late = Report::Proposed { generation: *generation, bench: Err("late".to_owned()) };
    screen.act(Action::Worker(late));
    assert!(screen.model.overlay.is_none() && !screen.model.work.is_under_way());
}

#[test]
fn a_rule_without_fields_has_nothing_to_propose() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "jja");
    assert!(screen.model.overlay.is_none());
}

#[test]
fn the_effect_of_an_edit_is_measured_from_the_baseline() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "d");
    let changes = |screen: &Screen| match &screen.model.overlay {
        Some(Overlay::Changes(open)) => open.changes.rules.clone(),
        other => panic!("{other:?}"),
    };
    assert!(changes(&screen).is_empty());
    let mut rules = rules();
    let (access, _) = rules[1].clone();
    rules[1].1 = Some(executable(&access, true));
    screen.rewrite(rules);
    let [change] = changes(&screen).try_into().unwrap();
    assert_eq!(change.change, Some(RuleChange::NewlyExecutable { fallback_used: true }));
    assert_eq!(screen.model.list.drift.executable, 1);
    press(&mut screen, "<enter>");
    assert_eq!(screen.model.entry().unwrap().key.path.to_str(), Some("rules/b_lsass.yml"));
    press(&mut screen, "b");
    assert_eq!(screen.model.list.drift, Drift::default());
    press(&mut screen, "d");
    assert!(changes(&screen).is_empty());
}

#[test]
fn matches_are_marked_and_saved_as_a_case() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "m");
    assert!(screen.model.matches.marked.is_empty(), "the rule list has the keys");
    press(&mut screen, "5mmkm");
    let first = &screen.model.table().unwrap().rows[0].event_id;
    assert_eq!(screen.model.matches.marked.iter().collect::<Vec<_>>(), [first]);
    let shown = text(&screen);
    assert!(shown.contains("1 marked, c saves"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.contains("*02:50:54")).count(), 1, "{shown}");
    press(&mut screen, "c");
    assert!(screen.model.matches.marked.is_empty());
    assert_eq!(
        screen.model.notices.last().unwrap(),
        "1 event saved in a_certutil.test.yml as `saved events`"
    );
    press(&mut screen, "mmM");
    assert!(screen.model.matches.marked.is_empty());
}

#[test]
fn without_a_mark_the_row_under_the_cursor_is_saved_and_another_rule_has_no_marks() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "5j");
    let effects = update(&mut screen.model, Action::SaveCase);
    let second = screen.model.table().unwrap().rows[1].event_id.clone();
    assert!(matches!(&effects[..], [Effect::SaveCase(rows)] if rows.rows.iter().eq([&second])));
    press(&mut screen, "m1j");
    assert!(screen.model.matches.marked.is_empty());
    assert!(update(&mut screen.model, Action::SaveCase).is_empty());
}
