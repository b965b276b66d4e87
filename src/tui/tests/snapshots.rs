//! The screen at three sizes, text and styles.

use super::fixtures::{Screen, theme};
use super::{drawn, press};
use crate::tui::theme::Theme;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (250, 70)];

/// One snapshot for each size, after `keys`.
fn assert_looks(name: &str, keys: &str) {
    for size in SIZES {
        let mut screen = Screen::new(size);
        press(&mut screen, keys);
        insta::assert_debug_snapshot!(format!("{name}_{}x{}", size.0, size.1), drawn(&screen.model));
    }
}

#[test]
fn matched_rule() {
    assert_looks("matched", "5jj");
}

#[test]
fn source_linked_to_route_and_sql() {
    assert_looks("linked", "2jjjjjjjjj");
}

#[test]
fn refused_rule() {
    assert_looks("refused", "j2");
}

#[test]
fn an_event_with_what_matches() {
    assert_looks("event", "5<enter>");
}

#[test]
fn export_prompt() {
    assert_looks("export", "5x");
}

#[test]
fn an_edit_in_place() {
    let at_value = "2jjjjjjjjji";
    assert_looks("edit_value", at_value);
    assert_looks("edit_line", &format!("{at_value}<backtab><backtab>"));
    assert_looks("edit_unsaved", &format!("{at_value}x<enter>"));
    assert_looks("edit_alias", "3i");
    assert_looks("edit_alias_refused", "3inowhere<enter>");
}

#[test]
fn a_new_rule() {
    assert_looks("new_rule", "n");
    assert_looks("new_rule_from_event", "5n");
    assert_looks("new_rule_missing", "n<tab><tab><tab><tab>");
}

#[test]
fn parse_error() {
    assert_looks("parse_error", "jj");
}

#[test]
fn filter_active() {
    assert_looks("filter", "/unmapped");
}

#[test]
fn proposals_for_an_unmapped_field() {
    assert_looks("proposals", "ja");
    assert_looks("proposals_tried", "ja<enter>");
}

#[test]
fn why_a_rule_matches_or_not() {
    assert_looks("why_match", "wGk");
    assert_looks("why_no_match", "jjjjw");
    assert_looks("why_near", "jjjjwG");
    assert_looks("why_refused", "jw");
    assert_looks("why_closed", "jjjjw<esc>2");
}

#[test]
fn changes_since_the_baseline() {
    for size in SIZES {
        let mut screen = Screen::new(size);
        let mut rules = super::fixtures::rules();
        let (access, _) = rules[1].clone();
        rules[1].1 = Some(super::fixtures::executable(&access, true));
        rules.remove(4);
        screen.rewrite(rules);
        press(&mut screen, "dj");
        insta::assert_debug_snapshot!(format!("changes_{}x{}", size.0, size.1), drawn(&screen.model));
    }
}

/// One snapshot for each size, and one without colours, of rules in folders, some of them changed, after `keys`.
fn assert_list_looks(name: &str, keys: &str) {
    for size in SIZES {
        let mut screen = foldered(size);
        press(&mut screen, keys);
        insta::assert_debug_snapshot!(format!("{name}_{}x{}", size.0, size.1), drawn(&screen.model));
    }
    let mut screen = foldered((120, 36));
    screen.model.theme = Theme::none();
    press(&mut screen, keys);
    insta::assert_debug_snapshot!(format!("{name}_no_colour"), drawn(&screen.model));
}

fn foldered(size: (u16, u16)) -> Screen {
    let mut screen = Screen::new(size);
    let mut rules = super::list::foldered();
    let (access, _) = rules[1].clone();
    rules[1].1 = Some(super::fixtures::executable(&access, true));
    screen.rewrite(rules);
    screen
}

#[test]
fn list_by_folder() {
    assert_list_looks("list_folder", "Gtk");
}

#[test]
fn filter_as_chips() {
    assert_list_looks("chips", "/-level:low levle:high changed,<backspace> <enter>");
}

#[test]
fn coverage() {
    assert_list_looks("coverage", "Cjjj");
}

#[test]
fn palette() {
    assert_list_looks("palette", ":gro");
}

#[test]
fn help_overlay() {
    assert_looks("help", "?");
}

#[test]
fn no_dataset() {
    for size in SIZES {
        let mut screen = Screen::with(size, super::fixtures::rules(), false);
        press(&mut screen, "5");
        insta::assert_debug_snapshot!(format!("no_dataset_{}x{}", size.0, size.1), drawn(&screen.model));
    }
}

#[test]
fn empty_rule_folder() {
    for size in SIZES {
        let screen = Screen::with(size, Vec::new(), true);
        insta::assert_debug_snapshot!(format!("no_rules_{}x{}", size.0, size.1), drawn(&screen.model));
    }
}

#[test]
fn without_colours_and_on_light() {
    let mut screen = Screen::new((120, 36));
    screen.model.theme = Theme::none();
    press(&mut screen, "5<enter>");
    insta::assert_debug_snapshot!("event_no_colour", drawn(&screen.model));
    for (name, theme) in [("no_colour", Theme::none()), ("light", theme("light"))] {
        let mut screen = Screen::new((120, 36));
        screen.model.theme = theme;
        press(&mut screen, "2jjjjjjjjj");
        insta::assert_debug_snapshot!(name, drawn(&screen.model));
    }
    let mut screen = Screen::new((120, 36));
    screen.model.theme = Theme::none();
    press(&mut screen, "w");
    insta::assert_debug_snapshot!("why_no_colour", drawn(&screen.model));
}
