//! The logsource router (specification, "Logsource router"): which OCSF events a rule looks at.

use std::collections::BTreeSet;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::plan::{RejectedRoute, RoutedScope, Routing};
use super::reason::ReasonCode;
use super::required::required;
use crate::pack::{Pack, Route};
use crate::sigma::{Detection, LogSource, Rule, Spanned, text};

/// No route takes the rule's log source.
pub(crate) static UNROUTED_LOGSOURCE: Code = Code {
    name: "unrouted_logsource",
    reason: Some(ReasonCode::UnroutedLogsource),
    severity: Severity::Error,
    summary: "the pack has no route for the rule's log source",
    explanation: "A rule runs only over the OCSF classes that a route of the mapping pack gives for its \
`logsource`. A route takes a rule when every field that it names (category, product, service) equals the \
rule's; a field that the rule does not state is never assumed. Add a route to the pack's `routes.yaml`, or \
correct the rule's `logsource`.",
};

/// Two routes take the rule and neither is more specific.
pub(crate) static AMBIGUOUS_ROUTING: Code = Code {
    name: "ambiguous_routing",
    reason: Some(ReasonCode::UnroutedLogsource),
    severity: Severity::Error,
    summary: "two routes of the pack are equally specific",
    explanation: "Of the routes that take a rule, the most specific one wins: a route with a category before \
one without, then the one that names more fields, conditions under `when` included. Here two tie, and the \
bridge never picks one by chance. Make one of them more specific, or join them into one route with several \
classes.",
};

/// A log source as the router compares it: trimmed, ASCII lower case, blank as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) category: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) service: Option<String>,
}

impl Tokens {
    pub(crate) fn of(logsource: &LogSource) -> Self {
        let token = |part: &Option<Spanned<String>>| {
            part.as_ref().map(|p| p.value.trim().to_ascii_lowercase()).filter(|t| !t.is_empty())
        };
        Self {
            category: token(&logsource.category),
            product: token(&logsource.product),
            service: token(&logsource.service),
        }
    }

    /// `category/product/service`, `*` for what is not stated, nothing behind the last stated one.
    pub(crate) fn text(&self) -> String {
        logsource_text(&self.category, &self.product, &self.service)
    }
}

/// A log source in one word, for people.
pub(crate) fn logsource_text(
    category: &Option<String>,
    product: &Option<String>,
    service: &Option<String>,
) -> String {
    let mut parts: Vec<&str> =
        [category, product, service].map(|part| part.as_deref().unwrap_or("*")).into_iter().collect();
    while parts.len() > 1 && parts.last() == Some(&"*") {
        parts.pop();
    }
    parts.join("/")
}

/// Routes `rule`. The diagnostic says why it could not be.
pub(crate) fn route(rule: &Rule, detection: &Detection, pack: &Pack) -> (Routing, Option<Diagnostic>) {
    let tokens = Tokens::of(&rule.logsource);
    let mut accepted: Vec<&Route> = Vec::new();
    let mut routing = Routing::default();
    for route in &pack.routes {
        match takes(route, &tokens, detection) {
            Verdict::Takes => accepted.push(route),
            Verdict::Not(why) => routing.rejected.push(rejected(route, why)),
            Verdict::Unrelated => {}
        }
    }
    let Some(best) = accepted.iter().map(|route| specificity(route)).max() else {
        let diagnostic = unrouted(rule, &tokens, pack, &routing);
        return (routing, Some(diagnostic));
    };
    let (winners, losers): (Vec<&Route>, Vec<&Route>) =
        accepted.into_iter().partition(|route| specificity(route) == best);
    routing.rejected.extend(losers.into_iter().map(|route| rejected(route, "less specific".to_owned())));
    match winners.as_slice() {
        [winner] => {
            routing.scope = Some(scope(winner));
            (routing, None)
        }
        _ => {
            let diagnostic = ambiguous(rule, &winners);
            (routing, Some(diagnostic))
        }
    }
}

enum Verdict {
    Takes,
    /// It is about the same category or service, but does not take this rule.
    Not(String),
    Unrelated,
}

fn takes(route: &Route, tokens: &Tokens, detection: &Detection) -> Verdict {
    let pairs = [
        ("category", &route.category, &tokens.category),
        ("product", &route.product, &tokens.product),
        ("service", &route.service, &tokens.service),
    ];
    let related = (route.category.is_some() && route.category == tokens.category)
        || (route.service.is_some() && route.service == tokens.service);
    let mismatch = pairs.into_iter().find(|(_, named, stated)| named.is_some() && named != stated);
    if let Some((name, named, stated)) = mismatch {
        if !related {
            return Verdict::Unrelated;
        }
        let named = named.as_deref().unwrap_or_default();
        return Verdict::Not(match stated {
            Some(stated) => format!("{name} is `{stated}`, not `{named}`"),
            None => format!("the rule states no {name}; this route is for `{named}`"),
        });
    }
    for (field, allowed) in &route.when {
        let Some(required) = required(detection, field).filter(|required| !required.is_empty()) else {
            return Verdict::Not(format!("the rule may match events of any `{field}`"));
        };
        let allowed: BTreeSet<String> = allowed.iter().map(|value| text::fold(value)).collect();
        if let Some(other) = required.difference(&allowed).next() {
            return Verdict::Not(format!("`{field}` {other} is not among those of this route"));
        }
    }
    Verdict::Takes
}

/// Category is primary; then the number of things that the route asks for.
fn specificity(route: &Route) -> (bool, usize) {
    let named = [&route.category, &route.product, &route.service].into_iter().flatten().count();
    (route.category.is_some(), named + route.when.len())
}

fn scope(route: &Route) -> RoutedScope {
    RoutedScope {
        logsource: logsource_text(&route.category, &route.product, &route.service),
        class_uids: route.class_uids.clone(),
        filters: route.filters.clone(),
        keywords: route.keywords.clone(),
        place: route.place.clone(),
    }
}

fn rejected(route: &Route, why: String) -> RejectedRoute {
    let logsource = logsource_text(&route.category, &route.product, &route.service);
    RejectedRoute { logsource, why, place: route.place.clone() }
}

fn unrouted(rule: &Rule, tokens: &Tokens, pack: &Pack, routing: &Routing) -> Diagnostic {
    let stated = match tokens.text().as_str() {
        "*" => "a rule that states no log source".to_owned(),
        text => format!("`{text}`"),
    };
    let help = match routing.rejected.first() {
        Some(near) => format!("the nearest route is `{}`: {}", near.logsource, near.why),
        None => {
            "add a route for it to the pack's routes.yaml, with the OCSF classes it stands for".to_owned()
        }
    };
    Diagnostic {
        code: &UNROUTED_LOGSOURCE,
        message: format!("pack `{}` has no route for {stated}", pack.manifest.id),
        path: rule.path.to_path_buf(),
        span: rule.logsource.span,
        help: Some(help),
    }
}

fn ambiguous(rule: &Rule, winners: &[&Route]) -> Diagnostic {
    let candidates: Vec<String> = winners
        .iter()
        .map(|route| {
            let logsource = logsource_text(&route.category, &route.product, &route.service);
            format!("`{logsource}` (line {})", route.place.span.start.line)
        })
        .collect();
    Diagnostic {
        code: &AMBIGUOUS_ROUTING,
        message: format!("Ambiguous routing: {} take the rule and tie", candidates.join(" and ")),
        path: rule.path.to_path_buf(),
        span: rule.logsource.span,
        help: Some("make one of the routes more specific, or join them".to_owned()),
    }
}
