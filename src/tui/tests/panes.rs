//! Layouts, borders that move, double clicks: by key and by mouse.

use super::fixtures::Screen;
use super::keys::text;
use super::{drawn, press};
use crate::tui::action::Action;
use crate::tui::model::{Arrangement, Border, Pane};
use crate::tui::view::Layout;

/// Each arrangement on a small, a usual and a large screen.
#[test]
fn layouts() {
    for (columns, rows) in [(80, 24), (120, 40), (250, 70)] {
        for (name, keys) in [
            ("grid", "2"),
            ("wide", "2:layout_wide<enter>"),
            ("stacked", "2:layout_stacked<enter>"),
            ("zoomed", "2z"),
        ] {
            let mut screen = Screen::new((columns, rows));
            press(&mut screen, keys);
            let name = format!("layout_{name}_{columns}x{rows}");
            insta::assert_snapshot!(name, text(&screen));
        }
    }
}

fn place(screen: &Screen, border: Border) -> Option<(u16, u16)> {
    let mut borders = Layout::of(&screen.model).borders();
    borders.find(|(other, _)| *other == border).map(|(_, area)| (area.x, area.y))
}

fn drag(screen: &mut Screen, from: (u16, u16), to: (u16, u16)) {
    screen.act(Action::Click(from.0, from.1));
    screen.act(Action::Drag(to.0, to.1));
    screen.act(Action::Release);
}

#[test]
fn what_does_not_fit_gives_way_and_says_so() {
    let mut screen = Screen::new((120, 40));
    press(&mut screen, "L");
    assert_eq!(screen.model.panes.arrangement, Arrangement::Stacked);
    press(&mut screen, "L:layout_wide<enter>");
    assert_eq!(screen.model.panes.arrangement, Arrangement::Wide);
    assert!(place(&screen, Border::GridRow).is_some(), "the grid is shown");
    assert!(text(&screen).contains("layout wide is shown from 160 columns and 8 rows on"));
    screen.act(Action::Resize(160, 40));
    assert!(place(&screen, Border::WideSql).is_some());
    screen.act(Action::Resize(80, 12));
    assert_eq!(Layout::of(&screen.model).borders().count(), 0);
}

#[test]
fn every_pane_keeps_a_title_and_a_few_words_however_borders_are_dragged() {
    for (columns, rows, keys) in [(100, 24, ""), (250, 70, ""), (160, 24, "L"), (80, 24, "L"), (30, 20, "L")]
    {
        let mut screen = Screen::new((columns, rows));
        press(&mut screen, keys);
        let borders: Vec<_> = Layout::of(&screen.model).borders().collect();
        assert!(!borders.is_empty(), "{columns}×{rows} {keys}");
        for (border, _) in borders {
            for to in [(0, 0), (columns * 2, rows * 2), (columns / 2, rows / 2)] {
                let Some(from) = place(&screen, border) else { panic!("{border:?} is gone") };
                drag(&mut screen, from, to);
                for pane in Pane::ALL {
                    let area = Layout::of(&screen.model).pane(pane).unwrap();
                    assert!(area.width >= 16 && area.height >= 3, "{border:?} to {to:?}: {pane:?} {area:?}");
                    assert!(area.right() <= columns && area.bottom() < rows);
                }
                drawn(&screen.model);
            }
        }
    }
}

#[test]
fn a_dragged_border_stands_under_the_mouse_and_its_neighbours_stay() {
    let mut screen = Screen::new((200, 50));
    let (list, middle) =
        (place(&screen, Border::GridList).unwrap(), place(&screen, Border::GridMiddle).unwrap());
    drag(&mut screen, (list.0, 30), (47, 3));
    assert_eq!(place(&screen, Border::GridList), Some((47, 0)));
    assert_eq!(place(&screen, Border::GridMiddle), Some(middle));
    let row = place(&screen, Border::GridRow).unwrap().1;
    drag(&mut screen, (middle.0, row), (100, 11));
    assert_eq!(place(&screen, Border::GridMiddle).unwrap().0, 100);
    assert_eq!(place(&screen, Border::GridRow).unwrap().1, 11, "both, where they cross");
    screen.act(Action::Drag(20, 20));
    assert_eq!(place(&screen, Border::GridList), Some((47, 0)), "nothing is held any more");
    screen.act(Action::Resize(100, 50));
    assert_eq!(place(&screen, Border::GridMiddle).unwrap().0, 50, "its share holds on another size");
    screen.act(Action::Resize(200, 50));
    screen.act(Action::DoubleClick(47, 30));
    assert_eq!(place(&screen, Border::GridList), Some(list), "where it was before");
}

#[test]
fn keys_move_the_borders_of_the_focused_pane() {
    let width = |screen: &Screen, pane| Layout::of(&screen.model).pane(pane).unwrap().width;
    let height = |screen: &Screen, pane| Layout::of(&screen.model).pane(pane).unwrap().height;
    for (key, pane) in [("1", Pane::Rules), ("2", Pane::Source), ("3", Pane::Route), ("5", Pane::Matches)] {
        let mut screen = Screen::new((150, 40));
        let before = (width(&screen, pane), height(&screen, pane));
        press(&mut screen, &format!("{key}>"));
        assert_eq!(width(&screen, pane), before.0 + 2, "{pane:?}");
        press(&mut screen, "<<+");
        let taller = u16::from(pane != Pane::Rules);
        assert_eq!(
            (width(&screen, pane), height(&screen, pane)),
            (before.0 - 2, before.1 + taller),
            "{pane:?}"
        );
        press(&mut screen, "-");
        assert_eq!(height(&screen, pane), before.1, "{pane:?}");
    }
}

#[test]
fn a_double_click_shows_a_pane_alone_and_all_again() {
    let mut screen = Screen::new((120, 40));
    screen.act(Action::Click(60, 30));
    screen.act(Action::DoubleClick(60, 30));
    assert!(screen.model.zoomed && screen.model.focus == Pane::Sql);
    screen.act(Action::DoubleClick(60, 30));
    assert!(!screen.model.zoomed);
    press(&mut screen, "?");
    screen.act(Action::DoubleClick(60, 30));
    assert!(!screen.model.zoomed && screen.model.help.is_none());
}
