//! The coverage of the rules on the screen, and the way from each number to its rules.

use std::sync::Arc;

use super::{Effect, bench, filter, list, navigate};
use crate::tui::action::Narrow;
use crate::tui::model::{AliasAway, CoverageLine, CoverageView, Model, Overlay, Pane};

/// Opens the coverage, and asks for the aliases that would add most rules.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.overlay = Some(Overlay::Coverage(CoverageView::new(model, None)));
    ask(model)
}

fn ask(model: &mut Model) -> Vec<Effect> {
    model.generations.gaps += 1;
    let compiled = model.rules.iter().filter_map(|entry| entry.compiled.clone()).collect();
    vec![Effect::Gaps { generation: model.generations.gaps, compiled }]
}

/// Counts have changed under the open coverage.
pub(super) fn recount(model: &mut Model) {
    let Some(Overlay::Coverage(open)) = &model.overlay else { return };
    let mut now = CoverageView::new(model, open.away.clone());
    now.cursor = now.stop_near(open.cursor);
    model.overlay = Some(Overlay::Coverage(now));
}

/// Rules or pack have changed under it.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    if !matches!(model.overlay, Some(Overlay::Coverage(_))) {
        return Vec::new();
    }
    recount(model);
    ask(model)
}

/// The aliases that would add most rules have been found.
pub(super) fn found(model: &mut Model, away: Vec<AliasAway>) {
    let Some(Overlay::Coverage(open)) = &mut model.overlay else { return };
    open.away = Some(Arc::new(away));
    recount(model);
}

/// Opens the rules behind the line under the cursor; of an alias that is missing, what it could be.
pub(super) fn follow(model: &mut Model, narrow: Narrow) -> Vec<Effect> {
    let Some(Overlay::Coverage(open)) = &model.overlay else { return Vec::new() };
    let Some(line) = open.lines.get(open.cursor) else { return Vec::new() };
    match (line, narrow) {
        (CoverageLine::Away(away), Narrow::Best) => {
            let away = away.clone();
            model.overlay = None;
            let mut effects = filter_to(model, String::new(), false);
            effects.extend(list::go_to(model, away.rule));
            effects.extend(bench::propose_for(model, &away.field));
            effects
        }
        (CoverageLine::Away(away), _) => filter_to(model, away.filter(), true),
        (CoverageLine::Figure(figure), _) => {
            let words = [figure.filter.as_str(), narrow.word()];
            filter_to(model, words.join(" ").trim().to_owned(), true)
        }
        _ => Vec::new(),
    }
}

/// Leaves for the rule list, filtered.
fn filter_to(model: &mut Model, text: String, first: bool) -> Vec<Effect> {
    model.overlay = None;
    model.focus = Pane::Rules;
    model.filter.editing = false;
    let mut effects = filter::set(model, text);
    if first {
        effects.extend(navigate::select_at(model, 0));
    }
    effects
}
