//! The screen as a whole: what it looks like, what keys do, and that nothing breaks it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod acting;
mod chaos;
mod editing;
mod first_minute;
mod fixtures;
mod following;
mod frames;
mod keys;
mod legible;
mod links;
mod list;
mod live;
mod matches;
mod panes;
mod proposed;
mod rebound;
mod snapshots;
mod spark;
mod storm;
mod themes;
mod unicode;
mod why;
mod windows;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::command;
use super::model::Model;
use super::view;
use fixtures::Screen;

/// What the screen looks like.
fn drawn(model: &Model) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| view::draw(frame, model)).unwrap();
    terminal.backend().buffer().clone()
}

/// Presses keys: characters, and `<esc>` and the like.
fn press(screen: &mut Screen, keys: &str) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (event, length) = match named(rest) {
            Some((code, length)) => (KeyEvent::new(code, KeyModifiers::NONE), length),
            None => (KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE), c.len_utf8()),
        };
        rest = &rest[length..];
        if let Some(action) = command::action_for(&screen.model, event) {
            screen.act(action);
        }
    }
}

fn named(keys: &str) -> Option<(KeyCode, usize)> {
    let (name, _) = keys.strip_prefix('<')?.split_once('>')?;
    let code = match name {
        "esc" => KeyCode::Esc,
        "enter" => KeyCode::Enter,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "backspace" => KeyCode::Backspace,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        _ => return None,
    };
    Some((code, name.len() + 2))
}
