//! What stands in the place of route and aliases for a correlation or a filter, which have none of their own.
//!
//! ```text
//!  event_count over 2 rules, per WorkstationName
//!  Failed Network Logon
//!    */windows/security → 3002
//! ```

use super::link::{About, Link};
use super::paint::{self, PaneLine, paragraph, piece};
use super::route::Part;
use crate::bridge::{Compilation, CorrelatedRule, CorrelationInput, CorrelationPlan, Source};
use crate::sigma::{Body, Correlation};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// `None` for an event rule.
pub(super) fn parts(
    model: &Model,
    compilation: &Compilation,
    width: usize,
    link: &Link,
) -> Option<Vec<Part>> {
    let said =
        |said: &str| Some(vec![Part::new(About::Nothing, paragraph(model, Role::TextDim, " ", said, width))]);
    match (&compilation.rule.body, &compilation.correlation) {
        (Body::Correlation(rule), Some(plan)) => Some(correlation(model, (rule, plan), width, link)),
        (Body::Correlation(_), None) => said("a correlation looks at the rules that it refers to"),
        (Body::Filter(_), _) => said("a filter has no route: it runs within the rules that it narrows"),
        (Body::Event(_) | Body::Unreadable, _) => None,
    }
}

fn correlation(
    model: &Model,
    (rule, plan): (&Correlation, &CorrelationPlan),
    width: usize,
    link: &Link,
) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(step) = plan.steps.last() {
        let rules = if plan.rules.len() == 1 { "rule" } else { "rules" };
        let mut said = format!("{} over {} {rules}", step.kind.as_str(), plan.rules.len());
        if !step.keys.is_empty() {
            let keys: Vec<&str> = step.keys.iter().map(|key| key.name.0.as_str()).collect();
            said.push_str(&format!(", per {}", keys.join(", ")));
        }
        let kind = rule.kind.iter().map(|kind| kind.span);
        let keys = rule.group_by.iter().map(|key| key.span);
        let time = rule.timespan.iter().map(|time| time.span);
        let about = About::Parts(kind.chain(keys).chain(time).collect());
        parts.push(part(model, about, paragraph(model, Role::Text, " ", &said, width), link));
        parts.push(Part::new(About::Nothing, vec![Vec::new()]));
    }
    let inputs = plan.steps.last().map_or(&[][..], |step| &step.inputs);
    for (place, related) in plan.rules.iter().enumerate() {
        let refers = |input: &&CorrelationInput| reaches(plan, input, place);
        let about = About::Parts(inputs.iter().filter(refers).map(|input| input.span).collect());
        parts.push(part(model, about, lines(model, related, width), link));
    }
    parts
}

/// Whether an input is the rule at `place`, or a correlation of it.
fn reaches(plan: &CorrelationPlan, input: &CorrelationInput, place: usize) -> bool {
    match input.source {
        Source::Rule(rule) => rule == place,
        // Steps only look at earlier ones.
        Source::Step(step) => {
            let inputs = plan.steps.get(step).map_or(&[][..], |step| &step.inputs);
            inputs.iter().any(|input| reaches(plan, input, place))
        }
    }
}

fn part(model: &Model, about: About, mut lines: Vec<PaneLine>, link: &Link) -> Part {
    if let Some(first) = lines.first_mut().filter(|_| link.has(&about)) {
        paint::mark_linked(first, &model.theme);
    }
    Part::new(about, lines)
}

fn lines(model: &Model, rule: &CorrelatedRule, width: usize) -> Vec<PaneLine> {
    let scope = &rule.plan.scope;
    let classes: Vec<String> = scope.class_uids.iter().map(ToString::to_string).collect();
    let mut lines = paragraph(model, Role::Text, " ", &rule.title, width);
    let routed = format!("   {} → {}", scope.logsource, classes.join(", "));
    lines.push(vec![piece(&model.theme, Role::TextDim, &routed)]);
    lines
}
