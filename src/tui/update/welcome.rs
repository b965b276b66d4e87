//! The first minute: the demo, and what was open before.

use super::Effect;
use crate::tui::model::{Model, Overlay, Welcome};

/// Shows what can be opened.
pub(super) fn show(model: &mut Model) {
    model.overlay = Some(Overlay::Welcome(Welcome { recent: model.recent.clone(), cursor: 0 }));
}

/// Opens what is under the cursor.
pub(super) fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Welcome(open)) = &model.overlay else { return Vec::new() };
    match open.cursor.checked_sub(1) {
        None => vec![Effect::OpenDemo],
        Some(at) => open.recent.get(at).cloned().map(Effect::OpenWorkspace).into_iter().collect(),
    }
}
