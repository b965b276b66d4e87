//! Conformance vectors: a rule, an event, and the verdict that a compiler must reach.
//!
//! All events lie in one Parquet file, each vector's under its own `metadata.source_type` and in columns of its
//! own, so that one session answers for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use sigma_ocsf_tui::backend::{self, BackendId, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::bundle::{FailMode, RuleRoots, RunSettings};
use sigma_ocsf_tui::evaluate::{self, Cancel, EvalError};
use sigma_ocsf_tui::ocsf::{ClassUid, FieldType, OcsfPath};
use sigma_ocsf_tui::pack::{
    Alias, AliasScope, Column, FilterOp, Manifest, Otherwise, Pack, PackPlace, RawFallback, Route,
    RouteFilter, Target,
};
use sigma_ocsf_tui::sigma::{self, Body, Capability, Rule, SigmaField};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};
use sigma_ocsf_tui::stream::{Engine, RuleSet, RuleSetInputs};

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

    /// `true`, `false`, or `non_executable:<reason_code>`.
    fn expected(&self) -> String {
        self.expect.as_str().map_or_else(|| self.expect.to_string(), str::to_owned)
    }
}

/// The vectors of a file of which each line is known to be one.
pub fn read(path: &Path) -> Vec<Vector> {
    let text = std::fs::read_to_string(path).expect("the vector file is readable");
    parse(&text)
        .into_iter()
        .map(|(line, vector)| vector.unwrap_or_else(|e| panic!("line {line}: {e}")))
        .collect()
}

/// The lines of a file that say something, each with its number and what is wrong where it is no vector.
pub fn parse(text: &str) -> Vec<(usize, Result<Vector, String>)> {
    let mut taken = BTreeSet::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let vector = serde_json::from_str(line).map_err(|error| error.to_string());
            (index + 1, vector.and_then(|vector| check(&vector, &mut taken).map(|()| vector)))
        })
        .collect()
}

/// Whether the event can be stored beside those of the lines before it.
fn check(vector: &Vector, taken: &mut BTreeSet<String>) -> Result<(), String> {
    for kind in vector.types.values().chain(vector.pack.raw.values()) {
        known_type(kind).ok_or_else(|| format!("there is no type `{kind}`"))?;
    }
    if let Some(name) = vector.capabilities.iter().find(|name| Capability::from_name(name).is_none()) {
        return Err(format!("there is no capability `{name}`"));
    }
    for (field, value) in vector.events().flatten() {
        if vector.types.get(field).is_some_and(|kind| !fits(value, kind)) {
            return Err(format!("the value of `{field}` is not of its type"));
        }
    }
    let mut names = vector.types.keys().chain([&vector.id]);
    if let Some(name) = names.find(|name| name.contains(char::is_control)) {
        return Err(format!("`{name}` has a control character, which no name of a column has"));
    }
    // DuckDB compares the names of columns without case.
    let columns = vector.types.keys().map(|field| column_path(vector, field));
    for name in columns.chain([format!("id {}", vector.id)]) {
        if !taken.insert(name.to_lowercase()) {
            return Err(format!("`{}` or one of its fields has the name of another", vector.id));
        }
    }
    Ok(())
}

/// Whether a column of that type can hold the value.
fn fits(value: &serde_json::Value, kind: &str) -> bool {
    if let Some(element) = kind.strip_suffix("[]") {
        let fits_all = |values: &Vec<serde_json::Value>| values.iter().all(|value| fits(value, element));
        return value.is_null() || value.as_array().is_some_and(fits_all);
    }
    value.is_null()
        || match kind {
            "string" => value.is_string(),
            "integer" | "timestamp" => value.is_i64(),
            "float" => value.is_number(),
            _ => value.is_boolean(),
        }
}

/// A verdict that is not the one of the vector.
#[derive(Debug)]
pub struct Failure {
    /// Which of the vectors, from 0.
    pub vector: usize,
    pub backend: BackendId,
    pub expected: String,
    pub got: String,
}

/// Runs the vectors by every backend and by the stream, and gives a line for each failure.
pub fn failures(vectors: &[Vector]) -> Vec<String> {
    let told = |vector: &Vector, by: &str, expected: &str, got: &str| {
        format!("{} by {by}: expected {expected}, got {got} ({})", vector.id, vector.why)
    };
    let failures = run(vectors).into_iter();
    let mut lines: Vec<String> = failures
        .map(|Failure { vector, backend, expected, got }| {
            told(&vectors[vector], backend.as_str(), &expected, &got)
        })
        .collect();
    for vector in vectors {
        let (expected, got) = (vector.expected(), streamed(vector));
        if got.split(": ").next() != Some(&expected) {
            lines.push(told(vector, "stream", &expected, &got));
        }
    }
    lines
}

/// The verdict of the stream over the vector's events as they come, in the order of their times.
fn streamed(vector: &Vector) -> String {
    let compiled = compiled(vector, BackendId::Interpreter);
    if let Some(refusal) = refusal(&compiled) {
        return refusal;
    }
    let mut engine = engine(&compiled, vector, 0);
    if let Some(unusable) = engine.rules().unusable().first() {
        return format!("error: {unusable}");
    }
    let mut events: Vec<_> = vector.events().enumerate().collect();
    events.sort_by_key(|(_, event)| time(event));
    let mut detections = 0;
    let emit = &mut |_: &[u8]| detections += 1;
    for (number, event) in events {
        if let Err(rejected) = engine.line(line(vector, number, event).as_bytes(), number as u64 + 1, emit) {
            return format!("error: {rejected}");
        }
    }
    engine.finish(emit);
    (detections > 0).to_string()
}

/// The stream's engine for what a vector compiles to.
pub fn engine(compiled: &[CompiledRule], vector: &Vector, lateness: u32) -> Engine {
    let settings = RunSettings {
        threads: 1,
        timezone: "UTC".to_owned(),
        capabilities: BTreeSet::new(),
        raw_fallback_enabled: false,
        fail_mode: FailMode::FailClosed,
        compile_cache_dir: None,
    };
    let rules = RuleSet::new(RuleSetInputs {
        run_id: "stream",
        roots: &RuleRoots::default(),
        pack: &pack(vector),
        settings: &settings,
        compiled,
    });
    Engine::new(rules.expect("plans are JSON"), lateness)
}

/// An event as a line of JSON, its paths with dots.
fn line(vector: &Vector, number: usize, event: &BTreeMap<String, serde_json::Value>) -> String {
    let mut object = serde_json::json!({
        "time": time(event),
        "class_uid": 0,
        "metadata.event_id": format!("{}#{number}", vector.id),
        "metadata.source_type": vector.id,
    });
    for (field, value) in event.iter().filter(|(field, _)| vector.types.contains_key(*field)) {
        object[column_path(vector, field)] = value.clone();
    }
    object.to_string()
}

fn time(event: &BTreeMap<String, serde_json::Value>) -> i64 {
    event.get("time").and_then(serde_json::Value::as_i64).unwrap_or_default()
}

/// Asks every backend for its verdict on each vector.
pub fn run(vectors: &[Vector]) -> Vec<Failure> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_events(vectors, &folder.path().join("events.parquet"));
    let dataset = Dataset::discover(folder.path()).expect("the events are a dataset");
    let mut store = Store::open(dataset, SessionSettings { threads: 1 }).expect("the dataset opens");
    let mut failures = Vec::new();
    for (index, vector) in vectors.iter().enumerate() {
        let expected = vector.expected();
        for backend in BackendId::BUILT_IN {
            let verdict = verdict(vector, backend, &mut store);
            if verdict.split(": ").next() != Some(&expected) {
                failures.push(Failure { vector: index, backend, expected: expected.clone(), got: verdict });
            }
        }
    }
    failures
}

/// The rules of a vector, compiled for a backend.
pub fn compiled(vector: &Vector, backend: BackendId) -> Vec<CompiledRule> {
    let rules: Vec<Arc<Rule>> =
        sigma::parse(Path::new("vector.yml"), &vector.rule).into_iter().map(Arc::new).collect();
    let capabilities = vector.capabilities.iter().filter_map(|name| Capability::from_name(name)).collect();
    let settings = Settings { capabilities, raw_fallback: false };
    backend::compile_for(backend, &rules, &pack(vector), &settings)
}

/// `non_executable:<reason_code>` where a rule is; what was said of it follows behind a colon.
pub fn refusal(compiled: &[CompiledRule]) -> Option<String> {
    // Filters are no rules: what is wrong with one shows in the rules that it narrows.
    let is_rule = |rule: &&CompiledRule| !matches!(rule.compilation.rule.body, Body::Filter(_));
    compiled.iter().filter(is_rule).find_map(|rule| {
        let reason = rule.compilation.reason()?;
        Some(format!("non_executable:{reason}: {}", said(rule)))
    })
}

/// `true`, `false`, or a [`refusal`].
fn verdict(vector: &Vector, backend: BackendId, store: &mut Store) -> String {
    let compiled = compiled(vector, backend);
    if let Some(refusal) = refusal(&compiled) {
        return refusal;
    }
    for rule in compiled.iter().filter(|rule| rule.compilation.reported) {
        match matches(rule, backend, store) {
            Ok(false) => {}
            Ok(true) => return "true".to_owned(),
            Err(error) => return format!("error: {error}"),
        }
    }
    "false".to_owned()
}

fn said(rule: &CompiledRule) -> String {
    let lines = rule.compilation.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str());
    lines.collect::<Vec<_>>().join("; ")
}

fn matches(rule: &CompiledRule, backend: BackendId, store: &mut Store) -> Result<bool, EvalError> {
    let never = Cancel::never();
    let Some(sql) = &rule.sql else { return Ok(false) };
    match (&rule.compilation.plan, &rule.compilation.correlation, backend) {
        (Some(plan), _, BackendId::DuckdbSql) => {
            evaluate::event_ids(store, plan, sql, &never).map(|ids| !ids.is_empty())
        }
        (Some(plan), _, BackendId::Interpreter) => {
            evaluate::interpreted_event_ids(store, plan, &never).map(|ids| !ids.is_empty())
        }
        (None, Some(plan), BackendId::DuckdbSql) => {
            evaluate::windows(store, plan, sql, &never).map(|found| !found.is_empty())
        }
        (None, Some(plan), BackendId::Interpreter) => {
            evaluate::interpreted_windows(store, plan, &never).map(|found| !found.is_empty())
        }
        (None, None, _) | (_, _, BackendId::SparkSql) => Ok(false),
    }
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
            ..Manifest::default()
        },
        routes: vec![route(vector)],
        aliases: BTreeMap::from([(scope, fields)]),
        components: Vec::new(),
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
        keywords: text_columns(vector),
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
    known_type(kind).unwrap_or_else(|| panic!("a vector has a field of type {kind}"))
}

/// The type of that name, and whether it is a list of them.
fn known_type(kind: &str) -> Option<(FieldType, bool)> {
    let name = kind.strip_suffix("[]").unwrap_or(kind);
    let field_type = match name {
        "string" => FieldType::String,
        "integer" => FieldType::Integer,
        "float" => FieldType::Float,
        "boolean" => FieldType::Boolean,
        "timestamp" => FieldType::Timestamp,
        _ => return None,
    };
    Some((field_type, name != kind))
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
    let time = time(event);
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
