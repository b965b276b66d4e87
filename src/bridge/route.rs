//! The logsource router (specification, "Logsource router"): which OCSF events a rule looks at.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::plan::{RejectedRoute, RoutedScope, Routing};
use super::reason::ReasonCode;
use super::required::required;
use crate::pack::{Pack, Route};
use crate::sigma::{Detection, LogSource, Rule, SigmaField, Spanned, text};

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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

/// The routes of a pack, found by what they name. Each names a category or a service, and is about the rules that state
/// it.
pub(crate) struct Router<'p> {
    pack: &'p Pack,
    entries: Vec<Entry<'p>>,
    /// The places in `entries` of the routes for a category.
    categories: HashMap<&'p str, Vec<usize>>,
    /// Likewise for a service.
    services: HashMap<&'p str, Vec<usize>>,
}

struct Entry<'p> {
    route: &'p Route,
    /// [`Route::when`], folded.
    when: Vec<(&'p SigmaField, BTreeSet<String>)>,
    /// What the rules that it takes look at, which they share.
    scope: OnceCell<Arc<RoutedScope>>,
}

impl<'p> Router<'p> {
    pub(crate) fn new(pack: &'p Pack) -> Self {
        let mut router =
            Self { pack, entries: Vec::new(), categories: HashMap::new(), services: HashMap::new() };
        for (place, route) in pack.routes.iter().enumerate() {
            let folded = |values: &BTreeSet<String>| values.iter().map(|value| text::fold(value)).collect();
            let when = route.when.iter().map(|(field, values)| (field, folded(values))).collect();
            router.entries.push(Entry { route, when, scope: OnceCell::new() });
            if let Some(category) = &route.category {
                router.categories.entry(category).or_default().push(place);
            }
            if let Some(service) = &route.service {
                router.services.entry(service).or_default().push(place);
            }
        }
        router
    }

    /// Routes `rule`. The diagnostic says why it could not be.
    pub(crate) fn route(&self, rule: &Rule, detection: &Detection) -> (Routing, Option<Diagnostic>) {
        let tokens = Tokens::of(&rule.logsource);
        let mut requirements = Requirements { detection, known: BTreeMap::new() };
        let mut accepted: Vec<&Entry<'p>> = Vec::new();
        let mut routing = Routing::default();
        for entry in self.about(&tokens) {
            match refusal(entry, &tokens, &mut requirements) {
                None => accepted.push(entry),
                Some(why) => routing.rejected.push(rejected(entry.route, why)),
            }
        }
        let Some(best) = accepted.iter().map(|entry| specificity(entry.route)).max() else {
            let diagnostic = unrouted(rule, &tokens, self.pack, &routing);
            return (routing, Some(diagnostic));
        };
        let (winners, losers): (Vec<&Entry<'p>>, Vec<&Entry<'p>>) =
            accepted.into_iter().partition(|entry| specificity(entry.route) == best);
        let losers = losers.into_iter().map(|entry| rejected(entry.route, "less specific".to_owned()));
        routing.rejected.extend(losers);
        match winners.as_slice() {
            [winner] => {
                let scope = winner.scope.get_or_init(|| Arc::new(scope(winner.route)));
                routing.scope = Some(Arc::clone(scope));
                (routing, None)
            }
            _ => {
                let diagnostic = ambiguous(rule, &winners);
                (routing, Some(diagnostic))
            }
        }
    }

    /// The routes that name the rule's category or service, in the pack's order.
    fn about(&self, tokens: &Tokens) -> impl Iterator<Item = &Entry<'p>> {
        let of = |by: &HashMap<&str, Vec<usize>>, stated: &Option<String>| {
            stated.as_deref().and_then(|stated| by.get(stated)).cloned().unwrap_or_default()
        };
        let mut places = of(&self.categories, &tokens.category);
        places.extend(of(&self.services, &tokens.service));
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.entries.get(place))
    }
}

/// What a rule requires of the fields that routes ask about, each worked out once.
struct Requirements<'r> {
    detection: &'r Detection,
    known: BTreeMap<SigmaField, Option<BTreeSet<String>>>,
}

impl Requirements<'_> {
    fn of(&mut self, field: &SigmaField) -> Option<&BTreeSet<String>> {
        if !self.known.contains_key(field) {
            self.known.insert(field.clone(), required(self.detection, field));
        }
        self.known.get(field)?.as_ref().filter(|required| !required.is_empty())
    }
}

/// Why a route that is about the rule's category or service does not take the rule; `None` where it does.
fn refusal(entry: &Entry<'_>, tokens: &Tokens, requirements: &mut Requirements<'_>) -> Option<String> {
    let route = entry.route;
    let pairs = [
        ("category", &route.category, &tokens.category),
        ("product", &route.product, &tokens.product),
        ("service", &route.service, &tokens.service),
    ];
    let mismatch = pairs.into_iter().find(|(_, named, stated)| named.is_some() && named != stated);
    if let Some((name, named, stated)) = mismatch {
        let named = named.as_deref().unwrap_or_default();
        return Some(match stated {
            Some(stated) => format!("{name} is `{stated}`, not `{named}`"),
            None => format!("the rule states no {name}; this route is for `{named}`"),
        });
    }
    for (field, allowed) in &entry.when {
        let Some(required) = requirements.of(field) else {
            return Some(format!("the rule may match events of any `{field}`"));
        };
        if let Some(other) = required.difference(allowed).next() {
            return Some(format!("`{field}` {other} is not among those of this route"));
        }
    }
    None
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

fn ambiguous(rule: &Rule, winners: &[&Entry<'_>]) -> Diagnostic {
    let candidates: Vec<String> = winners
        .iter()
        .map(|Entry { route, .. }| {
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
