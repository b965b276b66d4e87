//! Conformance vectors: a rule, an event, and the verdict that a compiler must reach.
//!
//! All events lie in one Parquet file, each vector's under its own `metadata.source_type` and in columns of its
//! own, so that one session answers for all of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use sigma_ocsf_tui::backend::{self, BackendId, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::ocsf::{ClassUid, FieldType, OcsfPath};
use sigma_ocsf_tui::pack::{
    Alias, AliasScope, Column, FilterOp, Manifest, Otherwise, Pack, PackPlace, RawFallback, Route,
    RouteFilter, Target,
};
use sigma_ocsf_tui::sigma::{self, Body, Capability, Rule, SigmaField};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

/// One line of a vector file.
#[derive(Debug, Deserialize)]
pub struct Vector {
    pub id: String,
    pub area: String,
    pub rule: String,
    #[serde(default)]
    pub event: BTreeMap<String, serde_json::Value>,
    /// In place of `event`, for correlations.
    #[serde(default)]
    pub events: Vec<BTreeMap<String, serde_json::Value>>,
    pub types: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    #[serde(default)]
    pub placeholders: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub pack: VectorPack,
    pub expect: serde_json::Value,
    pub why: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct VectorPack {
    #[serde(default)]
    pub raw: BTreeMap<String, String>,
    #[serde(default)]
    pub ambiguous: Vec<String>,
}

impl Vector {
    fn events(&self) -> impl Iterator<Item = &BTreeMap<String, serde_json::Value>> {
        let alone = self.events.is_empty().then_some(&self.event);
        self.events.iter().chain(alone)
    }
}

pub fn read(path: &Path) -> Vec<Vector> {
    let text = std::fs::read_to_string(path).expect("the vector file is readable");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a vector")).collect()
}

/// Runs the vectors, and gives a line for each failure.
pub fn failures(vectors: &[Vector]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_events(vectors, &folder.path().join("events.parquet"));
    let dataset = Dataset::discover(folder.path()).expect("the events are a dataset");
    let mut store = Store::open(dataset, SessionSettings { threads: 1 }).expect("the dataset opens");
    vectors
        .iter()
        .filter_map(|vector| {
            let verdicts = verdicts(vector, &mut store);
            let expected = match &vector.expect {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let wrong: Vec<String> = BackendId::ALL
                .iter()
                .zip(verdicts)
                .filter(|(_, verdict)| *verdict != expected)
                .map(|(backend, verdict)| format!("{verdict} by {}", backend.as_str()))
                .collect();
            let line =
                || format!("{}: expected {expected}, got {} ({})", vector.id, wrong.join(", "), vector.why);
            (!wrong.is_empty()).then(line)
        })
        .collect()
}

/// By each backend: `true`, `false`, or `non_executable:<reason_code>`.
fn verdicts(vector: &Vector, store: &mut Store) -> [String; BackendId::ALL.len()] {
    let rules: Vec<Arc<Rule>> =
        sigma::parse(Path::new("vector.yml"), &vector.rule).into_iter().map(Arc::new).collect();
    let capabilities = vector.capabilities.iter().filter_map(|name| Capability::from_name(name)).collect();
    let settings = Settings { capabilities, raw_fallback: false };
    let compiled = backend::compile(&rules, &pack(vector), &settings);
    // Filters are no rules: what is wrong with one shows in the rules that it narrows.
    let is_rule = |rule: &&CompiledRule| !matches!(rule.compilation.rule.body, Body::Filter(_));
    if let Some(reason) = compiled.iter().filter(is_rule).find_map(|rule| rule.compilation.reason()) {
        return BackendId::ALL.map(|_| format!("non_executable:{reason}"));
    }
    let reported: Vec<&CompiledRule> = compiled.iter().filter(|rule| rule.compilation.reported).collect();
    BackendId::ALL.map(|backend| reported.iter().any(|rule| matches_any(backend, rule, store)).to_string())
}

/// Whether the rule matches an event, or the correlation fires.
fn matches_any(backend: BackendId, rule: &CompiledRule, store: &mut Store) -> bool {
    let Some(sql) = &rule.sql else { return false };
    let cancel = Cancel::never();
    let found = match (&rule.compilation.plan, &rule.compilation.correlation, backend) {
        (Some(plan), _, BackendId::DuckdbSql) => {
            evaluate::event_ids(store, plan, sql, &cancel).map(|ids| ids.len())
        }
        (Some(plan), _, BackendId::Interpreter) => {
            evaluate::interpreted_event_ids(store, plan, &cancel).map(|ids| ids.len())
        }
        (None, Some(plan), BackendId::DuckdbSql) => {
            evaluate::windows(store, plan, sql, &cancel).map(|windows| windows.len())
        }
        (None, Some(plan), BackendId::Interpreter) => {
            evaluate::interpreted_windows(store, plan, &cancel).map(|windows| windows.len())
        }
        (None, None, _) => Ok(0),
    };
    found.expect("the plan runs") > 0
}

pub fn column_path(vector: &Vector, field: &str) -> String {
    format!("raw.v.{}.{field}", vector.id)
}

pub fn pack(vector: &Vector) -> Pack {
    let scope = AliasScope::default();
    let mut fields: BTreeMap<SigmaField, Vec<Alias>> = BTreeMap::new();
    for (field, kind) in &vector.types {
        let (field_type, list) = field_type(kind);
        let path = OcsfPath(column_path(vector, field));
        fields.insert(SigmaField(field.clone()), vec![alias(Column { path, field_type, list })]);
    }
    for (field, kind) in &vector.pack.raw {
        let (field_type, list) = field_type(kind);
        let path = OcsfPath(format!("raw.forbidden.{field}"));
        fields.insert(SigmaField(field.clone()), vec![alias(Column { path, field_type, list })]);
    }
    for field in &vector.pack.ambiguous {
        let column = |name: &str| Column {
            path: OcsfPath(format!("raw.v.{name}")),
            field_type: FieldType::String,
            list: false,
        };
        fields.insert(SigmaField(field.clone()), vec![alias(column("one")), alias(column("other"))]);
    }
    Pack {
        manifest: Manifest {
            id: "vectors".to_owned(),
            raw_fallback: RawFallback { enabled: true, prefixes: vec!["raw.v.".to_owned()] },
            placeholders: vector.placeholders.clone(),
            keywords: text_columns(vector),
            ..Manifest::default()
        },
        routes: vec![route(vector)],
        aliases: BTreeMap::from([(scope, fields)]),
        sha256: String::new(),
    }
}

/// Every text of the event: what keywords are sought in.
fn text_columns(vector: &Vector) -> Vec<Column> {
    let columns = vector.types.iter().map(|(field, kind)| {
        let (field_type, list) = field_type(kind);
        Column { path: OcsfPath(column_path(vector, field)), field_type, list }
    });
    columns.filter(|column| column.field_type == FieldType::String).collect()
}

fn route(vector: &Vector) -> Route {
    Route {
        category: Some("test".to_owned()),
        product: None,
        service: None,
        when: BTreeMap::new(),
        class_uids: vec![ClassUid(0)],
        filters: vec![RouteFilter {
            path: OcsfPath("metadata.source_type".to_owned()),
            field_type: FieldType::String,
            list: false,
            op: FilterOp::Eq,
            value: vector.id.clone().into(),
            notes: None,
        }],
        place: PackPlace::default(),
    }
}

fn alias(column: Column) -> Alias {
    Alias {
        target: Target::Path(column),
        values: BTreeMap::new(),
        otherwise: Otherwise::Refuse,
        literal: None,
        class_uids: Vec::new(),
        place: PackPlace::default(),
    }
}

fn field_type(kind: &str) -> (FieldType, bool) {
    let (name, list) = match kind.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (kind, false),
    };
    let field_type = match name {
        "string" => FieldType::String,
        "integer" => FieldType::Integer,
        "float" => FieldType::Float,
        "boolean" => FieldType::Boolean,
        "timestamp" => FieldType::Timestamp,
        other => panic!("a vector has a field of type {other}"),
    };
    (field_type, list)
}

fn sql_type(kind: &str) -> String {
    let (field_type, list) = field_type(kind);
    let name = match field_type {
        FieldType::String => "VARCHAR",
        FieldType::Integer | FieldType::Timestamp => "BIGINT",
        FieldType::Float => "DOUBLE",
        FieldType::Boolean => "BOOLEAN",
    };
    format!("{name}{}", if list { "[]" } else { "" })
}

/// The type as `json_transform` wants it.
fn json_structure(kind: &str) -> String {
    let name = sql_type(kind);
    match name.strip_suffix("[]") {
        Some(element) => format!("[\"{element}\"]"),
        None => format!("\"{name}\""),
    }
}

/// Writes every vector's event as a row, through JSON text, so that no value passes through SQL text.
pub fn write_events(vectors: &[Vector], file: &Path) {
    let connection = duckdb::Connection::open_in_memory().expect("DuckDB opens");
    let mut columns = String::new();
    for vector in vectors {
        for (field, kind) in &vector.types {
            let name = column_path(vector, field).replace('"', "\"\"");
            columns.push_str(&format!(", \"{name}\" {}", sql_type(kind)));
        }
    }
    connection
        .execute_batch(&format!(
            "CREATE TABLE events (\"time\" BIGINT, class_uid INTEGER, \"metadata.event_id\" VARCHAR, \
             \"metadata.source_type\" VARCHAR{columns})"
        ))
        .expect("the table is made");
    for vector in vectors {
        for (number, event) in vector.events().enumerate() {
            insert(&connection, vector, number, event);
        }
    }
    let target = file.display().to_string().replace('\'', "''");
    connection
        .execute_batch(&format!("COPY events TO '{target}' (FORMAT parquet)"))
        .expect("Parquet is written");
}

fn insert(
    connection: &duckdb::Connection,
    vector: &Vector,
    number: usize,
    event: &BTreeMap<String, serde_json::Value>,
) {
    let present: Vec<(&String, &serde_json::Value)> =
        event.iter().filter(|(field, value)| vector.types.contains_key(*field) && !value.is_null()).collect();
    let names: String = present
        .iter()
        .map(|(field, _)| format!(", \"{}\"", column_path(vector, field).replace('"', "\"\"")))
        .collect();
    let values: String = present
        .iter()
        .map(|(field, _)| {
            let kind = vector.types.get(*field).expect("it is one of the types");
            format!(", json_transform(?, '{}')", json_structure(kind))
        })
        .collect();
    let mut parameters: Vec<String> = vec![format!("{}#{number}", vector.id), vector.id.clone()];
    let time = event.get("time").and_then(serde_json::Value::as_i64).unwrap_or_default();
    parameters.extend(present.iter().map(|(_, value)| value.to_string()));
    connection
        .execute(
            &format!(
                "INSERT INTO events (\"time\", class_uid, \"metadata.event_id\", \"metadata.source_type\"{names}) \
                 VALUES ({time}, 0, ?, ?{values})"
            ),
            duckdb::params_from_iter(parameters),
        )
        .unwrap_or_else(|error| panic!("{}: {error}", vector.id));
}
