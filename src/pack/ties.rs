//! Routes of which neither wins.

use super::report::Report;
use super::routes::same_rules;
use super::{AliasScope, Route};
use crate::bridge::{Code, Severity};

pub(crate) static ROUTES_TIE: Code = Code {
    name: "pack_routes_tie",
    reason: None,
    severity: Severity::Warning,
    summary: "two routes that are equally specific and can take one rule",
    explanation: "A rule that both routes take is refused as unrouted_logsource, since neither is more specific. Let \
                  one of them name more of the log source, or keep the literals under `when` apart.",
};

/// Notes the pairs of routes that tie. Two for the very same rules have another finding.
pub(super) fn check(routes: &[Route], report: &mut Report) {
    for (index, route) in routes.iter().enumerate() {
        let Some(first) = routes.iter().take(index).find(|other| tie(other, route)) else { continue };
        let (path, start) = (first.place.path.display(), first.place.span.start);
        let message = format!(
            "`{}` ties with `{}`, {path}:{start}, for {}",
            name(route),
            name(first),
            rule(first, route)
        );
        report.path.clone_from(&route.place.path);
        report.raise(
            &ROUTES_TIE,
            route.place.span,
            message,
            Some("make one of them more specific".to_owned()),
        );
    }
}

fn tie(a: &Route, b: &Route) -> bool {
    let named = |route: &Route| {
        let parts = [&route.category, &route.product, &route.service].into_iter().flatten().count();
        (route.category.is_some(), parts + route.when.len())
    };
    let joined = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    let parts = [(&a.category, &b.category), (&a.product, &b.product), (&a.service, &b.service)];
    let apart =
        a.when.iter().any(|(field, of_a)| b.when.get(field).is_some_and(|of_b| of_a.is_disjoint(of_b)));
    !same_rules(a, b) && named(a) == named(b) && parts.into_iter().all(|(a, b)| joined(a, b)) && !apart
}

fn name(route: &Route) -> String {
    let (category, product, service) = (&route.category, &route.product, &route.service);
    let scope = AliasScope { category: category.clone(), product: product.clone(), service: service.clone() };
    scope.to_string()
}

/// A rule that both take, in words.
fn rule(a: &Route, b: &Route) -> String {
    let both = Route {
        category: a.category.clone().or_else(|| b.category.clone()),
        product: a.product.clone().or_else(|| b.product.clone()),
        service: a.service.clone().or_else(|| b.service.clone()),
        ..b.clone()
    };
    let mut fields: Vec<_> = a.when.keys().chain(b.when.keys()).map(|field| format!("`{field}`")).collect();
    fields.sort();
    fields.dedup();
    match fields.is_empty() {
        true => format!("a rule for `{}`", name(&both)),
        false => format!("a rule for `{}` on {}", name(&both), fields.join(" and ")),
    }
}
