//! What stands in the place of route and aliases for a correlation or a filter, which have none of their own.
//!
//! ```text
//!  event_count over 2 rules, per WorkstationName
//!  Failed Network Logon
//!    */windows/security → 3002
//! ```

use super::paint::{PaneLine, paragraph, piece};
use crate::bridge::{Compilation, CorrelatedRule, CorrelationPlan};
use crate::sigma::Body;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// `None` for an event rule.
pub(super) fn lines(model: &Model, compilation: &Compilation, width: usize) -> Option<Vec<PaneLine>> {
    let said = |said: &str| Some(paragraph(model, Role::TextDim, " ", said, width));
    match (&compilation.rule.body, &compilation.correlation) {
        (Body::Correlation(_), Some(plan)) => Some(correlation(model, plan, width)),
        (Body::Correlation(_), None) => said("a correlation looks at the rules that it refers to"),
        (Body::Filter(_), _) => said("a filter has no route: it runs within the rules that it narrows"),
        (Body::Event(_) | Body::Unreadable, _) => None,
    }
}

fn correlation(model: &Model, plan: &CorrelationPlan, width: usize) -> Vec<PaneLine> {
    let mut lines = Vec::new();
    if let Some(step) = plan.steps.last() {
        let rules = if plan.rules.len() == 1 { "rule" } else { "rules" };
        let mut said = format!("{} over {} {rules}", step.kind.as_str(), plan.rules.len());
        if !step.keys.is_empty() {
            let keys: Vec<&str> = step.keys.iter().map(|key| key.name.0.as_str()).collect();
            said.push_str(&format!(", per {}", keys.join(", ")));
        }
        lines.extend(paragraph(model, Role::Text, " ", &said, width));
        lines.push(Vec::new());
    }
    for rule in &plan.rules {
        lines.extend(related(model, rule, width));
    }
    lines
}

fn related(model: &Model, rule: &CorrelatedRule, width: usize) -> Vec<PaneLine> {
    let scope = &rule.plan.scope;
    let classes: Vec<String> = scope.class_uids.iter().map(ToString::to_string).collect();
    let mut lines = paragraph(model, Role::Text, " ", &rule.title, width);
    let routed = format!("   {} → {}", scope.logsource, classes.join(", "));
    lines.push(vec![piece(&model.theme, Role::TextDim, &routed)]);
    lines
}
