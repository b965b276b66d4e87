//! A bundle of a range of time: the same by both backends, recorded, and verified over the same range.

use std::path::Path;

use serde_json::Value;

use super::{EVENTS, RULES, assert_schemas, bundle, detections, ended, json, place};

/// Some of the fixtures' events are before it, some after.
const SINCE: &str = "2026-03-14T09:22:00Z";

#[test]
fn spark_is_not_asked_for_a_range() {
    let (_folder, out) = place();
    let command =
        ["run", RULES, "--parquet", EVENTS, "--out", out.to_str().unwrap(), "--backend", "spark_sql"];
    let (_, said) = ended(2, &[&command[..], &["--since", SINCE]].concat());
    assert!(said.contains("--since"), "{said}");
}

#[test]
fn a_range_is_recorded_and_verified() {
    let (_folder, out) = place();
    bundle(&out, &["--since", SINCE]);
    let record = json(out.join("bundle.json"));
    assert_eq!(record["dataset"]["since"], SINCE);
    assert!(record["dataset"].get("until").is_none());
    assert_schemas(&out);
    let events = record["dataset"]["events"].as_u64().unwrap();
    assert!(events > 0 && detections(&out).len() > 10);
    let (_folder, whole) = place();
    bundle(&whole, &[]);
    assert!(json(whole.join("bundle.json"))["dataset"]["events"].as_u64().unwrap() > events);
    let path = out.to_str().unwrap();
    ended(0, &["verify", path, "--parquet", EVENTS]);
    let (_folder, interpreted) = place();
    bundle(&interpreted, &["--since", SINCE, "--backend", "interpreter"]);
    let found = |out: &Path| -> Vec<_> {
        let line = |line: Value| (line["plan"].to_string(), line["event_ids"].to_string());
        detections(out).into_iter().map(line).collect()
    };
    assert_eq!(found(&out), found(&interpreted));
}
