//! What evaluates the plans is recorded, and makes no other difference.

use std::path::Path;

use serde_json::Value;

use super::{EVENTS, EVERYTHING, RULES, assert_schemas, bundle, detections, ended, json, place, plans};

/// The detections without what names the backend.
fn found(bundle: &Path) -> Vec<Value> {
    let mut lines = detections(bundle);
    for line in &mut lines {
        let bridge = line["extensions"]["bridge"].as_object_mut().unwrap();
        bridge.remove("backend").unwrap();
        bridge.remove("plan_sha256").unwrap();
    }
    lines
}

#[test]
fn the_interpreter_finds_what_duckdb_finds() {
    let (_one, sql) = place();
    let (_other, interpreted) = place();
    bundle(&sql, &EVERYTHING);
    bundle(&interpreted, &[&EVERYTHING[..], &["--backend", "interpreter"]].concat());
    let expected = found(&sql);
    let windows = expected.iter().filter(|line| line["group"].is_object()).count();
    assert!(expected.len() > 50 && windows > 5, "{} and {windows}", expected.len());
    assert_eq!(found(&interpreted), expected);
    let coverage = |bundle: &Path| json(bundle.join("bridge/coverage.json"));
    assert_eq!(coverage(&interpreted), coverage(&sql));
    assert_schemas(&interpreted);
}

/// The statements of the plans, run by DuckDB, find what the interpreter has found.
#[test]
fn a_bundle_of_the_interpreter_is_verified_by_duckdb() {
    let (_folder, out) = place();
    bundle(&out, &[&EVERYTHING[..], &["--backend", "interpreter"]].concat());
    assert_eq!(json(out.join("bundle.json"))["backend"], "interpreter");
    for plan in plans(&out).values() {
        assert_eq!(plan["backend"]["id"], "interpreter");
        assert_eq!(plan["backend"]["version"], env!("CARGO_PKG_VERSION"));
    }
    assert!(detections(&out).iter().all(|line| line["extensions"]["bridge"]["backend"] == "interpreter"));
    let (said, _) = ended(0, &["verify", out.to_str().unwrap(), "--parquet", EVENTS, "--rules", RULES]);
    assert!(said.starts_with("everything holds"), "{said}");
}
