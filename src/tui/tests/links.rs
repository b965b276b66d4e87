//! What belongs together lights up together: from the source to route, SQL and matches, and back from each of them. Over
//! rules that the bridge and the backend have really compiled.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use ratatui::layout::Rect;

use super::fixtures::{Compiled, Screen};
use super::{drawn, press};
use crate::backend;
use crate::bridge::Settings;
use crate::pack::{self, DEFAULT_PACK, Pack, PackSource};
use crate::sigma::{self, Capability};
use crate::tui::action::Action;
use crate::tui::model::{Model, Pane};
use crate::tui::theme::Role;
use crate::tui::view::{self, Layout};

static PACK: LazyLock<Pack> =
    LazyLock::new(|| pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack);

const EVENT: &str = "title: Transfer to a public folder
logsource:
    category: process_creation
    product: windows
detection:
    selection_tool:
        Image|endswith: '\\bitsadmin.exe'
        CommandLine|contains|all:
            - '/transfer'
            - 'public'
    words:
        - 'first word'
        - 'second word'
    filter_main:
        - ParentImage: 'C:\\a.exe'
        - User|startswith: 'svc'
    condition: selection_tool and words and not 1 of filter_*
";

const CORRELATION: &str = "title: Many
correlation:
    type: event_count
    rules:
        - one
        - two
    group-by:
        - Computer
    timespan: 5m
    condition:
        gte: 10
---
title: One of them
name: one
logsource: { category: process_creation, product: windows }
detection: { sel: { Image: a }, condition: sel }
---
title: Two of them
name: two
logsource: { category: process_creation, product: windows }
detection: { sel: { Image: b }, condition: sel }
";

fn compiled(text: &str) -> Vec<Compiled> {
    let rules: Vec<_> = sigma::parse(Path::new("rules/a.yml"), text).into_iter().map(Arc::new).collect();
    let settings = Settings { capabilities: BTreeSet::from(Capability::ALL), raw_fallback: true };
    let made = backend::compile(&rules, &PACK, &settings);
    for rule in &made {
        assert!(rule.sql.is_some(), "{:?}", rule.compilation.diagnostics);
    }
    rules.into_iter().zip(made).map(|(rule, made)| (rule, Some(Arc::new(made)))).collect()
}

fn screen(text: &str) -> Screen {
    Screen::with((200, 120), compiled(text), true)
}

/// The lines of a pane that are marked as belonging to what the cursor is on.
fn lit(model: &Model, pane: Pane) -> Vec<String> {
    let buffer = drawn(model);
    let body = Layout::of(model).body(pane);
    let row = |y: u16| (body.x..body.right()).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    let marked = |line: &String| line.chars().take(6).any(|c| c == '▌');
    if pane == Pane::Sql {
        return lit_sql(model, body, |y| marked(&row(y)));
    }
    let lines = (body.y..body.bottom()).map(row).filter(marked);
    lines.map(|line| line.replace('▌', " ").split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Lines of SQL go on below where they are longer than the pane is wide: they are given whole.
fn lit_sql(model: &Model, body: Rect, is_marked: impl Fn(u16) -> bool) -> Vec<String> {
    let line = |y: u16| view::sql_at_row(model, body, model.offset(Pane::Sql).row + usize::from(y - body.y));
    let marked: BTreeSet<usize> = (body.y..body.bottom()).filter(|y| is_marked(*y)).map(line).collect();
    let all: Vec<&str> = model.entry().unwrap().sql_text().unwrap().lines().collect();
    marked.into_iter().map(|line| all[line].trim().to_owned()).collect()
}

/// Puts the cursor of the source on the line that begins with `start`.
fn go(screen: &mut Screen, start: &str) {
    press(screen, "2g");
    let text = Arc::clone(&screen.model.entry().unwrap().rule.text);
    let line = text.lines().position(|line| line.trim_start().starts_with(start)).unwrap();
    press(screen, &"j".repeat(line));
}

fn starts(lines: &[String], starts: &[&str]) {
    assert_eq!(lines.len(), starts.len(), "{lines:#?}\n{starts:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\n{start}");
    }
}

#[test]
fn a_value_lights_its_field_and_its_test() {
    let mut screen = screen(EVENT);
    go(&mut screen, "- 'public'");
    starts(&lit(&screen.model, Pane::Route), &["CommandLine"]);
    let sql = lit(&screen.model, Pane::Sql);
    assert!(
        sql.iter().any(|line| line.contains("'public'")) && !sql.iter().any(|l| l.contains("transfer")),
        "{sql:#?}"
    );
}

#[test]
fn a_value_brings_its_test_into_view_and_not_the_selection_around_it() {
    let mut screen = screen(EVENT);
    screen.act(Action::Resize(100, 24));
    for value in ["- '/transfer'", "- 'public'", "- '/transfer'"] {
        go(&mut screen, value);
        let sql = lit(&screen.model, Pane::Sql).join("\n");
        assert!(sql.contains(value.trim_start_matches("- ")), "{value}: {sql}");
    }
}

#[test]
fn a_field_above_its_values_lights_all_of_them() {
    let mut screen = screen(EVENT);
    go(&mut screen, "CommandLine");
    starts(&lit(&screen.model, Pane::Route), &["CommandLine"]);
    let sql = lit(&screen.model, Pane::Sql).join("\n");
    assert!(sql.contains("'public'") && sql.contains("'/transfer'") && !sql.contains("bitsadmin"), "{sql}");
}

#[test]
fn a_selection_lights_all_that_it_holds() {
    let mut screen = screen(EVENT);
    go(&mut screen, "selection_tool");
    starts(&lit(&screen.model, Pane::Route), &["CommandLine", "Image"]);
    let sql = lit(&screen.model, Pane::Sql).join("\n");
    assert!(
        sql.contains("bitsadmin") && sql.contains("'public'") && sql.contains("-- selection_tool"),
        "{sql}"
    );
    assert!(!sql.contains("svc"), "{sql}");
}

#[test]
fn a_condition_lights_every_selection_that_it_reaches() {
    let mut screen = screen(EVENT);
    go(&mut screen, "condition");
    starts(&lit(&screen.model, Pane::Route), &["CommandLine", "Image", "ParentImage", "User"]);
    let sql = lit(&screen.model, Pane::Sql).join("\n");
    for part in ["bitsadmin", "'public'", "second word", "svc", "a.exe"] {
        assert!(sql.contains(part), "{part}: {sql}");
    }
    assert!(!sql.contains("class_uid"), "{sql}");
}

#[test]
fn a_keyword_lights_its_test() {
    let mut screen = screen(EVENT);
    go(&mut screen, "- 'second word'");
    let sql = lit(&screen.model, Pane::Sql).join("\n");
    assert!(sql.contains("second word") && !sql.contains("first word"), "{sql}");
}

#[test]
fn the_log_source_lights_the_route_and_the_filters_by_class() {
    let mut screen = screen(EVENT);
    for line in ["logsource", "category"] {
        go(&mut screen, line);
        starts(&lit(&screen.model, Pane::Route), &["process_creation/windows"]);
    }
    let sql = lit(&screen.model, Pane::Sql);
    assert!(sql.iter().any(|line| line.contains("class_uid")), "{sql:#?}");
    assert!(!sql.iter().any(|line| line.contains("bitsadmin")), "{sql:#?}");
}

#[test]
fn the_route_lights_source_and_sql_and_the_source_follows() {
    let mut screen = screen(EVENT);
    press(&mut screen, "3g");
    starts(&lit(&screen.model, Pane::Source), &["3 category", "4 product"]);
    assert!(lit(&screen.model, Pane::Sql).iter().any(|line| line.contains("class_uid")));
    let user = |screen: &Screen| lit(&screen.model, Pane::Source).iter().any(|line| line.contains("User"));
    for _ in 0..30 {
        if !user(&screen) {
            press(&mut screen, "j");
        }
    }
    starts(&lit(&screen.model, Pane::Source), &["16 - User|startswith"]);
    assert!(lit(&screen.model, Pane::Sql).iter().any(|line| line.contains("svc")));
    press(&mut screen, "2");
    assert_eq!(screen.model.cursor_line, 16);
}

#[test]
fn a_line_of_sql_lights_source_and_alias() {
    let mut screen = screen(EVENT);
    press(&mut screen, "4g");
    let sql = Arc::from(screen.model.entry().unwrap().sql_text().unwrap());
    let sql: Arc<str> = sql;
    let line = |part: &str| sql.lines().position(|line| line.contains(part)).unwrap();
    press(&mut screen, &"j".repeat(line("'/transfer'")));
    starts(&lit(&screen.model, Pane::Source), &["9 - '/transfer'"]);
    starts(&lit(&screen.model, Pane::Route), &["CommandLine"]);
    press(&mut screen, "g");
    press(&mut screen, &"j".repeat(line("class_uid")));
    starts(&lit(&screen.model, Pane::Source), &["3 category", "4 product"]);
    starts(&lit(&screen.model, Pane::Route), &["process_creation/windows"]);
}

#[test]
fn a_correlation_is_linked_line_by_line() {
    let mut screen = screen(CORRELATION);
    assert_eq!(screen.model.entry().unwrap().title, "Many");
    go(&mut screen, "- two");
    starts(&lit(&screen.model, Pane::Route), &["Two of them"]);
    assert!(!lit(&screen.model, Pane::Sql).is_empty());
    go(&mut screen, "gte");
    let sql = lit(&screen.model, Pane::Sql).join("\n");
    assert!(sql.contains("10"), "{sql}");
    go(&mut screen, "rules");
    starts(&lit(&screen.model, Pane::Route), &["One of them", "Two of them"]);
    go(&mut screen, "timespan");
    starts(&lit(&screen.model, Pane::Route), &["event_count over 2 rules"]);
    press(&mut screen, "3g");
    let source = lit(&screen.model, Pane::Source).join("\n");
    assert!(
        source.contains("type") && source.contains("timespan") && source.contains("Computer"),
        "{source}"
    );
}

#[test]
fn a_match_lights_the_tests_that_it_satisfies() {
    const RULE: &str = "title: Download\nlogsource: { category: process_creation, product: windows }\ndetection:\n    \
                        sel:\n        CommandLine|contains:\n            - 'urlcache'\n            - 'verifyctl'\n    \
                        condition: sel\n";
    let mut rules = compiled(RULE);
    let rule = Arc::new(sigma::parse(Path::new("rules/a_certutil.yml"), RULE).remove(0));
    let made = backend::compile(&[Arc::clone(&rule)], &PACK, &Settings::default()).remove(0);
    rules[0] = (rule, Some(Arc::new(made)));
    let mut screen = Screen::with((200, 60), rules, true);
    press(&mut screen, "5g");
    let row = screen.model.matched_row().unwrap().values[1].clone().unwrap();
    assert!(row.contains("urlcache"), "{row}");
    starts(&lit(&screen.model, Pane::Source), &["6 - 'urlcache'"]);
    starts(&lit(&screen.model, Pane::Route), &["CommandLine"]);
    press(&mut screen, "j");
    starts(&lit(&screen.model, Pane::Source), &["7 - 'verifyctl'"]);
    assert!(lit(&screen.model, Pane::Sql).join("\n").contains("verifyctl"));
}

#[test]
fn the_cells_that_a_line_tests_are_marked() {
    let mut screen = screen(EVENT);
    screen.model.matches.rule = screen.model.selected.clone();
    screen.model.matches.table = Some(Arc::new(super::fixtures::table(3, 3)));
    go(&mut screen, "CommandLine");
    let buffer = drawn(&screen.model);
    let body = Layout::of(&screen.model).body(Pane::Matches);
    let linked = screen.model.theme.style(Role::Linked);
    let in_style = body.positions().filter(|at| linked.fg.is_some_and(|fg| buffer[*at].fg == fg)).count();
    assert!(in_style > 0);
    go(&mut screen, "title");
    let buffer = drawn(&screen.model);
    assert!(body.positions().all(|at| linked.fg.is_none_or(|fg| buffer[at].fg != fg)));
}
