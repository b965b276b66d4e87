//! `routes.yaml`

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Literal, LogsourceFile, OneOrMany, RouteFile};
use super::load::PACK_SYNTAX;
use super::report::{Report, span_of};
use super::{Route, filters};
use crate::bridge::{Code, Severity};
use crate::ocsf::{Catalog, ClassUid};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{SigmaField, Span};

pub(crate) static UNKNOWN_CLASS: Code = Code {
    name: "pack_unknown_class",
    reason: None,
    severity: Severity::Error,
    summary: "a class uid that the pinned OCSF version does not have",
    explanation: "Classes are named by class_uid, those of the Windows extension with its uid in front (201001). \
                  Events of a class that does not exist can never be found.",
};

pub(crate) static BAD_ROUTE: Code = Code {
    name: "pack_bad_route",
    reason: None,
    severity: Severity::Error,
    summary: "a route that leads nowhere or could take any rule",
    explanation: "A route names a category or, for rules without one, a service; `logsource` holds text that is \
                  not empty; `classes` holds at least one class; `when` holds at least one literal a field.",
};

pub(crate) static DUPLICATE_ROUTE: Code = Code {
    name: "pack_duplicate_route",
    reason: None,
    severity: Severity::Error,
    summary: "two routes for the same rules",
    explanation: "Two routes with the same log source and the same `when` always tie, and a tie routes nothing. One \
                  route may lead to several classes.",
};

/// The routes, in their order. Those with errors are left out, and so the pack does not load.
pub(super) fn read(node: &Node, report: &mut Report) -> Vec<Route> {
    let NodeKind::Sequence(entries) = &node.kind else {
        report.raise(&PACK_SYNTAX, node.span, "routes.yaml is a list of routes".to_owned(), None);
        return Vec::new();
    };
    let mut routes: Vec<Route> = Vec::new();
    for entry in entries {
        let Some(route) = route(entry, report) else { continue };
        if let Some(first) = routes.iter().find(|other| same_rules(other, &route)) {
            let message =
                format!("this route takes the same rules as the one at line {}", first.place.span.start.line);
            report.raise(&DUPLICATE_ROUTE, entry.span, message, Some("make one route of them".to_owned()));
        }
        routes.push(route);
    }
    routes
}

pub(super) fn same_rules(a: &Route, b: &Route) -> bool {
    (&a.category, &a.product, &a.service, &a.when) == (&b.category, &b.product, &b.service, &b.when)
}

fn route(node: &Node, report: &mut Report) -> Option<Route> {
    let file: RouteFile = report.accept(&PACK_SYNTAX, yaml::from_node(node))?;
    let [category, product, service] = logsource(file.logsource, span_of(node, &["logsource"]), report)?;
    let class_uids = classes(&file.classes, node, report)?;
    let when = when(file.when, node, report)?;
    let filters = match node.get("filters") {
        Some(node) => filters::read(node, &class_uids, report)?,
        None => Vec::new(),
    };
    let (keywords, place) = (Vec::new(), report.place(node.span));
    Some(Route { category, product, service, when, class_uids, filters, keywords, place })
}

fn logsource(file: LogsourceFile, span: Span, report: &mut Report) -> Option<[Option<String>; 3]> {
    let parts =
        [file.category, file.product, file.service].map(|part| part.map(|p| p.trim().to_ascii_lowercase()));
    if parts.iter().flatten().any(String::is_empty) {
        return report.refuse(&BAD_ROUTE, span, "an empty part of a log source".to_owned(), None);
    }
    match &parts {
        [None, _, None] => {
            let message = "a route names a category, or a service for rules without one".to_owned();
            report.refuse(&BAD_ROUTE, span, message, None)
        }
        _ => Some(parts),
    }
}

/// `classes` of a route, ascending; `None` where there is none, or one that the catalog does not have.
fn classes(uids: &[u32], node: &Node, report: &mut Report) -> Option<Vec<ClassUid>> {
    if uids.is_empty() {
        let message = "a route leads to at least one class".to_owned();
        return report.refuse(&BAD_ROUTE, span_of(node, &["classes"]), message, None);
    }
    known_classes(uids, span_of(node, &["classes"]), report)
}

/// The classes, ascending; `None` where one is not in the catalog.
pub(super) fn known_classes(uids: &[u32], span: Span, report: &mut Report) -> Option<Vec<ClassUid>> {
    let classes: BTreeSet<_> = uids.iter().map(|uid| ClassUid(*uid)).collect();
    match classes.iter().find(|class| !Catalog::pinned().has_class(**class)) {
        Some(class) => {
            let message = format!("OCSF {} has no class {class}", crate::ocsf::OCSF_VERSION);
            report.refuse(&UNKNOWN_CLASS, span, message, None)
        }
        None => Some(classes.into_iter().collect()),
    }
}

fn when(
    file: BTreeMap<String, OneOrMany>,
    node: &Node,
    report: &mut Report,
) -> Option<BTreeMap<SigmaField, BTreeSet<String>>> {
    let mut when = BTreeMap::new();
    for (field, literals) in file {
        let literals = match literals {
            OneOrMany::One(literal) => vec![literal],
            OneOrMany::Many(literals) => literals,
        };
        if literals.is_empty() {
            let message = format!("`when` has no literal for `{field}`");
            return report.refuse(&BAD_ROUTE, span_of(node, &["when", &field]), message, None);
        }
        when.insert(SigmaField(field), literals.into_iter().map(literal_text).collect());
    }
    Some(when)
}

fn literal_text(literal: Literal) -> String {
    match literal {
        Literal::Integer(number) => number.to_string(),
        Literal::Boolean(boolean) => boolean.to_string(),
        Literal::Text(text) => text,
    }
}
