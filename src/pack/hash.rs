//! The hash that names a pack's meaning.

use serde_json::{Value, json};

use super::{Alias, Component, Pack, Route, RouteFilter, Target};
use crate::bundle::canonical;

/// SHA-256 over the pack's meaning as canonical JSON, in lower-case hexadecimal.
pub(super) fn sha256(pack: &Pack) -> String {
    canonical::hash(&meaning(pack))
}

impl Component {
    /// SHA-256 over what this pack itself says, as [`Pack::sha256`] is over the whole.
    #[must_use]
    pub fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| sha256(&self.own))
    }
}

/// All that plans depend on in a pack. What is no meaning is left out: comments, prose, places, and which file an
/// alias stands in.
pub(crate) fn meaning(pack: &Pack) -> Value {
    let manifest = &pack.manifest;
    json!({
        "id": manifest.id,
        "version": manifest.version,
        "ocsf_version": manifest.ocsf_version,
        "raw_fallback": {"enabled": manifest.raw_fallback.enabled, "prefixes": manifest.raw_fallback.prefixes},
        "capabilities": manifest.capabilities,
        "placeholders": manifest.placeholders,
        "threads": manifest.backend.threads,
        "routes": pack.routes.iter().map(route).collect::<Vec<_>>(),
        "aliases": aliases(pack),
    })
}

fn route(route: &Route) -> Value {
    let when = route.when.iter().map(|(field, literals)| (field.0.clone(), json!(literals)));
    json!({
        "logsource": [route.category, route.product, route.service],
        "when": Value::Object(when.collect()),
        "classes": route.class_uids,
        "filters": route.filters.iter().map(filter).collect::<Vec<_>>(),
        "keywords": route.keywords.iter().map(|column| column.path.as_str()).collect::<Vec<_>>(),
    })
}

fn filter(filter: &RouteFilter) -> Value {
    json!({"path": filter.path, "op": filter.op, "value": filter.value})
}

fn aliases(pack: &Pack) -> Value {
    let scopes = pack.aliases.iter().map(|(scope, fields)| {
        let fields = fields.iter().map(|(field, aliases)| {
            let mut aliases: Vec<_> = aliases.iter().map(alias).collect();
            // Which of two comes first is a matter of files.
            aliases.sort_by_cached_key(Value::to_string);
            (field.0.clone(), Value::Array(aliases))
        });
        (scope.to_string(), Value::Object(fields.collect()))
    });
    Value::Object(scopes.collect())
}

fn alias(alias: &Alias) -> Value {
    json!({
        "target": target(&alias.target),
        "values": alias.values,
        "otherwise": alias.otherwise,
        "literal": alias.literal,
        "classes": alias.class_uids,
    })
}

fn target(of: &Target) -> Value {
    match of {
        Target::Path(column) => json!({"path": column.path, "type": column.field_type}),
        Target::AnyOf(targets) => json!({"any_of": targets.iter().map(target).collect::<Vec<_>>()}),
        Target::Expr(computed) => json!({"expr": computed.text, "type": computed.field_type}),
        Target::PerClass(targets) => {
            let targets = targets.iter().map(|(class, of)| (class.to_string(), target(of)));
            json!({"per_class": Value::Object(targets.collect())})
        }
    }
}
