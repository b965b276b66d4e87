//! The line that is being typed, and what follows from a change of it.

use super::{Effect, filter, palette};
use crate::tui::model::{Input, Model, Overlay, Stroke};

/// Puts typed or pasted text in.
pub(super) fn insert(model: &mut Model, text: &str) -> Vec<Effect> {
    change(model, |input| input.insert(text))
}

/// Moves in the line, or takes something away.
pub(super) fn stroke(model: &mut Model, stroke: Stroke) -> Vec<Effect> {
    change(model, |input| input.stroke(stroke))
}

fn change(model: &mut Model, change: impl FnOnce(&mut Input)) -> Vec<Effect> {
    let Some(input) = model.input_mut() else { return Vec::new() };
    let before = input.text().to_owned();
    change(input);
    if input.text() == before {
        return Vec::new();
    }
    match &mut model.overlay {
        Some(Overlay::Export(prompt)) => prompt.failed = None,
        Some(Overlay::Edit(edit)) => edit.failed = None,
        Some(Overlay::NewRule(open)) => {
            open.named = true;
            open.failed = None;
        }
        Some(Overlay::Palette(_)) => palette::search(model),
        None => return filter::typed(model),
        Some(_) => {}
    }
    Vec::new()
}
