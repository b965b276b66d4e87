//! The screen in each shipped theme, and what is told without colours.

use std::collections::{BTreeMap, BTreeSet};

use super::fixtures::Screen;
use super::{drawn, list, press};
use crate::tui::action::Action;
use crate::tui::model::{Overlay, Verdict};
use crate::tui::theme::{Background, Depth, Shelf, Surroundings, Theme, ThemeListing};
use crate::tui::update::{Effect, update};
use crate::tui::view;

const SHIPPED: [&str; 5] = ["contrast", "dark", "ember", "light", "signal"];

fn shipped(name: &str, depth: Depth) -> Theme {
    let around = Surroundings { no_color: false, depth, background: Background::Dark };
    Shelf::open(Some(name), Vec::new(), around).1
}

#[test]
fn the_screen_in_each_theme() {
    for name in SHIPPED {
        let mut screen = Screen::new((120, 36));
        screen.model.theme = shipped(name, Depth::Truecolor);
        press(&mut screen, "2jjjjjjjjj");
        insta::assert_debug_snapshot!(format!("theme_{name}"), drawn(&screen.model));
    }
    let mut screen = Screen::new((120, 36));
    screen.model.theme = shipped("dark", Depth::Sixteen);
    press(&mut screen, "2jjjjjjjjj");
    insta::assert_debug_snapshot!("theme_dark_16", drawn(&screen.model));
}

/// Verdicts differ in their glyph; those of rules through raw.* share one, and differ in their count.
#[test]
fn every_verdict_has_a_glyph_of_its_own() {
    let screen = Screen::with((120, 36), list::foldered(), true);
    let mut glyphs: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for entry in &screen.model.rules {
        let kind = match entry.verdict() {
            Verdict::Matched(_) | Verdict::NoMatch if entry.fallback_used() => "fallback".to_owned(),
            verdict => format!("{verdict:?}").split('(').next().unwrap_or_default().to_owned(),
        };
        glyphs.entry(kind).or_default().insert(view::verdict_glyph(entry).0);
    }
    let all: Vec<_> = glyphs.values().flatten().collect();
    assert!(glyphs.len() >= 5, "{glyphs:?}");
    assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "{glyphs:?}");
    let legend: Vec<_> = view::LEGEND.iter().map(|symbol| &symbol.glyph).collect();
    assert_eq!(legend.len(), legend.iter().collect::<BTreeSet<_>>().len());
    assert!(all.iter().all(|glyph| legend.contains(glyph)));
}

/// With all styles taken away, cursor, focus and staleness can still be seen.
#[test]
fn cursor_focus_and_staleness_have_a_sign() {
    let mut screen = Screen::new((120, 36));
    let plain = |screen: &Screen| -> String {
        drawn(&screen.model).content.iter().map(|cell| cell.symbol()).collect()
    };
    assert!(plain(&screen).contains("›") && plain(&screen).contains("▌1 Rules"));
    press(&mut screen, "2");
    assert!(plain(&screen).contains("▌2 Source"));
    assert!(!plain(&screen).contains(" ~"));
    screen.model.rules.iter_mut().for_each(|entry| entry.outcome.age());
    assert!(plain(&screen).contains(" ~"));
}

#[test]
fn the_palette_offers_shipped_and_own_themes() {
    let mut screen = Screen::new((120, 36));
    let own = |name: &str| ThemeListing {
        name: name.to_owned(),
        file: Some("themes/x.yaml".into()),
        dark: Some(true),
        description: "Of my own.".to_owned(),
    };
    screen.model.own_themes = vec![own("dark"), own("mine\u{1b}[2J")];
    press(&mut screen, ":themes<enter>");
    let Some(Overlay::Palette(open)) = &screen.model.overlay else { panic!("the palette is open") };
    // Each once: a file that is named like a shipped theme stands in its place.
    assert_eq!(open.found.len(), SHIPPED.len() + 2);
    press(&mut screen, "mine");
    let effects = update(&mut screen.model, Action::RunCommand);
    assert!(matches!(&effects[..], [Effect::UseTheme(name)] if name == "mine\u{1b}[2J"), "{effects:?}");
    for name in SHIPPED {
        press(&mut screen, &format!(":theme_{name}"));
        let effects = update(&mut screen.model, Action::RunCommand);
        assert!(matches!(&effects[..], [Effect::UseTheme(used)] if used == name), "{effects:?}");
    }
}
