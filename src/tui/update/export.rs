//! Writing the matches of the selected rule to a file.

use std::path::{Path, PathBuf};

use super::{Effect, matches};
use crate::evaluate::{Export, ExportFormat};
use crate::tui::model::{ExportPrompt, Model, Overlay};
use crate::tui::text;
use crate::tui::worker::{Exported, Rows};

/// Asks for a name, with one to begin with.
pub(super) fn ask(model: &mut Model) {
    let Some(entry) = model.entry() else { return };
    let stem = entry.key.path.file_stem().map_or("matches".into(), |stem| stem.to_string_lossy());
    let stem: String = stem.chars().filter(|c| !c.is_control()).collect();
    let name = format!("{stem}.{}", ExportFormat::Csv.extension());
    model.overlay = Some(Overlay::Export(ExportPrompt { name: name.into(), writing: false, failed: None }));
}

/// Lets the name end as those of the next format do.
pub(super) fn next_format(model: &mut Model) {
    let Some(Overlay::Export(prompt)) = &mut model.overlay else { return };
    let name = prompt.name.text();
    let now = ExportFormat::of_path(Path::new(name));
    let at = now.and_then(|now| ExportFormat::ALL.into_iter().position(|format| format == now));
    let next = ExportFormat::ALL.into_iter().cycle().nth(at.map_or(0, |at| at + 1));
    if let Some(next) = next {
        let stem = now.and_then(|now| name.get(..name.len() - now.extension().len() - 1));
        prompt.name = format!("{}.{}", stem.unwrap_or(name), next.extension()).into();
    }
    prompt.failed = None;
}

pub(super) fn write(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Export(prompt)) = &model.overlay else { return Vec::new() };
    let path = PathBuf::from(prompt.name.text().trim());
    let outcome = match ExportFormat::of_path(&path) {
        _ if prompt.writing => return Vec::new(),
        None => Err("let the name end in .csv, .jsonl or .parquet".to_owned()),
        Some(format) => {
            let export = Export { format, order: model.matches.order, limit: None };
            matches::rows_wanted(model, Rows::Export(Box::new((export, path))))
                .ok_or_else(|| "the rule does not run as it stands".to_owned())
        }
    };
    let Some(Overlay::Export(prompt)) = &mut model.overlay else { return Vec::new() };
    match outcome {
        Ok(wanted) => {
            prompt.writing = true;
            prompt.failed = None;
            vec![Effect::Rows { generation: 0, wanted }]
        }
        Err(error) => {
            prompt.failed = Some(error);
            Vec::new()
        }
    }
}

pub(super) fn ended(model: &mut Model, exported: Result<Exported, String>) {
    match (exported, &mut model.overlay) {
        (Ok(exported), overlay) => {
            if matches!(overlay, Some(Overlay::Export(prompt)) if prompt.writing) {
                *overlay = None;
            }
            let matches = text::count(exported.matches);
            let word = if exported.matches == 1 { "match" } else { "matches" };
            model.notices.push(format!("wrote {matches} {word} to {}", exported.path.display()));
        }
        (Err(error), Some(Overlay::Export(prompt))) if prompt.writing => {
            prompt.writing = false;
            prompt.failed = Some(error);
        }
        (Err(error), _) => model.notices.push(error),
    }
}
