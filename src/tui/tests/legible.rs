//! What matters stays in sight, however small the screen is.

use super::fixtures::Screen;
use super::{drawn, press};
use crate::tui::action::Action;
use crate::tui::model::{Overlay, Pane};
use crate::tui::theme::Theme;

fn rows(screen: &Screen) -> Vec<String> {
    let buffer = drawn(&screen.model);
    let rows = buffer.content.chunks(usize::from(buffer.area.width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect()).collect()
}

fn shows(screen: &Screen, part: &str) -> bool {
    rows(screen).iter().any(|row| row.contains(part))
}

#[test]
fn what_a_try_came_to_is_in_sight_on_the_last_row_too() {
    for size in [(80, 12), (80, 24), (120, 24), (120, 36)] {
        for down in 8..16 {
            let mut screen = Screen::new(size);
            press(&mut screen, &format!("2{}i", "j".repeat(down)));
            assert!(shows(&screen, "· Enter tries"), "{size:?}, line {}: {:#?}", down + 1, rows(&screen));
            press(&mut screen, "x<enter>");
            assert!(screen.model.unsaved.is_none() || shows(&screen, "↳ unsaved:"), "{:#?}", rows(&screen));
        }
    }
}

#[test]
fn the_number_beside_a_line_is_the_one_that_the_funnel_has_for_it_and_named_alike() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "w");
    let shown = rows(&screen);
    assert!(shown[0].contains("events alone"), "{shown:#?}");
    let heading = shown.iter().position(|row| row.contains("filled    alone     left")).unwrap();
    let alone = shown[heading].find("alone").unwrap() + "alone".len();
    let beside = shown.iter().find(|row| row.contains("selection_flags:")).unwrap();
    let in_funnel = shown.iter().skip(heading).find(|row| row.contains("selection_flags")).unwrap();
    let until: String = in_funnel.chars().take(shown[heading][..alone].chars().count()).collect();
    assert!(beside.contains("1,212│") && until.ends_with(" 1,212"), "{beside}\n{in_funnel}");
    press(&mut screen, "<esc>");
    assert!(rows(&screen)[0].contains("events alone"), "as long as the numbers stand there");
}

#[test]
fn what_a_proposal_does_is_never_cut() {
    for size in [(80, 24), (60, 20), (120, 36)] {
        let mut screen = Screen::new(size);
        press(&mut screen, "ja");
        assert!(shows(&screen, "+18 executable (fallback) · 3 match"), "{size:?}: {:#?}", rows(&screen));
        let unlocks = shows(&screen, "18 wait for it alone");
        assert!(unlocks || size.0 < 80, "{size:?}: {:#?}", rows(&screen));
    }
}

#[test]
fn the_way_to_the_help_and_what_the_pane_is_for_stay_on_the_status_line() {
    for size in [(40, 10), (80, 24), (120, 36)] {
        for pane in 1..=5 {
            let mut screen = Screen::new(size);
            press(&mut screen, &pane.to_string());
            assert!(rows(&screen).last().unwrap().contains("? help"), "{size:?} {:?}", rows(&screen).last());
        }
        let mut screen = Screen::new(size);
        press(&mut screen, "5");
        assert!(rows(&screen).last().unwrap().contains("Enter event"), "{size:?} {:?}", rows(&screen).last());
    }
}

#[test]
fn what_is_new_stands_in_the_title_of_a_narrow_list() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "to");
    screen.model.list.totals.arrived = 3;
    let title = &rows(&screen)[0];
    assert!(title.contains("6  »3 new  by folder"), "{title}");
}

#[test]
fn a_title_leaves_out_what_it_has_no_room_for() {
    for columns in (24..250).step_by(7) {
        let mut screen = Screen::new((columns, 40));
        press(&mut screen, "5");
        screen.model.zoomed = true;
        let title = &rows(&screen)[1];
        let whole = ["", "06-10", "06-10 02:50:54", "06-10 02:50:54 … 03:12:34"];
        let period = title.split(" · ").nth(1).unwrap_or_default().trim();
        assert!(whole.contains(&period) || columns < 36, "{columns}: {title}");
    }
}

#[test]
fn a_box_without_colours_is_not_dim() {
    let mut screen = Screen::new((120, 36));
    screen.model.theme = Theme::none();
    press(&mut screen, "5<enter>");
    assert!(matches!(screen.model.overlay, Some(Overlay::Event(_))));
    let buffer = drawn(&screen.model);
    let border = buffer[(0, 5)].clone();
    let blank = buffer[(110, 30)].clone();
    assert_eq!((border.symbol(), blank.symbol()), ("│", " "));
    assert_ne!(border.modifier, blank.modifier);
    assert!(blank.modifier.is_empty());
}

#[test]
fn the_help_moves_to_its_ends_and_leads_to_the_search() {
    let mut screen = Screen::new((80, 24));
    press(&mut screen, "?G");
    assert!(shows(&screen, "where text goes that is typed"), "{:#?}", rows(&screen));
    press(&mut screen, "g");
    assert!(shows(&screen, "Everywhere"));
    press(&mut screen, "/");
    assert!(screen.model.help.is_none() && matches!(screen.model.overlay, Some(Overlay::Palette(_))));
}

#[test]
fn the_palette_begins_with_what_one_opens_it_for() {
    let mut screen = Screen::new((80, 24));
    press(&mut screen, ":");
    let shown = rows(&screen);
    assert!(shown[3].contains("› next_pane"), "{shown:#?}");
    assert!(shows(&screen, "Filter the rules"), "{shown:#?}");
    press(&mut screen, "half");
    assert!(shows(&screen, "half_page_down"));
}

#[test]
fn long_lines_of_sql_go_on_below_or_to_the_right() {
    let mut screen = Screen::new((120, 40));
    press(&mut screen, "4");
    let literal = "'certutil.exe'";
    assert!(
        shows(&screen, literal) && !rows(&screen).last().unwrap().contains("scroll"),
        "{:#?}",
        rows(&screen)
    );
    let line = screen.model.sql_cursor;
    press(&mut screen, "jjjjjjW");
    assert_eq!(screen.model.sql_cursor, line + 6, "the cursor stays on its line");
    assert!(!shows(&screen, literal), "{:#?}", rows(&screen));
    assert!(rows(&screen).last().unwrap().contains("l scroll"), "{:#?}", rows(&screen));
    press(&mut screen, "llll");
    assert!(shows(&screen, literal), "{:#?}", rows(&screen));
    press(&mut screen, "W");
    assert_eq!((screen.model.sql_cursor, screen.model.offset(Pane::Sql).column), (line + 6, 0));
}

#[test]
fn a_click_on_any_row_of_a_long_line_goes_to_the_line() {
    let mut screen = Screen::new((120, 40));
    let row = rows(&screen).iter().position(|row| row.contains("'certutil.exe'")).unwrap();
    let sql = screen.model.entry().unwrap().sql_text().unwrap();
    let wanted = sql.lines().position(|line| line.contains("'certutil.exe'")).unwrap();
    screen.act(Action::Click(50, u16::try_from(row).unwrap()));
    assert_eq!(screen.model.sql_cursor, wanted);
}
