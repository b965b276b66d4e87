//! `detections/detections.jsonl`: one line for each event that a rule matched, and for each window of a correlation.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::plan::{PlanContext, PlanDocument, RuleKind};
use super::write::by_name;
use super::{RunInputs, canonical};
use crate::bridge::ColumnType;
use crate::evaluate::{self, Cancel, EvalError, MatchedEvent, MatchedWindow};
use crate::ocsf::OcsfPath;
use crate::store::Store;

/// What lines say of the run that they belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunStamp<'a> {
    pub(super) id: &'a str,
    /// RFC 3339; the only time in a bundle that is not an event's.
    pub(super) time: Option<&'a str>,
}

/// What a plan has found: by first seen, last seen, ids.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An event rule.
    Events(Vec<MatchedEvent>),
    /// A correlation.
    Windows(Vec<MatchedWindow>),
}

impl Found {
    pub(super) const NOTHING: Self = Self::Events(Vec::new());
}

/// What the statement of a plan finds; nothing where it has none of its own.
///
/// # Errors
/// The statement does not run over these events.
pub(super) fn found(store: &mut Store, plan: &PlanDocument) -> Result<Found, EvalError> {
    let Some(statement) = plan.compilation.sql.as_deref().filter(|_| plan.compilation.reported) else {
        return Ok(Found::NOTHING);
    };
    let column = |(path, column): (&OcsfPath, &super::plan::ColumnRecord)| {
        (path.clone(), ColumnType { field_type: column.field_type, list: column.list })
    };
    let columns: BTreeMap<OcsfPath, ColumnType> = plan.compilation.columns.iter().map(column).collect();
    let cancel = Cancel::never();
    if plan.rule.kind == RuleKind::Correlation {
        let keys = plan.compilation.group_by.len();
        evaluate::recorded_windows(store, &columns, keys, statement, &cancel).map(Found::Windows)
    } else {
        evaluate::recorded_events(store, &columns, statement, &cancel).map(Found::Events)
    }
}

/// What a plan has found, each as a line without its end.
pub(super) fn lines(
    name: &str,
    plan: &PlanDocument,
    run: RunStamp<'_>,
    found: Found,
    emit: &mut dyn FnMut(&[u8]),
) {
    let common = common(name, plan, run);
    let keys = &plan.compilation.group_by;
    match found {
        Found::Events(events) => {
            events.into_iter().for_each(|event| emit(&line(&common, Seen::event(event))))
        }
        Found::Windows(windows) => {
            windows.into_iter().for_each(|window| emit(&line(&common, Seen::window(window, keys))));
        }
    }
}

/// The detections of one plan, for who finds its matches himself.
#[derive(Clone, Debug)]
pub(crate) struct DetectionLines {
    common: Map<String, Value>,
    keys: Vec<String>,
    /// Of the plan.
    pub(crate) plan_sha256: String,
}

impl DetectionLines {
    /// An event that its rule matches, as a line without its end.
    pub(crate) fn event(&self, event: MatchedEvent) -> Vec<u8> {
        line(&self.common, Seen::event(event))
    }

    /// A window in which its correlation fires, as a line without its end.
    pub(crate) fn window(&self, window: MatchedWindow) -> Vec<u8> {
        line(&self.common, Seen::window(window, &self.keys))
    }
}

/// The lines of each rule that reports by itself, with the name of its plan and its place among the rules, by name.
///
/// # Errors
/// A plan cannot be written as JSON.
pub(crate) fn detection_lines(
    inputs: &RunInputs<'_>,
) -> Result<Vec<(String, usize, DetectionLines)>, serde_json::Error> {
    let context = PlanContext::new(inputs);
    let run = RunStamp { id: inputs.run_id, time: inputs.run_time };
    let reported = by_name(inputs).into_iter().filter_map(|(name, index)| {
        let compiled = inputs.compiled.get(index)?;
        compiled.compilation.reported.then_some((name, index, compiled))
    });
    let lines = reported.map(|(name, index, compiled)| {
        let plan = PlanDocument::new(compiled, None, &context)?;
        let lines = DetectionLines {
            common: common(&name, &plan, run),
            keys: plan.compilation.group_by,
            plan_sha256: plan.plan_sha256,
        };
        Ok((name, index, lines))
    });
    lines.collect()
}

/// What was seen, and when.
struct Seen {
    first: Option<i64>,
    last: Option<i64>,
    event_ids: Vec<String>,
    host: Option<String>,
    group: Option<Map<String, Value>>,
}

impl Seen {
    fn event(event: MatchedEvent) -> Self {
        Self {
            first: event.time,
            last: event.time,
            event_ids: vec![event.event_id],
            host: event.host,
            group: None,
        }
    }

    fn window(MatchedWindow { window, host }: MatchedWindow, keys: &[String]) -> Self {
        let group = keys.iter().cloned().zip(window.group.iter().map(|value| json!(value)));
        Self {
            first: Some(window.first_seen),
            last: Some(window.last_seen),
            event_ids: window.event_ids,
            host,
            group: Some(group.collect()),
        }
    }
}

/// The part that all detections of a plan have in common.
pub(super) fn common(name: &str, plan: &PlanDocument, run: RunStamp<'_>) -> Map<String, Value> {
    let fields = &plan.compilation.fields;
    let fallback: Vec<&str> = fields.raw_fallback.iter().map(|field| field.field.as_str()).collect();
    let mut bridge = json!({
        "mapping_pack_id": plan.mapping_pack.id,
        "mapping_pack_version": plan.mapping_pack.version,
        "mapping_pack_sha256": plan.mapping_pack.sha256,
        "plan_sha256": plan.plan_sha256,
        "backend": plan.backend.id,
        "fallback_used": plan.compilation.fallback_used,
    });
    if let Value::Object(bridge) = &mut bridge {
        if let Some(time) = run.time {
            bridge.insert("compiled_at_utc".to_owned(), json!(time));
        }
        // With fallback these are the fields that OCSF has no home for.
        if plan.compilation.fallback_used {
            bridge.insert("unmapped_sigma_fields".to_owned(), json!(fallback));
        }
    }
    let document = json!({
        "schema_version": super::SCHEMA_VERSION,
        "run_id": run.id,
        "plan": name,
        "rule_id": plan.rule.id,
        "rule_title": plan.rule.title,
        "rule_sha256": plan.rule.sha256,
        "level": plan.rule.level,
        "technique_ids": plan.rule.technique_ids,
        "extensions": {"bridge": bridge, "sigma": {"logsource": plan.rule.logsource}},
    });
    match document {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn line(common: &Map<String, Value>, seen: Seen) -> Vec<u8> {
    let mut detection = common.clone();
    let group = seen.group.map_or(Value::Null, Value::Object);
    let id = canonical::hash(&json!([common.get("plan"), seen.event_ids, group, seen.first, seen.last]));
    detection.insert("detection_id".to_owned(), json!(id));
    detection.insert("first_seen_utc".to_owned(), json!(seen.first.map(utc)));
    detection.insert("last_seen_utc".to_owned(), json!(seen.last.map(utc)));
    detection.insert("event_ids".to_owned(), json!(seen.event_ids));
    detection.insert("host".to_owned(), json!(seen.host));
    detection.insert("group".to_owned(), group);
    canonical::bytes(&Value::Object(detection))
}

/// Milliseconds since 1970 as RFC 3339; the number itself where no calendar reaches.
fn utc(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.3}"))
}
