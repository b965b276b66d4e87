//! The run bundle (specification, "Bridge artifacts in the run bundle"): canonical JSON, hashes, the contract files.
//!
//! | file | what it holds | schema below `schemas/` |
//! |---|---|---|
//! | `bundle.json` | run, settings, dataset, the hashes of the rest | `bundle.schema.json` |
//! | `bridge/router_table.json` | the pack's routes | `bridge_router_table.schema.json` |
//! | `bridge/mapping_pack_snapshot.json` | the whole pack | `bridge_mapping_pack.schema.json` |
//! | `bridge/compiled_plans/<name>.plan.json` | a plan for each rule, executable or not | `bridge_compiled_plan.schema.json` |
//! | `bridge/coverage.json` | totals and what stands in the way | `bridge_coverage.schema.json` |
//! | `detections/detections.jsonl` | what the rules matched, a line each | `detection.schema.json` |
//!
//! Same inputs, same bytes: times come from events or from the caller, and nothing depends on where on the machine rules,
//! events or bundle lie. Another number of threads changes `settings.threads` and nothing else.

mod agreement;
pub(crate) mod canonical;
mod contents;
mod coverage;
mod detection;
mod error;
mod folder;
mod ir;
mod job;
mod job_result;
mod pack_document;
mod plan;
mod plan_name;
mod record;
mod spark;
mod verify;
mod write;

pub use agreement::{Agreement, agreements};
pub(crate) use contents::{Contents, RuleResult, Sighting, contents};
pub(crate) use coverage::{FieldCount, Totals};
pub(crate) use detection::{DetectionLines, detection_lines};
pub use error::BundleError;
pub use folder::Staging;
pub use job::write_job;
pub use job_result::JobResult;
pub use plan::{FailMode, RunSettings};
pub use plan_name::{RuleRoots, plan_names};
pub use record::{MadeWith, RuleFacts, made_with, rule_facts};
pub use spark::{SparkError, Stop, run_job};
pub use verify::{Difference, Verification, verify, verify_rules};
pub use write::{RunInputs, write, write_ran};

/// The version of all schemas of a bundle.
const SCHEMA_VERSION: u32 = 1;

const BUNDLE: &str = "bundle.json";
const BRIDGE: &str = "bridge";
const ROUTER_TABLE: &str = "bridge/router_table.json";
const SNAPSHOT: &str = "bridge/mapping_pack_snapshot.json";
const PLANS: &str = "bridge/compiled_plans";
const COVERAGE: &str = "bridge/coverage.json";
const DETECTIONS_FOLDER: &str = "detections";
const DETECTIONS: &str = "detections/detections.jsonl";

/// How the name of a plan's file ends.
const PLAN_SUFFIX: &str = ".plan.json";
