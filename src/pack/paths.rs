//! Paths of a pack to columns, by the pinned catalog.

use super::report::Report;
use super::{AliasScope, Column, Route};
use crate::bridge::{Code, Severity};
use crate::ocsf::{Attribute, Catalog, ClassUid, FieldType, OcsfPath};
use crate::sigma::Span;

pub(crate) static UNKNOWN_PATH: Code = Code {
    name: "pack_unknown_path",
    reason: None,
    severity: Severity::Error,
    summary: "a path that no class that could use it has",
    explanation: "Paths are checked against the pinned OCSF catalog, in the classes of the routes that the statement \
                  is for. A path that none of them has would be NULL in every event, and a rule that reads it would \
                  never match. A path names a value, not an object that holds values. No path holds a control \
                  character or a mark that cannot be seen.",
};

pub(crate) static AMBIGUOUS_TYPE: Code = Code {
    name: "pack_ambiguous_type",
    reason: None,
    severity: Severity::Error,
    summary: "values of differing types under one alias",
    explanation: "A field of a rule is compared as one type. Where the classes of an alias, or its several targets, \
                  have values of differing types, alias them for each class under narrower scopes.",
};

/// The column of a field of the source, which no catalog knows; `None`, and a finding, where its name would not
/// show as it is.
pub(super) fn raw(path: OcsfPath, field_type: FieldType, span: Span, report: &mut Report) -> Option<Column> {
    if path.as_str().chars().any(is_invisible) {
        let message =
            format!("`{}` holds a control character or an invisible mark", path.as_str().escape_debug());
        return report.refuse(&UNKNOWN_PATH, span, message, None);
    }
    Some(Column { path, field_type, list: false })
}

/// Control characters, and marks that reorder or hide text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The column that `path` is in those of `classes` that have it; `None`, and a finding, where none has.
pub(super) fn column(
    path: OcsfPath,
    classes: &[ClassUid],
    span: Span,
    report: &mut Report,
) -> Option<Column> {
    let kinds: Vec<_> = classes
        .iter()
        .filter_map(|class| Catalog::pinned().resolve(*class, &path))
        .map(|Attribute { field_type, list, .. }| (field_type, list))
        .collect();
    match kinds.split_first() {
        Some((kind, rest)) if rest.iter().all(|other| other == kind) => {
            Some(Column { path, field_type: kind.0, list: kind.1 })
        }
        Some(_) => {
            let message = format!("`{path}` is of differing types in {}", list(classes));
            report.refuse(&AMBIGUOUS_TYPE, span, message, None)
        }
        None => {
            let nearest = Catalog::pinned().nearest(classes, &path);
            let help = nearest.map(|nearest| format!("did you mean `{nearest}`?"));
            report.refuse(
                &UNKNOWN_PATH,
                span,
                format!("there is no value `{path}` in {}", list(classes)),
                help,
            )
        }
    }
}

/// The classes in words: all by number, and a few by name.
pub(super) fn list(classes: &[ClassUid]) -> String {
    let named = |class: &ClassUid| match Catalog::pinned().class_name(*class) {
        Some(name) => format!("{class} {name}"),
        None => class.to_string(),
    };
    match classes {
        [] => "no class".to_owned(),
        [class] => format!("class {}", named(class)),
        _ if classes.len() <= 4 => {
            format!("classes {}", classes.iter().map(named).collect::<Vec<_>>().join(", "))
        }
        _ => format!("any of {} classes", classes.len()),
    }
}

/// The routes of the rules that an alias of this scope is for: those that name all that the scope names, or else
/// those that do not contradict it.
pub(super) fn routes_of<'r>(scope: &AliasScope, routes: &'r [Route]) -> Vec<&'r Route> {
    let chosen: Vec<_> = routes.iter().filter(|route| agrees(scope, route, false)).collect();
    match chosen.is_empty() {
        true => routes.iter().filter(|route| agrees(scope, route, true)).collect(),
        false => chosen,
    }
}

/// The classes of the rules that an alias of this scope is for. Empty where no route leads to it.
pub(super) fn classes_of(scope: &AliasScope, routes: &[Route]) -> Vec<ClassUid> {
    let chosen = routes_of(scope, routes);
    let mut classes: Vec<_> = chosen.iter().flat_map(|route| route.class_uids.clone()).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// Whether the route names what the scope names; with `open`, it may leave parts out.
pub(super) fn agrees(scope: &AliasScope, route: &Route, open: bool) -> bool {
    let parts = [
        (&scope.category, &route.category),
        (&scope.product, &route.product),
        (&scope.service, &route.service),
    ];
    let agree =
        parts.into_iter().all(|(scope, route)| scope.is_none() || scope == route || open && route.is_none());
    // A route without a category is for its service. That it leaves the category open says nothing about a scope for
    // a category alone, which may as well be misspelt.
    let by_service = route.category.is_none() && scope.category.is_some();
    agree && (!by_service || scope.service == route.service)
}
