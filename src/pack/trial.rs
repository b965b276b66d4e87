//! A pack as it would be with one more alias, and an alias as YAML.

use super::report::Report;
use super::{Alias, AliasScope, Otherwise, Pack, PackError, Target, aliases, hash};
use crate::bridge::Severity;
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{SigmaField, Span, Spanned};

/// `pack` as it would be if `field` were aliased at `scope` to `target`, which is YAML as an alias file has it.
/// What stands there for the field is replaced.
///
/// # Errors
/// The alias would be a finding: `target` is no YAML, or names what no routed class has.
pub fn with_alias(
    pack: &Pack,
    scope: &AliasScope,
    field: &SigmaField,
    target: &str,
) -> Result<Pack, PackError> {
    let mut report = Report::default();
    let mut changed = pack.clone();
    if let Some(aliases) = changed.aliases.get_mut(scope) {
        aliases.remove(field);
    }
    if let Some(node) = document(scope, field, target, &mut report) {
        let prefixes = &pack.manifest.raw_fallback.prefixes;
        let checks = aliases::Checks { routes: &pack.routes, prefixes };
        aliases::read(&node, checks, &mut changed.aliases, &mut report);
    }
    report.findings.retain(|finding| finding.code.severity == Severity::Error);
    if !report.findings.is_empty() {
        return Err(PackError { findings: report.findings, warnings: Vec::new() });
    }
    changed.sha256 = hash::sha256(&changed);
    Ok(changed)
}

/// The hash that `pack` would have at another version.
#[must_use]
pub fn sha256_at_version(pack: &Pack, version: &str) -> String {
    let mut changed = pack.clone();
    changed.manifest.version = version.to_owned();
    hash::sha256(&changed)
}

/// An alias file with this one alias.
fn document(scope: &AliasScope, field: &SigmaField, target: &str, report: &mut Report) -> Option<Node> {
    let documents = report.accept(&super::load::PACK_SYNTAX, yaml::parse(target))?;
    let value = documents.into_iter().next()?;
    let entry = |name: String, value: Node| Node {
        kind: NodeKind::Mapping(vec![(Spanned::new(name, Span::START), value)]),
        span: Span::START,
    };
    Some(entry(scope.to_string(), entry(field.0.clone(), value)))
}

/// An alias as YAML on one line: what stands behind the field in an alias file.
#[must_use]
pub fn alias_yaml(alias: &Alias) -> String {
    let mut parts = match &alias.target {
        Target::Path(column) if is_plain(alias) => return scalar(column.path.as_str()),
        target => vec![target_yaml(target)],
    };
    if let Target::Path(column) = &alias.target
        && column.path.is_raw()
        && column.field_type != crate::ocsf::FieldType::String
    {
        parts.push(format!("type: {}", column.field_type.as_str()));
    }
    if !alias.values.is_empty() {
        let pairs: Vec<_> = alias.values.iter().map(|(from, to)| format!("{}: {to}", quoted(from))).collect();
        parts.push(format!("values: {{{}}}", pairs.join(", ")));
    }
    if alias.otherwise == Otherwise::Keep {
        parts.push("otherwise: keep".to_owned());
    }
    if let Some(literal) = alias.literal {
        parts.push(format!("literal: {}", literal.as_str()));
    }
    if !alias.class_uids.is_empty() {
        let classes: Vec<_> = alias.class_uids.iter().map(ToString::to_string).collect();
        parts.push(format!("classes: [{}]", classes.join(", ")));
    }
    format!("{{{}}}", parts.join(", "))
}

/// Whether the path says everything.
fn is_plain(alias: &Alias) -> bool {
    let text = alias.target.field_type() == crate::ocsf::FieldType::String || !alias.target.is_raw();
    text && alias.values.is_empty()
        && alias.otherwise == Otherwise::Refuse
        && alias.literal.is_none()
        && alias.class_uids.is_empty()
}

/// `path: …`, `expr: …` and so on.
fn target_yaml(target: &Target) -> String {
    match target {
        Target::Path(column) => format!("path: {}", scalar(column.path.as_str())),
        Target::Expr(computed) => format!("expr: {}", quoted(&computed.text)),
        Target::AnyOf(targets) => {
            let targets: Vec<_> = targets.iter().map(part_yaml).collect();
            format!("any_of: [{}]", targets.join(", "))
        }
        Target::PerClass(targets) => {
            let targets: Vec<_> =
                targets.iter().map(|(class, target)| format!("{class}: {}", part_yaml(target))).collect();
            format!("per_class: {{{}}}", targets.join(", "))
        }
    }
}

fn part_yaml(target: &Target) -> String {
    match target {
        Target::Path(column) => scalar(column.path.as_str()),
        other => format!("{{{}}}", target_yaml(other)),
    }
}

/// A path is plain text in YAML unless it has segments that are quoted.
fn scalar(path: &str) -> String {
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    if plain { path.to_owned() } else { quoted(path) }
}

/// Double-quoted, as JSON has it, which YAML reads alike.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
