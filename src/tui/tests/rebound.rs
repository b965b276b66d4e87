//! Keys that the user has chosen: what they do, and that everything which names a key names them. What the help explains.

use std::collections::BTreeSet;

use super::fixtures::Screen;
use super::keys::text;
use super::press;
use crate::tui::action::Action;
use crate::tui::command::Context;
use crate::tui::keymap;
use crate::tui::model::{Arrangement, Pane};
use crate::tui::worker::Report;

fn rebind(screen: &mut Screen, file: &str) {
    let (keymap, findings) = keymap::parse(file);
    screen.act(Action::Worker(Report::Keys { keymap, findings }));
}

#[test]
fn help_hints_palette_and_titles_name_the_keys_of_the_user() {
    let mut screen = Screen::new((120, 36));
    rebind(&mut screen, "why: [F5]\nrules: [Alt-1]\nclear: [Ctrl-g]\nmatches: []\n");
    let shown = text(&screen);
    assert!(shown.contains("F5 why") && !shown.contains("w why"), "{shown}");
    assert!(
        shown.contains("Alt-1 Rules") && shown.contains("2 Source") && shown.contains("▌Alt-1"),
        "{shown}"
    );
    assert!(!shown.contains("5 Matches") && shown.contains("Matches"), "{shown}");
    press(&mut screen, "w");
    assert!(screen.model.overlay.is_none());
    press(&mut screen, "/matched<enter>");
    assert!(text(&screen).contains("Ctrl-g clears"));
    press(&mut screen, ":why");
    assert!(text(&screen).contains("F5 │"), "{}", text(&screen));
    press(&mut screen, "<esc>?");
    assert!(text(&screen).contains("Alt-1"), "{}", text(&screen));
}

#[test]
fn what_is_wrong_is_a_notice_until_the_file_is_mended() {
    let mut screen = Screen::new((160, 36));
    screen.act(Action::Worker(Report::Notice("another".to_owned())));
    rebind(&mut screen, "zoom: [Z]\nzom: [z]\n");
    assert!(text(&screen).contains("keys.yaml:2:1: no command is called 'zom'; did you mean 'zoom'?"));
    rebind(&mut screen, "zoom: [Z\n");
    assert_eq!(screen.model.keymap.shown("zoom").as_deref(), Some("Z"), "kept while the file is no YAML");
    assert!(text(&screen).contains("the keys stay as they are"));
    rebind(&mut screen, "");
    assert_eq!(screen.model.notices, ["another"]);
    assert_eq!(screen.model.keymap.shown("zoom").as_deref(), Some("z"));
}

#[test]
fn a_chain_of_contexts_is_what_the_panes_ask() {
    for pane in Pane::ALL {
        let mut screen = Screen::new((120, 36));
        screen.act(Action::Focus(pane));
        let asked = Context::of(&screen.model);
        assert_eq!(asked[0].chain(), asked, "{pane:?}");
    }
    for keys in ["/", ":", "?", "C", "w", "d"] {
        let mut screen = Screen::new((120, 36));
        press(&mut screen, keys);
        let asked = Context::of(&screen.model);
        assert_eq!(asked[0].chain(), asked, "{keys}");
    }
}

/// The text of the whole help.
fn help(screen: &mut Screen) -> String {
    screen.act(Action::Resize(120, 1_000));
    press(screen, "?");
    let help = text(screen);
    press(screen, "?");
    help
}

#[test]
fn every_symbol_that_is_drawn_is_explained() {
    let explained: BTreeSet<char> = help(&mut Screen::new((120, 36))).chars().collect();
    // What words and numbers are made of, and the lines between panes.
    let plain = |c: &char| c.is_alphanumeric() || c.is_ascii() || "─│┼├┤┬┴┌┐└┘·×“”−".contains(*c);
    let mut unexplained = BTreeSet::new();
    for keys in [
        "2jjjjjjjjj",
        "jjjjw",
        "w",
        "5j",
        "5m",
        "5ss",
        "j2",
        "jj",
        "tGtt",
        "C",
        "d",
        "5<enter>",
        "5x",
        "/a",
        "ja",
        ":",
        "L",
    ] {
        for size in [(80, 24), (170, 40)] {
            let mut screen = Screen::new(size);
            press(&mut screen, keys);
            let rules: BTreeSet<char> =
                screen.model.rules.iter().flat_map(|entry| entry.rule.text.chars()).collect();
            let of_values = "файл";
            let drawn: BTreeSet<char> = text(&screen).chars().filter(|c| !plain(c)).collect();
            let unknown: Vec<_> = drawn
                .into_iter()
                .filter(|c| !explained.contains(c) && !rules.contains(c) && !of_values.contains(*c))
                .collect();
            unexplained.extend(unknown.into_iter().map(|symbol| (symbol, keys)));
        }
    }
    assert_eq!(unexplained, BTreeSet::new());
}

#[test]
fn layouts_are_in_the_palette_by_name() {
    let mut screen = Screen::new((200, 50));
    press(&mut screen, ":layout stacked<enter>");
    assert_eq!(screen.model.panes.arrangement, Arrangement::Stacked);
    press(&mut screen, ":layout wide<enter>");
    assert_eq!(screen.model.panes.arrangement, Arrangement::Wide);
}
