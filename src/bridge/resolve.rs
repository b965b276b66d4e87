//! Field aliases (specification, "Field alias map"): where in OCSF a Sigma field's values are found.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::path::Path;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::ir::FieldExpr;
use super::plan::{Resolution, RoutedScope};
use super::reason::ReasonCode;
use super::route::Tokens;
use super::settings::Settings;
use crate::ocsf::{Catalog, ClassUid, FieldType, OcsfPath};
use crate::pack::{Alias, AliasScope, Fields, FilterOp, Pack, Target};
use crate::sigma::{SigmaField, Span};

/// Nothing in the pack says what the field is.
pub(crate) static UNMAPPED_FIELD: Code = Code {
    name: "unmapped_field",
    reason: Some(ReasonCode::UnmappedField),
    severity: Severity::Error,
    summary: "no alias says where in OCSF the field is",
    explanation: "Every field that the condition reaches has to resolve to an OCSF path or an expression. An \
alias is looked for at the rule's scope, from the narrowest to the widest: category/product/service, \
category/product, category, then those for any category, and `*`. An unmapped field is unknown, not absent, so \
`field: null` needs an alias too. Add the field to a file under the pack's `aliases/`, at the scope where it \
has this meaning; if OCSF has no home for it, map it to its `raw.` path and permit raw fallback.",
};

/// The field has a raw path only, and fallback is not permitted.
pub(crate) static RAW_FALLBACK_DISABLED: Code = Code {
    name: "raw_fallback_disabled",
    reason: Some(ReasonCode::RawFallbackDisabled),
    severity: Severity::Error,
    summary: "the field has only a raw.* path, and raw fallback is not permitted here",
    explanation: "Fallback to `raw.*` needs three things: the pack's policy (`raw_fallback.enabled` in \
`pack.yaml`) or `--raw-fallback`; an allowed prefix (`raw_fallback.prefixes`); and a route that pins the \
producer by a filter on `metadata.source_type` (`eq`, or `in` a list). A rule that runs so is marked \
`fallback used` everywhere.",
};

/// Two aliases answer for the field.
pub(crate) static AMBIGUOUS_FIELD_ALIAS: Code = Code {
    name: "ambiguous_field_alias",
    reason: Some(ReasonCode::AmbiguousFieldAlias),
    severity: Severity::Error,
    summary: "two aliases answer for the field at one scope",
    explanation: "At one scope, a field has one meaning for each routed class. Here two aliases apply to the \
same class. Remove one, limit them to different classes with `classes:`, or use one alias with `any_of:` (an \
event matches if any of the paths does) or `per_class:`.",
};

/// Where a field's values are found, and what the alias does to literals.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedField<'p> {
    pub(crate) source: FieldExpr,
    /// The alias whose `values` and `literal` apply.
    pub(crate) alias: &'p Alias,
    /// The alias's target, as it is for the routed events.
    pub(crate) target: Cow<'p, Target>,
    pub(crate) scope: AliasScope,
    pub(crate) resolution: Resolution,
    pub(crate) field_type: FieldType,
}

/// What a rule brings to the resolution of its fields.
pub(crate) struct Resolver<'p> {
    pub(crate) pack: &'p Pack,
    pub(crate) settings: &'p Settings,
    pub(crate) tokens: Tokens,
    pub(crate) scope: &'p RoutedScope,
    pub(crate) rule: &'p Path,
    /// The scopes that the pack has something for, from the narrowest; empty at first.
    pub(crate) known: OnceCell<Vec<(&'p AliasScope, &'p Fields)>>,
}

/// The answer for one class, with its target as it is for the routed events.
struct Found<'p> {
    class: ClassUid,
    scope: &'p AliasScope,
    alias: &'p Alias,
    target: Cow<'p, Target>,
}

impl<'p> Resolver<'p> {
    /// Resolves `field`, first used at `span`.
    pub(crate) fn resolve(&self, field: &SigmaField, span: Span) -> Result<ResolvedField<'p>, Diagnostic> {
        let mut found: Vec<Found<'p>> = Vec::new();
        for &class in &self.scope.class_uids {
            if let Some((scope, alias)) = self.answer(field, class, span)? {
                let target = alias.target.specialised(&self.scope.filters);
                found.push(Found { class, scope, alias, target });
            }
        }
        let Some(Found { scope, alias, target, .. }) = found.first() else {
            return Err(self.unmapped(field, span));
        };
        // One literal is fitted for all classes, so what aliases do to literals has to be the same in all.
        if let Some(other) = found.iter().find(|other| !reads_literals_alike(alias, other.alias)) {
            return Err(self.ambiguous(field, scope, [alias, other.alias], span));
        }
        let source = self.combine(&found);
        let Some(source) = source else {
            return Err(self.target_not_in_classes(field, alias, span));
        };
        let resolution = self.permit(field, &source, span)?;
        Ok(ResolvedField {
            source,
            alias,
            target: target.clone(),
            scope: (*scope).clone(),
            resolution,
            field_type: alias.target.field_type(),
        })
    }

    /// The alias for one class, at the narrowest scope that has one.
    fn answer(
        &self,
        field: &SigmaField,
        class: ClassUid,
        span: Span,
    ) -> Result<Option<(&'p AliasScope, &'p Alias)>, Diagnostic> {
        let known = || {
            let scopes = self.scopes().into_iter();
            scopes.filter_map(|scope| self.pack.aliases.get_key_value(&scope)).collect()
        };
        for (scope, fields) in self.known.get_or_init(known) {
            let Some(aliases) = fields.get(field) else { continue };
            let mut applicable = aliases.iter().filter(|alias| applies_to(alias, class));
            match (applicable.next(), applicable.next()) {
                (None, _) => {}
                (Some(alias), None) => return Ok(Some((scope, alias))),
                (Some(one), Some(other)) => return Err(self.ambiguous(field, scope, [one, other], span)),
            }
        }
        Ok(None)
    }

    /// Scopes to look at, from the narrowest to `*`.
    fn scopes(&self) -> Vec<AliasScope> {
        let Tokens { category, product, service } = &self.tokens;
        let mut scopes = Vec::new();
        for category in [category.clone(), None] {
            for (product, service) in [
                (product.clone(), service.clone()),
                (product.clone(), None),
                (None, service.clone()),
                (None, None),
            ] {
                let scope = AliasScope { category: category.clone(), product, service };
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        scopes
    }

    /// One expression for all routed classes. `None` where no routed class has any of the paths: every event
    /// would be NULL there, and the rule could never match.
    fn combine(&self, found: &[Found<'p>]) -> Option<FieldExpr> {
        let mut per_class: Vec<(ClassUid, FieldExpr)> = Vec::new();
        for answer in found {
            if let Some(expr) = expression(&answer.target, answer.class) {
                per_class.push((answer.class, expr));
            }
        }
        let (_, first) = per_class.first()?;
        let uniform =
            per_class.len() == self.scope.class_uids.len() && per_class.iter().all(|(_, expr)| expr == first);
        if uniform { Some(first.clone()) } else { Some(FieldExpr::PerClass(per_class)) }
    }

    fn permit(&self, field: &SigmaField, source: &FieldExpr, span: Span) -> Result<Resolution, Diagnostic> {
        let raw: Vec<OcsfPath> = source.paths().into_iter().filter(OcsfPath::is_raw).collect();
        let Some(path) = raw.first() else { return Ok(Resolution::Mapped) };
        let policy = &self.pack.manifest.raw_fallback;
        let outside = raw.iter().find(|path| !policy.prefixes.iter().any(|p| path.as_str().starts_with(p)));
        let (why, help) = if let Some(path) = outside {
            (
                format!("`{path}` is outside the allowed prefixes"),
                "add its prefix to raw_fallback.prefixes in pack.yaml".to_owned(),
            )
        } else if !(policy.enabled || self.settings.raw_fallback) {
            (
                "raw fallback is off".to_owned(),
                "permit it with --raw-fallback, or with raw_fallback.enabled in pack.yaml; the matches will be \
                 marked as using fallback"
                    .to_owned(),
            )
        } else if !pins_source_type(self.scope) {
            (
                format!("route `{}` does not pin the producer", self.scope.logsource),
                "add a filter on metadata.source_type (eq, or in a list) to the route".to_owned(),
            )
        } else {
            return Ok(Resolution::RawFallback);
        };
        Err(self.diagnostic(
            &RAW_FALLBACK_DISABLED,
            format!("`{field}` is only in `{path}`, and {why}"),
            span,
            help,
        ))
    }

    fn unmapped(&self, field: &SigmaField, span: Span) -> Diagnostic {
        let places: Vec<String> = self.scopes().iter().map(ToString::to_string).collect();
        let message = format!("no alias for `{field}` in {}", join_or(&places));
        let help = match self.same_name_elsewhere(field) {
            Some(other) => format!("`{other}` is mapped at this scope; field names compare with case"),
            None => format!("add `{field}:` under `{}:` in the pack's aliases/", self.tokens.text()),
        };
        self.diagnostic(&UNMAPPED_FIELD, message, span, help)
    }

    /// A mapped field that differs from `field` only in case.
    fn same_name_elsewhere(&self, field: &SigmaField) -> Option<&'p SigmaField> {
        self.scopes()
            .iter()
            .filter_map(|scope| self.pack.aliases.get(scope))
            .flat_map(|fields| fields.keys())
            .find(|other| other.0.eq_ignore_ascii_case(&field.0))
    }

    fn target_not_in_classes(&self, field: &SigmaField, alias: &Alias, span: Span) -> Diagnostic {
        let classes: Vec<String> = self.scope.class_uids.iter().map(|class| class_text(*class)).collect();
        let message =
            format!("`{field}` is mapped to `{}`, which {} does not have", alias.target, join_or(&classes));
        let help = "map it for this scope to a path that the routed class has".to_owned();
        self.diagnostic(&UNMAPPED_FIELD, message, span, help)
    }

    fn ambiguous(
        &self,
        field: &SigmaField,
        scope: &AliasScope,
        aliases: [&Alias; 2],
        span: Span,
    ) -> Diagnostic {
        let [one, other] = aliases.map(|alias| {
            let file = alias.place.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            format!("`{}` ({file}:{})", alias.target, alias.place.span.start.line)
        });
        let message = format!("`{field}` has two aliases in {scope}: {one} and {other}");
        let help = "remove one, or join them with any_of: or per_class:".to_owned();
        self.diagnostic(&AMBIGUOUS_FIELD_ALIAS, message, span, help)
    }

    fn diagnostic(&self, code: &'static Code, message: String, span: Span, help: String) -> Diagnostic {
        Diagnostic { code, message, path: self.rule.to_path_buf(), span, help: Some(help) }
    }
}

fn reads_literals_alike(one: &Alias, other: &Alias) -> bool {
    let of = |alias: &Alias| (alias.target.field_type(), alias.literal, alias.otherwise);
    of(one) == of(other) && one.values == other.values
}

fn applies_to(alias: &Alias, class: ClassUid) -> bool {
    let listed = alias.class_uids.is_empty() || alias.class_uids.contains(&class);
    listed && !matches!(&alias.target, Target::PerClass(targets) if !targets.contains_key(&class))
}

/// The part of `target` that can have values in `class`.
fn expression(target: &Target, class: ClassUid) -> Option<FieldExpr> {
    match target {
        Target::Path(column) => has_path(class, &column.path).then(|| FieldExpr::Column(column.clone())),
        Target::Expr(computed) => {
            let known = target.columns().iter().all(|column| has_path(class, &column.path));
            (known && !computed.scalar.is_null()).then(|| FieldExpr::Computed(computed.clone()))
        }
        Target::PerClass(targets) => expression(targets.get(&class)?, class),
        Target::AnyOf(targets) => {
            let mut parts: Vec<FieldExpr> = targets.iter().filter_map(|t| expression(t, class)).collect();
            match parts.len() {
                0 | 1 => parts.pop(),
                _ => Some(FieldExpr::AnyOf(parts)),
            }
        }
    }
}

fn has_path(class: ClassUid, path: &OcsfPath) -> bool {
    path.is_raw() || Catalog::pinned().resolve(class, path).is_some()
}

fn pins_source_type(scope: &RoutedScope) -> bool {
    scope.filters.iter().any(|filter| {
        filter.path.as_str() == "metadata.source_type" && matches!(filter.op, FilterOp::Eq | FilterOp::In)
    })
}

fn class_text(class: ClassUid) -> String {
    match Catalog::pinned().class_name(class) {
        Some(name) => format!("class {class} ({name})"),
        None => format!("class {class}"),
    }
}

fn join_or(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}
