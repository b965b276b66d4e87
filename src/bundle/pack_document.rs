//! Router table and mapping pack as a bundle keeps them: everything of the pack that a plan depends on, and nothing
//! of the run.

use serde_json::{Map, Value, json};

use super::canonical;
use crate::bridge::RoutedScope;
use crate::pack::{Pack, Route, RouteFilter, meaning};

/// `bridge/router_table.json`
pub(super) fn router_table(pack: &Pack) -> Value {
    let routes = routes(pack);
    json!({
        "schema_version": super::SCHEMA_VERSION,
        "mapping_pack_id": pack.manifest.id,
        "mapping_pack_version": pack.manifest.version,
        "ocsf_version": pack.manifest.ocsf_version,
        "router_table_sha256": canonical::hash(&routes),
        "routes": routes,
    })
}

/// The hash by which plans name the router table: over its `routes`.
pub(super) fn router_table_sha256(pack: &Pack) -> String {
    canonical::hash(&routes(pack))
}

fn routes(pack: &Pack) -> Value {
    pack.routes.iter().map(route).collect()
}

/// `bridge/mapping_pack_snapshot.json`: the hash is over its `mapping_pack`, as [`Pack::sha256`] is.
pub(super) fn snapshot(pack: &Pack) -> Value {
    let components = pack.components.iter().map(
        |component| json!({"id": component.id, "version": component.version, "sha256": component.sha256()}),
    );
    json!({
        "schema_version": super::SCHEMA_VERSION,
        "mapping_pack_id": pack.manifest.id,
        "mapping_pack_version": pack.manifest.version,
        "mapping_pack_sha256": pack.sha256,
        "components": components.collect::<Vec<_>>(),
        "mapping_pack": meaning(pack),
    })
}

fn route(route: &Route) -> Value {
    let stated = [("category", &route.category), ("product", &route.product), ("service", &route.service)];
    let stated = stated.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))));
    let when = route.when.iter().map(|(field, literals)| (field.0.clone(), json!(literals)));
    json!({
        "sigma_logsource": stated.collect::<Map<_, _>>(),
        "when": when.collect::<Map<_, _>>(),
        "ocsf_scope": {"class_uids": route.class_uids},
        "filters": filters(&route.filters),
    })
}

/// The scope of a plan: classes ascending, filters in stored order.
pub(super) fn scope(scope: &RoutedScope) -> Value {
    json!({
        "route": scope.logsource,
        "class_uids": scope.class_uids,
        "filters": filters(&scope.filters),
    })
}

fn filters(filters: &[RouteFilter]) -> Value {
    filters.iter().map(filter).collect()
}

/// `{path, op, value}`; `exists` may stand without a value.
fn filter(filter: &RouteFilter) -> Value {
    let mut document = json!({"path": filter.path, "op": filter.op});
    if let (Value::Object(map), false) = (&mut document, filter.value.is_null()) {
        map.insert("value".to_owned(), filter.value.clone());
    }
    document
}
