//! The rule list, the coverage and the palette: keys in, state out.

use std::sync::Arc;

use super::fixtures::{self, Screen, executable, rule};
use super::{drawn, press};
use crate::sigma::Spanned;
use crate::sigma::{Level, Span};
use crate::tui::action::Action;
use crate::tui::model::list::{Grouping, Order, Row};
use crate::tui::model::{AliasAway, CoverageLine, CoverageView, Overlay, Pane};
use crate::tui::update::{Effect, update};
use crate::tui::worker::Report;

const SIZE: (u16, u16) = (120, 36);

/// The rules of most tests in two folders, one of them tagged.
pub(super) fn foldered() -> Vec<fixtures::Compiled> {
    let quiet = |path: &str, title: &str, level| {
        let mut made = rule(path, &format!("title: {title}\nproduct: linux\n"), level, fixtures::event());
        let tags = ["attack.t1059.001", "attack.execution"];
        Arc::make_mut(&mut made).metadata.tags =
            tags.iter().map(|tag| Spanned::new((*tag).to_owned(), Span::START)).collect();
        (Arc::clone(&made), Some(executable(&made, false)))
    };
    let mut rules = fixtures::rules();
    rules.push(quiet("rules/linux/shell/g_shell.yml", "Shell from a web server", Some(Level::High)));
    rules.push(quiet("rules/linux/h_cron.yml", "Cron job by an editor", None));
    rules
}

/// The list, line by line: groups with their counts, rules by their file.
fn rows(screen: &Screen) -> Vec<String> {
    let of_row = |row: &Row| match row {
        Row::Group(group) => {
            let fold = if group.open { "v" } else { ">" };
            let counts = [group.matched, group.executable, group.rules].map(|number| number.to_string());
            format!("{}{fold} {} {}", " ".repeat(group.depth), group.label, counts.join("/"))
        }
        Row::Rule { index, depth } => {
            let path = screen.model.rules[*index].key.path.to_string_lossy().into_owned();
            let file = path.rsplit('/').next().unwrap_or_default();
            format!("{}{}", " ".repeat(*depth), file.get(..1).unwrap_or_default())
        }
    };
    screen.model.list.rows.iter().map(of_row).collect()
}

fn files(screen: &Screen) -> String {
    rows(screen).concat()
}

fn selected(screen: &Screen) -> String {
    screen.model.entry().map_or_else(String::new, |entry| entry.key.path.display().to_string())
}

fn text(screen: &Screen) -> String {
    let buffer = drawn(&screen.model);
    let width = usize::from(buffer.area.width);
    let rows =
        buffer.content.chunks(width).map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

fn filtered(typed: &str) -> String {
    let mut screen = Screen::with(SIZE, foldered(), true);
    press(&mut screen, "/");
    press(&mut screen, typed);
    files(&screen)
}

#[test]
fn the_filter_language_narrows() {
    for (typed, found) in [
        ("level:high", "ag"),
        ("level:crit,low", "bdf"),
        ("matched", "ad"),
        ("silent", "efgh"),
        ("refused", "bc"),
        ("reason:unmapped", "b"),
        ("-executable", "bc"),
        ("!path:rules/linux fallback", "d"),
        ("warnings", "b"),
        ("tag:t1059", "gh"),
        ("tag:attack.t1059.001", "gh"),
        ("tag:t105", ""),
        ("logsource:win", "abe"),
        ("logsource:process_access/windows", "b"),
        ("logsource:process_access/linux", ""),
        ("logsource:- logsource:linux", "gh"),
        ("field:calltrace", "b"),
        ("unmapped:TargetImage", ""),
        ("added", ""),
        ("\"web server\"", "g"),
        ("\"server web\"", ""),
        ("server web", "g"),
        ("-server -path:rules/linux level:high", "a"),
        ("parse error", "c"),
    ] {
        let mut got: Vec<_> = filtered(typed).chars().collect();
        got.sort_unstable();
        assert_eq!(got.into_iter().collect::<String>(), found, "{typed}");
    }
}

#[test]
fn text_is_searched_fuzzily_and_the_best_answer_stands_first() {
    assert_eq!(filtered("dwnl"), "ad");
    assert_eq!(filtered("job"), "eh");
    assert_eq!(filtered("editor"), "h");
    assert_eq!(filtered("zone"), "d");
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "jjjj/dwnl");
    assert!(selected(&screen).ends_with("a_certutil.yml"));
    press(&mut screen, "<enter>");
    assert!(selected(&screen).ends_with("a_certutil.yml"));
    press(&mut screen, "<esc>");
    assert!(selected(&screen).ends_with("a_certutil.yml"), "who has searched has found");
}

#[test]
fn the_selected_rule_stays_while_a_filter_is_typed_and_comes_back_after_it() {
    let file = |screen: &Screen| selected(screen).rsplit('/').next().unwrap_or_default()[..1].to_owned();
    let after = |keys: &str| {
        let mut screen = Screen::with(SIZE, foldered(), true);
        press(&mut screen, keys);
        assert_eq!(screen.model.list.rows.len(), screen.model.visible.len());
        file(&screen)
    };
    // The order is a, b, c, d, e, f, h, g; `download` is in the titles of a and d, `high` are a and g.
    assert_eq!(after("jjj/downl"), "a", "the best answer");
    assert_eq!(after("jjj/downl<esc>"), "d", "and back");
    assert_eq!(after("jjj/path:c,d,e"), "d", "among those that pass");
    assert_eq!(after("jjj/zzz"), "d", "nothing passes");
    assert_eq!(after("jjj/zzz<esc>"), "d");
    assert_eq!(after("jjj/level:high"), "a", "the nearest above");
    assert_eq!(after("jjjjj/level:high"), "g", "the nearest below");
    assert_eq!(after("jjjjj/level:high<esc>"), "f");
    assert_eq!(after("jjjjj/level:high<enter><esc>"), "f");
    assert_eq!(after("jjjjj/level:high<enter>k<esc>"), "a", "chosen since");
}

#[test]
fn what_cannot_be_asked_is_told_and_not_applied() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "/levle:high");
    assert_eq!(screen.model.visible.len(), 6);
    assert!(text(&screen).contains("no key 'levle'; did you mean"));
    press(&mut screen, "<enter>");
    assert!(text(&screen).contains("✗ levle:high"));
}

#[test]
fn orders_are_gone_through_and_the_cursor_stays_on_its_rule() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "jjjj");
    let before = selected(&screen);
    for (order, files_in_order) in [
        (Order::Matches, "adefbc"),
        (Order::Name, "fbedac"),
        (Order::Level, "baedfc"),
        (Order::Changed, "abcdef"),
        (Order::Arrived, "abcdef"),
        (Order::Path, "abcdef"),
    ] {
        press(&mut screen, "o");
        assert_eq!(screen.model.list.order, order);
        assert_eq!(files(&screen), files_in_order, "{order:?}");
        assert_eq!(selected(&screen), before);
        assert_eq!(files(&screen).find('e'), Some(screen.model.position));
    }
}

#[test]
fn folders_are_a_tree_that_opens_and_folds() {
    let mut screen = Screen::with(SIZE, foldered(), true);
    press(&mut screen, "Gt");
    assert_eq!(screen.model.list.grouping, Grouping::Folder);
    assert_eq!(rows(&screen), ["a", "b", "c", "d", "e", "f", "v linux 0/2/2", " h", " v shell 0/1/1", "  g"]);
    assert_eq!((selected(&screen).as_str(), screen.model.position), ("rules/linux/shell/g_shell.yml", 9));
    press(&mut screen, "h");
    assert_eq!(rows(&screen)[8..], [" > shell 0/1/1"]);
    assert_eq!((selected(&screen).as_str(), screen.model.position), ("rules/linux/shell/g_shell.yml", 8));
    press(&mut screen, "kk<enter>");
    assert_eq!(rows(&screen)[6..], ["> linux 0/2/2"]);
    press(&mut screen, "l");
    assert_eq!(rows(&screen).len(), 9);
    assert!(text(&screen).contains("▾ linux"));
    press(&mut screen, "F");
    assert_eq!(rows(&screen).len(), 10);
}

#[test]
fn groups_stand_in_an_order_that_means_something() {
    let mut screen = Screen::with(SIZE, foldered(), true);
    let headers = |screen: &Screen| rows(screen).into_iter().filter(|row| row.contains(['>', 'v'])).collect();
    let mut seen: Vec<Vec<String>> = Vec::new();
    for _ in 1..Grouping::ALL.len() {
        press(&mut screen, "t");
        press(&mut screen, "FF");
        seen.push(headers(&screen));
    }
    let words = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>();
    let expected = [
        words(&["> matched 2/2/2", "> no match 0/4/4", "> parse error 0/0/1", "> refused 0/0/1"]),
        words(&["> unmapped_field 0/0/1", "> backend_compile_error 0/0/1", "> no reason 2/6/6"]),
        words(&[
            "> * 1/2/3",
            "> */linux 0/2/2",
            "> process_access/windows 0/0/1",
            "> process_creation/windows 1/2/2",
        ]),
        words(&["> critical 0/0/1", "> high 1/2/2", "> medium 0/1/1", "> low 1/2/2", "> no level 0/1/2"]),
        words(&["> T1059 0/2/2", "> no technique 2/4/6"]),
    ];
    assert_eq!(seen[1..], expected);
}

#[test]
fn a_reload_keeps_the_cursor_on_its_rule_or_group() {
    let mut screen = Screen::with(SIZE, foldered(), true);
    press(&mut screen, "tGkkk");
    assert_eq!(screen.model.list.on_group.as_deref(), None);
    press(&mut screen, "G");
    assert_eq!(screen.model.list.on_group.as_deref(), Some("linux"));
    let mut rules = foldered();
    rules.remove(0);
    screen.rewrite(rules);
    assert_eq!(screen.model.list.on_group.as_deref(), Some("linux"));
    assert_eq!(screen.model.position, screen.model.list.rows.len() - 1);
    assert!(screen.model.entry().is_some());
    screen.rewrite(fixtures::rules());
    assert_eq!(screen.model.list.on_group, None);
    assert!(screen.model.entry().is_some());
}

#[test]
fn a_rule_of_several_techniques_keeps_its_row() {
    let mut rules = foldered();
    let (shell, _) = rules.remove(6);
    let mut shell = (*shell).clone();
    shell.metadata.tags.push(Spanned::new("attack.t1190".to_owned(), Span::START));
    let shell = Arc::new(shell);
    rules.push((Arc::clone(&shell), Some(executable(&shell, false))));
    let mut screen = Screen::with(SIZE, rules, true);
    press(&mut screen, "/tag:t1059<enter>");
    screen.act(Action::GroupBy(Grouping::Technique));
    assert_eq!(rows(&screen), ["v T1059 0/2/2", " h", " g", "v T1190 0/1/1", " g"]);
    press(&mut screen, "G");
    screen.act(Action::SortBy(Order::Name));
    assert_eq!((selected(&screen).ends_with("g_shell.yml"), screen.model.position), (true, 4));
}

#[test]
fn rules_that_differ_from_the_baseline_are_marked_and_found() {
    let mut screen = Screen::new(SIZE);
    let mut rules = foldered();
    let (access, _) = rules[1].clone();
    rules[1].1 = Some(executable(&access, true));
    screen.rewrite(rules);
    press(&mut screen, "/changed");
    assert_eq!(files(&screen), "bhg");
    assert!(text(&screen).contains(" Δ crit") && text(&screen).contains(" + high"));
    press(&mut screen, "<esc>/added<enter>");
    assert_eq!(files(&screen), "hg");
    press(&mut screen, "b");
    press(&mut screen, "<esc>/changed<enter>");
    assert_eq!(files(&screen), "");
}

#[test]
fn a_click_on_a_header_folds_it() {
    let mut screen = Screen::with(SIZE, foldered(), true);
    press(&mut screen, "G");
    screen.act(Action::GroupBy(Grouping::Level));
    let first = screen.model.list.rows.len();
    screen.act(Action::Click(5, 1));
    assert!(screen.model.list.rows.len() > first);
    screen.act(Action::Click(5, 1));
    assert_eq!(screen.model.list.rows.len(), first);
}

fn coverage(screen: &Screen) -> &CoverageView {
    match &screen.model.overlay {
        Some(Overlay::Coverage(open)) => open,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_number_of_the_coverage_opens_as_many_rules() {
    let mut screen = Screen::with(SIZE, foldered(), true);
    press(&mut screen, "C");
    let stops = coverage(&screen).stops().count();
    press(&mut screen, "<esc>");
    for stop in 0..stops {
        press(&mut screen, "Cg");
        press(&mut screen, &"j".repeat(stop));
        let line = coverage(&screen).lines[coverage(&screen).cursor].clone();
        press(&mut screen, "<esc>");
        let expected = match line {
            CoverageLine::Figure(figure) => match figure.parts {
                None => vec![("<enter>", figure.rules)],
                Some((executable, matched)) => {
                    let refused = figure.rules - executable;
                    vec![("<enter>", figure.rules), ("e", executable), ("m", matched), ("x", refused)]
                }
            },
            CoverageLine::Away(alias) => vec![("f", alias.rules)],
            other => panic!("{other:?} leads nowhere"),
        };
        for (key, number) in expected {
            press(&mut screen, "Cg");
            press(&mut screen, &"j".repeat(stop));
            press(&mut screen, key);
            assert!(screen.model.overlay.is_none());
            assert_eq!(
                screen.model.visible.len() as u64,
                number,
                "{key} {}",
                screen.model.filter.input.text()
            );
            assert_eq!(screen.model.focus, Pane::Rules);
        }
    }
}

#[test]
fn an_alias_away_opens_its_proposals() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "/level:low<enter>C");
    let line = coverage(&screen).lines.iter().position(|line| matches!(line, CoverageLine::Away(_))).unwrap();
    while coverage(&screen).cursor != line {
        press(&mut screen, "j");
    }
    press(&mut screen, "<enter>");
    assert!(selected(&screen).ends_with("b_lsass.yml"));
    let Some(Overlay::Proposals(open)) = &screen.model.overlay else { panic!() };
    assert_eq!(open.field().map(|field| field.0.as_str()), Some("CallTrace"));
}

#[test]
fn coverage_follows_what_changes_under_it() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "C");
    let mut rules = fixtures::rules();
    let (access, _) = rules[1].clone();
    rules[1].1 = Some(executable(&access, true));
    screen.rewrite(rules);
    let figures = coverage(&screen).lines.iter().filter_map(|line| match line {
        CoverageLine::Figure(figure) => Some((figure.label.as_str(), figure.rules, figure.drift)),
        _ => None,
    });
    let figures: Vec<_> = figures.take(7).collect();
    assert_eq!(
        figures,
        [
            ("rules", 6, 0),
            ("executable", 5, 1),
            ("fallback used", 2, 1),
            ("matched", 2, 0),
            ("refused", 1, -1),
            ("backend_compile_error", 1, 0),
            ("unmapped_field", 0, -1),
        ]
    );
}

#[test]
fn aliases_that_nobody_waits_for_are_dropped() {
    let mut screen = Screen::new(SIZE);
    let effects = update(&mut screen.model, Action::ShowCoverage);
    let [Effect::Gaps { generation, compiled }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(compiled.len(), 6);
    assert!(text(&screen).contains("looking for them"));
    let late = Report::Gaps { generation: generation - 1, away: Vec::<AliasAway>::new() };
    screen.act(Action::Worker(late));
    assert!(coverage(&screen).away.is_none());
    screen.act(Action::Worker(Report::Gaps { generation: *generation, away: Vec::new() }));
    assert!(text(&screen).contains("no rule waits for one alias alone"));
}

#[test]
fn the_palette_finds_commands_and_does_them() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, ":zoom pane<enter>");
    assert!(screen.model.zoomed && screen.model.overlay.is_none());
    press(&mut screen, ":srtmt<enter>");
    assert_eq!(screen.model.list.order, Order::Matches);
    press(&mut screen, ":q?<backspace><esc>");
    assert!(screen.model.overlay.is_none());
    press(&mut screen, ":no such thing<enter>");
    assert!(text(&screen).contains("no command answers"));
}

#[test]
fn the_choosers_offer_their_family_alone() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "Treas<enter>");
    assert_eq!(screen.model.list.grouping, Grouping::Reason);
    press(&mut screen, "O<tab><enter>");
    assert_eq!(screen.model.list.order, Order::Matches);
}
