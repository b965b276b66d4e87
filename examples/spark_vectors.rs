//! Writes files of conformance vectors as one job for Spark: `spark_vectors OUT FILE…`, which `./x spark` runs.
//!
//! OUT gets `job/`, `events/events.parquet`, and `vectors.json`: for each vector its verdict by the book, and either
//! the names of its plans, of which one has to match, or why Spark refuses it.

#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/support/vectors.rs"]
mod vectors;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sigma_ocsf_tui::backend::{BackendId, CompiledRule};
use sigma_ocsf_tui::bundle::{self, FailMode, RuleRoots, RunInputs, RunSettings};
use vectors::Vector;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let out = paths.next().ok_or("usage: spark_vectors OUT FILE...")?;
    let mut all: Vec<Vector> = Vec::new();
    for path in paths {
        all.extend(vectors::read(&path));
    }
    fs::create_dir_all(out.join("job"))?;
    fs::create_dir_all(out.join("events"))?;
    vectors::write_events(&all, &out.join("events/events.parquet"));
    let mut compiled = Vec::new();
    let mut places = Vec::new();
    for vector in &all {
        let rules = vectors::compiled(vector, BackendId::SparkSql);
        places.push((vectors::refusal(&rules), compiled.len()..compiled.len() + rules.len()));
        compiled.extend(rules);
    }
    let rules: Vec<_> = compiled.iter().map(|rule: &CompiledRule| &*rule.compilation.rule).collect();
    let names = bundle::plan_names(&rules, &RuleRoots::default());
    let listed = all.iter().zip(&places).map(|(vector, (refusal, place))| {
        let reported = place.clone().filter(|at| compiled[*at].compilation.reported);
        let plans: Vec<&String> = reported.map(|at| &names[at]).collect();
        json!({"id": vector.id, "area": vector.area, "expect": vector.expect, "refusal": refusal, "plans": plans})
    });
    let listed: Value = listed.collect();
    fs::write(out.join("vectors.json"), serde_json::to_vec_pretty(&listed)?)?;
    write_job(&compiled, all.first().ok_or("there is no vector")?, &out.join("job"))
}

fn write_job(compiled: &[CompiledRule], first: &Vector, folder: &Path) -> Result<(), Box<dyn Error>> {
    let inputs = RunInputs {
        run_id: "",
        run_time: None,
        roots: &RuleRoots::default(),
        pack: &vectors::pack(first),
        backend: BackendId::SparkSql,
        settings: RunSettings {
            threads: 1,
            timezone: "UTC".to_owned(),
            capabilities: Default::default(),
            raw_fallback_enabled: true,
            fail_mode: FailMode::FailClosed,
            compile_cache_dir: None,
        },
        compiled,
    };
    bundle::write_job(&inputs, folder)?;
    Ok(())
}
