//! Field aliases (specification, "Field alias map"): where in OCSF a Sigma field's values are found.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::ir::FieldExpr;
use super::plan::{FieldResolution, Resolution, RoutedScope};
use super::reason::ReasonCode;
use super::route::Tokens;
use super::settings::Settings;
use crate::ocsf::{Catalog, ClassUid, FieldType, OcsfPath};
use crate::pack::{Alias, AliasScope, Fields, FilterOp, Pack, Target};
use crate::sigma::{SigmaField, Spanned};

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
    pub(crate) source: Arc<FieldExpr>,
    /// The alias whose `values` and `literal` apply.
    pub(crate) alias: &'p Alias,
    pub(crate) field_type: FieldType,
    /// What a rule is told of it, without the rule's uses.
    pub(crate) told: FieldResolution,
}

/// The resolvers of a compilation, which rules share.
pub(super) struct Resolvers<'p> {
    pack: &'p Pack,
    settings: &'p Settings,
    /// Of each log source one for each route; nearly always that is one.
    known: RefCell<HashMap<Tokens, Vec<Rc<Resolver<'p>>>>>,
}

impl<'p> Resolvers<'p> {
    pub(super) fn new(pack: &'p Pack, settings: &'p Settings) -> Self {
        Self { pack, settings, known: RefCell::default() }
    }

    /// The one for rules of a log source that look at the events of `scope`.
    pub(super) fn of(&self, tokens: Tokens, scope: &Arc<RoutedScope>) -> Rc<Resolver<'p>> {
        let mut known = self.known.borrow_mut();
        let of_source = known.entry(tokens.clone()).or_default();
        if let Some(resolver) = of_source.iter().find(|resolver| Arc::ptr_eq(&resolver.scope, scope)) {
            return Rc::clone(resolver);
        }
        let resolver = Rc::new(Resolver::new(self.pack, self.settings, tokens, Arc::clone(scope)));
        of_source.push(Rc::clone(&resolver));
        resolver
    }
}

/// Resolves the fields of rules of one log source that look at the events of one route.
pub(crate) struct Resolver<'p> {
    pack: &'p Pack,
    settings: &'p Settings,
    tokens: Tokens,
    pub(crate) scope: Arc<RoutedScope>,
    /// The scopes that the pack has something for, from the narrowest; empty at first.
    known: OnceCell<Vec<(&'p AliasScope, &'p Fields)>>,
    /// The fields that have been asked for, and are mapped.
    mapped: RefCell<HashMap<SigmaField, Rc<ResolvedField<'p>>>>,
}

/// A field where a rule first names it.
#[derive(Clone, Copy)]
struct Mention<'r> {
    field: &'r Spanned<SigmaField>,
    /// The file.
    path: &'r Path,
}

/// The answer for one class, with its target as it is for the routed events.
struct Found<'p> {
    class: ClassUid,
    scope: &'p AliasScope,
    alias: &'p Alias,
    target: Cow<'p, Target>,
}

impl<'p> Resolver<'p> {
    pub(crate) fn new(
        pack: &'p Pack,
        settings: &'p Settings,
        tokens: Tokens,
        scope: Arc<RoutedScope>,
    ) -> Self {
        let (known, mapped) = (OnceCell::new(), RefCell::default());
        Self { pack, settings, tokens, scope, known, mapped }
    }

    /// Resolves a field, which the file at `path` names there first.
    pub(crate) fn resolve(
        &self,
        field: &Spanned<SigmaField>,
        path: &Path,
    ) -> Result<Rc<ResolvedField<'p>>, Diagnostic> {
        if let Some(known) = self.mapped.borrow().get(&field.value) {
            return Ok(Rc::clone(known));
        }
        let resolved = Rc::new(self.mapped(Mention { field, path })?);
        self.mapped.borrow_mut().insert(field.value.clone(), Rc::clone(&resolved));
        Ok(resolved)
    }

    fn mapped(&self, mention: Mention<'_>) -> Result<ResolvedField<'p>, Diagnostic> {
        let field = &mention.field.value;
        let mut found: Vec<Found<'p>> = Vec::new();
        for &class in &self.scope.class_uids {
            if let Some((scope, alias)) = self.answer(mention, class)? {
                let target = alias.target.specialised(&self.scope.filters);
                found.push(Found { class, scope, alias, target });
            }
        }
        let Some(Found { scope, alias, target, .. }) = found.first() else {
            return Err(self.unmapped(mention));
        };
        // One literal is fitted for all classes, so what aliases do to literals has to be the same in all.
        if let Some(other) = found.iter().find(|other| !reads_literals_alike(alias, other.alias)) {
            return Err(ambiguous(mention, scope, [alias, other.alias]));
        }
        let Some(source) = self.combine(&found) else {
            return Err(self.target_not_in_classes(mention, alias));
        };
        let resolution = self.permit(mention, &source)?;
        let (source, field_type) = (Arc::new(source), alias.target.field_type());
        let told = FieldResolution {
            field: field.clone(),
            resolution,
            expr: target.to_string().into(),
            field_type: Some(field_type),
            list: target.list(),
            columns: source.paths().into(),
            source: Some(Arc::clone(&source)),
            scope: scope.to_string().into(),
            transforms: transforms(alias).into(),
            place: Some(alias.place.clone()),
            uses: Vec::new(),
        };
        Ok(ResolvedField { source, alias, field_type, told })
    }

    /// The alias for one class, at the narrowest scope that has one.
    fn answer(
        &self,
        mention: Mention<'_>,
        class: ClassUid,
    ) -> Result<Option<(&'p AliasScope, &'p Alias)>, Diagnostic> {
        let known = || {
            let scopes = self.scopes().into_iter();
            scopes.filter_map(|scope| self.pack.aliases.get_key_value(&scope)).collect()
        };
        for (scope, fields) in self.known.get_or_init(known) {
            let Some(aliases) = fields.get(&mention.field.value) else { continue };
            let mut applicable = aliases.iter().filter(|alias| applies_to(alias, class));
            match (applicable.next(), applicable.next()) {
                (None, _) => {}
                (Some(alias), None) => return Ok(Some((scope, alias))),
                (Some(one), Some(other)) => return Err(ambiguous(mention, scope, [one, other])),
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

    fn permit(&self, mention: Mention<'_>, source: &FieldExpr) -> Result<Resolution, Diagnostic> {
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
        } else if !pins_source_type(&self.scope) {
            (
                format!("route `{}` does not pin the producer", self.scope.logsource),
                "add a filter on metadata.source_type (eq, or in a list) to the route".to_owned(),
            )
        } else {
            return Ok(Resolution::RawFallback);
        };
        let message = format!("`{}` is only in `{path}`, and {why}", mention.field.value);
        Err(mention.finding(&RAW_FALLBACK_DISABLED, message, help))
    }

    fn unmapped(&self, mention: Mention<'_>) -> Diagnostic {
        let field = &mention.field.value;
        let places: Vec<String> = self.scopes().iter().map(ToString::to_string).collect();
        let message = format!("no alias for `{field}` in {}", join_or(&places));
        let help = match self.same_name_elsewhere(field) {
            Some(other) => format!("`{other}` is mapped at this scope; field names compare with case"),
            None => format!("add `{field}:` under `{}:` in the pack's aliases/", self.tokens.text()),
        };
        mention.finding(&UNMAPPED_FIELD, message, help)
    }

    /// A mapped field that differs from `field` only in case.
    fn same_name_elsewhere(&self, field: &SigmaField) -> Option<&'p SigmaField> {
        self.scopes()
            .iter()
            .filter_map(|scope| self.pack.aliases.get(scope))
            .flat_map(|fields| fields.keys())
            .find(|other| other.0.eq_ignore_ascii_case(&field.0))
    }

    fn target_not_in_classes(&self, mention: Mention<'_>, alias: &Alias) -> Diagnostic {
        let classes: Vec<String> = self.scope.class_uids.iter().map(|class| class_text(*class)).collect();
        let (field, classes) = (&mention.field.value, join_or(&classes));
        let message = format!("`{field}` is mapped to `{}`, which {classes} does not have", alias.target);
        let help = "map it for this scope to a path that the routed class has".to_owned();
        mention.finding(&UNMAPPED_FIELD, message, help)
    }
}

fn ambiguous(mention: Mention<'_>, scope: &AliasScope, aliases: [&Alias; 2]) -> Diagnostic {
    let [one, other] = aliases.map(|alias| {
        let file = alias.place.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        format!("`{}` ({file}:{})", alias.target, alias.place.span.start.line)
    });
    let message = format!("`{}` has two aliases in {scope}: {one} and {other}", mention.field.value);
    let help = "remove one, or join them with any_of: or per_class:".to_owned();
    mention.finding(&AMBIGUOUS_FIELD_ALIAS, message, help)
}

impl Mention<'_> {
    fn finding(self, code: &'static Code, message: String, help: String) -> Diagnostic {
        Diagnostic { code, message, path: self.path.to_path_buf(), span: self.field.span, help: Some(help) }
    }
}

/// What an alias does to the rules' literals, in a few words.
fn transforms(alias: &Alias) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !alias.values.is_empty() {
        let pairs: Vec<String> = alias.values.iter().map(|(from, to)| format!("{from} → {to}")).collect();
        parts.push(format!("values {}", pairs.join(", ")));
    }
    if let Some(literal) = alias.literal {
        parts.push(format!("literals as {}", literal.as_str()));
    }
    parts.join("; ")
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
