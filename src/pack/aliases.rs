//! `aliases/*.yaml`

use std::collections::BTreeMap;

use serde_json::Value;

use super::file::AliasFile;
use super::filters::fits;
use super::load::PACK_SYNTAX;
use super::report::{Report, span_of};
use super::targets::{Form, Targets};
use super::{Alias, AliasScope, Fields, Otherwise, Route, Target, paths, routes};
use crate::bridge::{Code, Severity};
use crate::ocsf::{Catalog, ClassUid, FieldType};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{SigmaField, Span, Spanned};

pub(crate) static BAD_SCOPE: Code = Code {
    name: "pack_bad_scope",
    reason: None,
    severity: Severity::Error,
    summary: "an alias scope that cannot be read",
    explanation: "A scope is category/product/service, with parts left out from the end, and `*` for any: \
                  `process_creation/windows`, `*/windows/security`, `*`.",
};

pub(crate) static UNUSED_SCOPE: Code = Code {
    name: "pack_unused_scope",
    reason: None,
    severity: Severity::Warning,
    summary: "aliases that no route leads to",
    explanation: "No route's log source agrees with the scope, or none of them leads to the class, so that no rule \
                  ever uses these aliases. Their paths are checked against every class of the catalog. A pack without \
                  any route is taken to be there for others to extend.",
};

pub(crate) static BAD_ALIAS: Code = Code {
    name: "pack_bad_alias",
    reason: None,
    severity: Severity::Error,
    summary: "an alias that says nothing, or two things",
    explanation: "An alias has exactly one of `path`, `any_of`, `expr` and `per_class`. `type` is for raw.* paths; \
                  `otherwise` needs `values`; `literal` is the type that the target's values have.",
};

pub(crate) static BAD_VALUES: Code = Code {
    name: "pack_bad_values",
    reason: None,
    severity: Severity::Error,
    summary: "a value map that gives what the target cannot hold",
    explanation: "`values` maps literals of rules, compared without case, to what is stored. What is stored is of the \
                  target's type, and no literal stands there twice.",
};

pub(crate) static OPEN_VALUES: Code = Code {
    name: "pack_open_values",
    reason: None,
    severity: Severity::Warning,
    summary: "a value map that does not say what becomes of other literals",
    explanation: "Rules may use literals that `values` does not name. `otherwise: refuse` refuses such a rule, which is \
                  also what happens without; `otherwise: keep` compares the literal as it is. Say which is meant.",
};

pub(crate) static NO_EFFECT: Code = Code {
    name: "pack_no_effect",
    reason: None,
    severity: Severity::Warning,
    summary: "a part of an alias that changes nothing",
    explanation: "A literal that is mapped to itself, case aside, where `otherwise: keep` would keep it anyway; or a \
                  target that `any_of` names twice. Remove it.",
};

pub(crate) static DUPLICATE_ALIAS: Code = Code {
    name: "pack_duplicate_alias",
    reason: None,
    severity: Severity::Warning,
    summary: "two aliases for a field at one scope",
    explanation: "A rule that uses the field there is refused as ambiguous_field_alias. Keep one of them, limit each \
                  to its `classes`, or use `any_of` or `per_class`. Where the two stand in packs of which neither extends the \
                  other, the pack that extends both may state its own, which wins.",
};

/// What aliases are checked against.
#[derive(Clone, Copy)]
pub(super) struct Checks<'a> {
    /// The routes of the pack and of those that it extends.
    pub(super) routes: &'a [Route],
    /// What fallback may reach.
    pub(super) prefixes: &'a [String],
}

/// Adds the aliases of a file to those of the pack.
pub(super) fn read(
    node: &Node,
    checks: Checks<'_>,
    known: &mut BTreeMap<AliasScope, Fields>,
    report: &mut Report,
) {
    if node.kind == NodeKind::Null {
        return;
    }
    let NodeKind::Mapping(scopes) = &node.kind else {
        report.raise(&PACK_SYNTAX, node.span, "an alias file maps scopes to aliases".to_owned(), None);
        return;
    };
    for (name, fields) in scopes {
        read_scope(name, fields, checks, known, report);
    }
}

fn read_scope(
    name: &Spanned<String>,
    fields: &Node,
    checks: Checks<'_>,
    known: &mut BTreeMap<AliasScope, Fields>,
    report: &mut Report,
) {
    let scope = match AliasScope::parse(&name.value) {
        Ok(scope) => scope,
        Err(error) => return report.raise(&BAD_SCOPE, name.span, error.to_string(), None),
    };
    let NodeKind::Mapping(fields) = &fields.kind else {
        let message = format!("the scope `{}` maps fields to targets", name.value);
        return report.raise(&PACK_SYNTAX, fields.span, message, None);
    };
    let mut classes = paths::classes_of(&scope, checks.routes);
    if classes.is_empty() {
        // A pack without routes is there to be extended.
        if !checks.routes.is_empty() {
            let message = format!("no route leads to `{scope}`, so that no rule uses its aliases");
            report.raise(&UNUSED_SCOPE, name.span, message, None);
        }
        classes = Catalog::pinned().classes().map(|(class, _)| class).collect();
    }
    for (field, node) in fields {
        let mut targets = Targets { classes: &classes, prefixes: checks.prefixes, report };
        let Some(alias) = alias(node, &mut targets) else { continue };
        let field = SigmaField(field.value.clone());
        let known = known.entry(scope.clone()).or_default().entry(field.clone()).or_default();
        if known.iter().any(|other| overlap(&other.class_uids, &alias.class_uids)) {
            let message = format!("`{field}` has another alias at `{scope}`");
            report.raise(&DUPLICATE_ALIAS, node.span, message, None);
        }
        known.push(alias);
    }
}

/// Whether two aliases are for a common class; no classes means all.
pub(super) fn overlap(a: &[ClassUid], b: &[ClassUid]) -> bool {
    a.is_empty() || b.is_empty() || a.iter().any(|class| b.contains(class))
}

fn alias(node: &Node, targets: &mut Targets<'_>) -> Option<Alias> {
    let mut file = match &node.kind {
        NodeKind::String(path) => AliasFile { path: Some(path.clone()), ..AliasFile::default() },
        _ => targets.report.accept(&PACK_SYNTAX, yaml::from_node(node))?,
    };
    let class_uids = routes::known_classes(&file.classes, span_of(node, &["classes"]), targets.report)?;
    let classes = limited(targets.classes, &class_uids, node, targets.report);
    let mut targets = Targets { classes: &classes, prefixes: targets.prefixes, report: &mut *targets.report };
    let target = targets.read(form(&mut file), file.field_type, node)?;
    check_options(&file, &target, node, targets.report)?;
    note_oddities(&file, &target, node, targets.report);
    Some(Alias {
        target,
        values: file.values,
        otherwise: file.otherwise.unwrap_or_default(),
        literal: file.literal,
        class_uids,
        place: targets.report.place(node.span),
    })
}

/// The classes of a scope, as far as an alias is for them; its own where they have none in common.
fn limited(scope: &[ClassUid], own: &[ClassUid], node: &Node, report: &mut Report) -> Vec<ClassUid> {
    let limited: Vec<_> = scope.iter().copied().filter(|class| overlap(own, &[*class])).collect();
    if limited.is_empty() {
        let message = format!("no route of this scope leads to {}", paths::list(own));
        report.raise(&UNUSED_SCOPE, span_of(node, &["classes"]), message, None);
        return own.to_vec();
    }
    limited
}

fn form(file: &mut AliasFile) -> Form {
    Form {
        path: file.path.take(),
        expr: file.expr.take(),
        any_of: file.any_of.is_some(),
        per_class: file.per_class.is_some(),
    }
}

fn check_options(file: &AliasFile, target: &Target, node: &Node, report: &mut Report) -> Option<()> {
    let field_type = target.field_type();
    if file.otherwise.is_some() && file.values.is_empty() {
        let message = "`otherwise` says what is not in `values`, and there are none".to_owned();
        return report.refuse(&BAD_ALIAS, span_of(node, &["otherwise"]), message, None);
    }
    if let Some(literal) = file.literal.filter(|literal| !converts(*literal, field_type)) {
        let message = format!(
            "a {} never equals a value of the target, which is {}",
            literal.as_str(),
            field_type.as_str()
        );
        let help = format!("write `literal: {}`", field_type.as_str());
        return report.refuse(&BAD_ALIAS, span_of(node, &["literal"]), message, help);
    }
    check_values(&file.values, field_type, node, report)
}

/// Notes what is sound and says less than it seems to.
fn note_oddities(file: &AliasFile, target: &Target, node: &Node, report: &mut Report) {
    let stored = |truth: bool| file.values.values().any(|value| *value == Value::Bool(truth));
    if !file.values.is_empty() && file.otherwise.is_none() && !(stored(true) && stored(false)) {
        let message = "`values` does not say what becomes of other literals".to_owned();
        let help = "state `otherwise: refuse`, as it is now, or `otherwise: keep`".to_owned();
        report.raise(&OPEN_VALUES, span_of(node, &["values"]), message, Some(help));
    }
    let itself = |(literal, stored): &(&String, &Value)| {
        let stored = stored.as_str().map_or_else(|| stored.to_string(), str::to_owned);
        stored.to_lowercase() == literal.to_lowercase()
    };
    let kept = file.values.iter().filter(|_| file.otherwise == Some(Otherwise::Keep));
    for (literal, _) in kept.filter(itself) {
        let message = format!("`{literal}` is kept as it is anyway");
        report.raise(&NO_EFFECT, span_of(node, &["values", literal]), message, None);
    }
    if let Target::AnyOf(targets) = target
        && let Some(twice) = targets.iter().enumerate().find(|(index, t)| targets[..*index].contains(t))
    {
        let message = format!("`any_of` names `{}` twice", twice.1);
        report.raise(&NO_EFFECT, span_of(node, &["any_of"]), message, None);
    }
}

/// Whether literals of one type can be compared with values of the other.
fn converts(literal: FieldType, field_type: FieldType) -> bool {
    let whole_number =
        literal == FieldType::Integer && matches!(field_type, FieldType::Float | FieldType::Timestamp);
    literal == field_type || whole_number
}

fn check_values(
    values: &BTreeMap<String, Value>,
    field_type: FieldType,
    node: &Node,
    report: &mut Report,
) -> Option<()> {
    let at = |key: &str| -> Span { span_of(node, &["values", key]) };
    let mut folded: BTreeMap<String, &String> = BTreeMap::new();
    for (literal, stored) in values {
        if let Err(message) = fits(stored, field_type) {
            return report.refuse(&BAD_VALUES, at(literal), message, None);
        }
        if let Some(other) = folded.insert(literal.to_lowercase(), literal) {
            let message = format!("`{literal}` and `{other}` differ only in case");
            return report.refuse(&BAD_VALUES, at(literal), message, None);
        }
    }
    Some(())
}
