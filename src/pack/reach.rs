//! Which routes an alias is for, and what of it they never see.

use std::collections::BTreeMap;

use super::paths::{self, routes_of};
use super::report::Report;
use super::{Alias, AliasScope, Fields, Route, Target, aliases};
use crate::bridge::{Code, Severity};
use crate::ocsf::ClassUid;
use crate::sigma::SigmaField;

pub(crate) static NOT_IN_ROUTE: Code = Code {
    name: "pack_not_in_route",
    reason: None,
    severity: Severity::Warning,
    summary: "an alias whose target the classes of one of its routes lack",
    explanation: "Rules of every route that the scope covers can use the alias, unless a narrower scope answers for \
                  them. Those of the named route are refused as unmapped_field. Map the field for them under a \
                  narrower scope, or limit this alias to the `classes` that have the target.",
};

pub(crate) static SHADOWED_ALIAS: Code = Code {
    name: "pack_shadowed_alias",
    reason: None,
    severity: Severity::Warning,
    summary: "an alias that no rule uses, since a narrower scope always answers first",
    explanation: "For each route that the scope covers, the pack has the field at a narrower scope, too. Remove one of \
                  the two. An alias of an extended pack is not shadowed in this sense by the pack that extends it.",
};

type Aliases = BTreeMap<AliasScope, Fields>;

/// Notes what is odd about a pack's `own` aliases, which have been checked by themselves. `bases` are those of the
/// packs that it extends, `routes` those of all.
pub(super) fn check(own: &Aliases, bases: &[&Aliases], routes: &[Route], report: &mut Report) {
    for (scope, fields) in own {
        for (field, alias) in fields.iter().flat_map(|(field, all)| all.iter().map(move |a| (field, a))) {
            let subject = Subject { scope, field, alias };
            report.path.clone_from(&alias.place.path);
            if let Some(narrower) = subject.shadow(own, routes) {
                let (path, start) = (narrower.place.path.display(), narrower.place.span.start);
                let message = format!("every rule that could use `{field}` here uses {path}:{start}");
                report.raise(&SHADOWED_ALIAS, alias.place.span, message, None);
                continue;
            }
            let mut answers = vec![own];
            answers.extend(bases);
            subject.lacking(&answers, routes, report);
        }
    }
}

struct Subject<'a> {
    scope: &'a AliasScope,
    field: &'a SigmaField,
    alias: &'a Alias,
}

impl<'a> Subject<'a> {
    /// The narrower alias that answers instead, where one does for every rule.
    fn shadow(&self, own: &'a Aliases, routes: &[Route]) -> Option<&'a Alias> {
        let could = |route: &&Route| paths::agrees(self.scope, route, true) && self.is_for(route);
        let narrower: Vec<_> =
            routes.iter().filter(could).map(|route| self.narrower(&[own], route)).collect::<Option<_>>()?;
        narrower.into_iter().next()
    }

    /// Notes the routes whose rules use the alias, and whose classes do not have its target.
    fn lacking(&self, answers: &[&'a Aliases], routes: &[Route], report: &mut Report) {
        let mut lacking = routes_of(self.scope, routes)
            .into_iter()
            .filter(|route| self.is_for(route) && !self.is_in(route))
            .filter(|route| self.narrower(answers, route).is_none())
            .map(|route| {
                let name = AliasScope {
                    category: route.category.clone(),
                    product: route.product.clone(),
                    service: route.service.clone(),
                };
                (name.to_string(), paths::list(&route.class_uids))
            });
        let Some((route, classes)) = lacking.next() else { return };
        let others = match lacking.count() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let (field, target) = (self.field, &self.alias.target);
        let message =
            format!("`{field}` is `{target}`, which route `{route}` to {classes} does not have{others}");
        let help = format!("map `{field}` for it at a narrower scope, or limit this alias to `classes`");
        report.raise(&NOT_IN_ROUTE, self.alias.place.span, message, Some(help));
    }

    /// Whether it answers for any class of the route.
    fn is_for(&self, route: &Route) -> bool {
        route.class_uids.iter().any(|class| self.alias.is_for(*class))
    }

    /// Whether any class of the route that it answers for has the target. That a CASE has no arm for the route's
    /// events is what its author says.
    fn is_in(&self, route: &Route) -> bool {
        route.class_uids.iter().any(|class| self.alias.is_for(*class) && self.alias.target.is_in(*class))
    }

    /// An alias that rules of the route within this scope find before this one, for all that this one is for.
    fn narrower(&self, answers: &[&'a Aliases], route: &Route) -> Option<&'a Alias> {
        let before = |scope: &AliasScope| rank(scope) > rank(self.scope) && self.covered(scope, route);
        let scopes = answers.iter().flat_map(|aliases| aliases.iter()).filter(|(scope, _)| before(scope));
        let aliases = scopes.filter_map(|(_, fields)| fields.get(self.field)).flatten();
        let own: Vec<ClassUid> =
            route.class_uids.iter().copied().filter(|class| self.alias.is_for(*class)).collect();
        aliases.into_iter().find(|other| own.iter().all(|class| other.is_for(*class)))
    }

    /// Whether a scope is for every rule of the route within this scope.
    fn covered(&self, scope: &AliasScope, route: &Route) -> bool {
        let parts = [
            (&scope.category, &route.category, &self.scope.category),
            (&scope.product, &route.product, &self.scope.product),
            (&scope.service, &route.service, &self.scope.service),
        ];
        parts.into_iter().all(|(named, route, own)| named.is_none() || named == route || named == own)
    }
}

/// The order in which scopes are looked at: the narrowest has the highest.
fn rank(scope: &AliasScope) -> (bool, bool, bool) {
    (scope.category.is_some(), scope.product.is_some(), scope.service.is_some())
}

impl Alias {
    /// Whether it answers for a class.
    pub(super) fn is_for(&self, class: ClassUid) -> bool {
        aliases::overlap(&self.class_uids, &[class])
            && !matches!(&self.target, Target::PerClass(targets) if !targets.contains_key(&class))
    }
}
