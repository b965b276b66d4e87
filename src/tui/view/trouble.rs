//! What is said in the place of rules or events that there are none of: what is wrong, where, and what to do.

use super::paint::{PaneLine, paragraph};
use crate::tui::model::{Model, Pane};
use crate::tui::theme::Role;

/// Nothing to list.
pub(super) fn no_rules(model: &Model, width: usize) -> Vec<PaneLine> {
    let roots = &model.opened.rules;
    if roots.is_empty() {
        return [
            paragraph(model, Role::Error, " ✗ ", "no rules are open", width),
            vec![Vec::new()],
            paragraph(
                model,
                Role::Text,
                " ",
                "Leave with q and name some: sigma-ocsf-tui RULES --parquet EVENTS. Or type :welcome for the demo, and for \
                 what was open before.",
                width,
            ),
        ]
        .concat();
    }
    let mut lines = paragraph(model, Role::Error, " ✗ ", "no rule in", width);
    for root in roots {
        lines.extend(paragraph(model, Role::Text, "   ", &root.display().to_string(), width));
    }
    lines.push(Vec::new());
    let remedy = "Rules are files that end in .yml or .yaml, in the folder or below it. Save one there, and it shows here.";
    lines.extend(paragraph(model, Role::Text, " ", remedy, width));
    lines
}

/// Why the events do not open; none where they do.
pub(super) fn no_events(model: &Model, width: usize) -> Vec<PaneLine> {
    let Some(error) = &model.dataset.error else { return Vec::new() };
    // What DuckDB says after an empty line is where in a statement that nobody has written.
    let error = error.split("\n\n").next().unwrap_or_default();
    let mut lines = paragraph(model, Role::Error, " ✗ ", error, width);
    lines.push(Vec::new());
    let remedy = "Events are a run folder, a folder with Parquet files in it or below it, one Parquet file, or \
                  ocsf_events.jsonl. This opens them as soon as they can be read; the command 'reload' tries at once.";
    lines.extend(paragraph(model, Role::DiagnosticHelp, "   ", remedy, width));
    if model.dataset.info.is_some() {
        lines.extend(paragraph(model, Role::TextDim, "   ", "below: as the events were before that", width));
    }
    lines.push(Vec::new());
    lines
}

/// What is said above the rules where there are no events for any of them; nothing where there are, or none were asked
/// for.
pub(super) fn nothing_to_run_on(model: &Model, width: usize) -> Vec<PaneLine> {
    if model.dataset.error.is_none() || model.dataset.info.is_some() || model.rules.is_empty() {
        return Vec::new();
    }
    let key = model.keymap.shown(Pane::Matches.command()).map(|key| format!("; {key} says what to do"));
    let said = format!("no events{}", key.unwrap_or_default());
    paragraph(model, Role::Error, " ✗ ", &said, width)
}

/// What to do about a pack that does not load; the findings stand above it.
pub(super) fn no_pack(model: &Model, width: usize) -> Vec<PaneLine> {
    let said = match model.pack.info {
        Some(_) => "below: as the pack was when it last loaded",
        None => {
            "No rule can be compiled until the pack loads. Save it mended, and this goes on by itself; with \
             'sigma-ocsf-tui pack validate PACK' all findings are told as text."
        }
    };
    paragraph(model, Role::TextDim, "   ", said, width)
}
