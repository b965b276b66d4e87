//! A job for Spark (`export --backend spark_sql`): plans, statements and a runner in a folder that needs nothing but
//! Spark.
//!
//! | file | what it holds |
//! |---|---|
//! | `run.py` | the runner, for `spark-submit` |
//! | `job.json` | scans, scopes and rules, the pack, and hashes |
//! | `letters.json` | lower and upper case of all letters, which the runner asks its Spark for first |
//! | `sql/<name>.sql` | each rule as one statement; that of a correlation yields windows |
//! | `plans/<name>.plan.json` | its plan, as in a bundle; also of the rules that cannot run |

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::detection::{self, RunStamp};
use super::plan::{PackRecord, PlanContext, PlanDocument, ToolRecord};
use super::write::{by_name, write_json};
use super::{BundleError, PLAN_SUFFIX, RuleFacts, RunInputs, canonical};
use crate::backend::spark_sql;
use crate::bridge::{CorrelationPlan, Plan};
use crate::ocsf::{ClassUid, OCSF_VERSION};

const RUNNER: &str = include_str!("job/run.py");

/// Writes the job of rules that were compiled for `spark_sql` into `folder`, which is empty. What became of each rule, by
/// the name of its plan.
///
/// # Errors
/// The file system refuses.
pub fn write_job(inputs: &RunInputs<'_>, folder: &Path) -> Result<Vec<RuleFacts>, BundleError> {
    for below in ["sql", "plans"] {
        let below = folder.join(below);
        fs::create_dir_all(&below).map_err(BundleError::io(&below))?;
    }
    let context = PlanContext::new(inputs);
    let mut job = Job::default();
    let mut facts = Vec::new();
    for (name, index) in by_name(inputs) {
        let Some(compiled) = inputs.compiled.get(index) else { continue };
        let path = folder.join("plans").join(format!("{name}{PLAN_SUFFIX}"));
        let document = PlanDocument::new(compiled, None, &context).map_err(BundleError::json(&path))?;
        write_json(&path, &canonical::value(&document).map_err(BundleError::json(&path))?)?;
        job.plan_hashes.push(json!([name, document.plan_sha256]));
        if let Some(sql) = compiled.sql.as_ref().filter(|_| compiled.compilation.reported) {
            write_text(&folder.join("sql").join(format!("{name}.sql")), &format!("{};\n", sql.text))?;
            match (&compiled.compilation.plan, &compiled.compilation.correlation) {
                (Some(plan), _) => job.add(&name, &document, plan, &sql.scope),
                (None, Some(plan)) => job.add_correlation(&name, &document, plan, &sql.text),
                (None, None) => {}
            }
        }
        facts.push(RuleFacts {
            name,
            title: document.rule.title,
            reason: document.non_executable.map(|refusal| refusal.reason_code),
            fallback_used: document.compilation.fallback_used,
            matches: None,
        });
    }
    let letters = letters();
    write_json(&folder.join("letters.json"), &letters)?;
    write_text(&folder.join("run.py"), RUNNER)?;
    write_json(&folder.join("job.json"), &job.manifest(PackRecord::of(inputs.pack), &facts, &letters)?)?;
    Ok(facts)
}

fn write_text(path: &Path, text: &str) -> Result<(), BundleError> {
    fs::write(path, text).map_err(BundleError::io(path))
}

/// The case of all letters that have one, and how the view makes it of a text.
fn letters() -> Value {
    let expected: Map<String, Value> = spark_sql::letters()
        .map(|letter| (u32::from(letter.letter).to_string(), json!([letter.lower, letter.upper])))
        .collect();
    let (lower, upper) = spark_sql::letter_sql("letter");
    json!({"expected": expected, "lower": lower, "upper": upper})
}

/// What the manifest is made of.
#[derive(Default)]
struct Job {
    rules: Vec<Value>,
    derived: BTreeMap<String, String>,
    /// By the scope's SQL: its classes, and the places of its rules.
    scopes: BTreeMap<String, (BTreeSet<ClassUid>, Vec<usize>)>,
    plan_hashes: Vec<Value>,
}

impl Job {
    fn add(&mut self, name: &str, document: &PlanDocument, plan: &Plan, scope: &str) {
        let condition = spark_sql::condition(plan);
        let derived = spark_sql::derived(&plan.columns, &condition);
        let classes = plan.scope.class_uids.iter().copied();
        let (of_scope, rules) = self.scopes.entry(scope.to_owned()).or_default();
        of_scope.extend(classes);
        rules.push(self.rules.len());
        self.push(name, document, derived, json!({"condition": condition}));
    }

    /// A correlation runs by itself, behind the scans.
    fn add_correlation(
        &mut self,
        name: &str,
        document: &PlanDocument,
        plan: &CorrelationPlan,
        statement: &str,
    ) {
        let derived = spark_sql::derived(&plan.columns, statement);
        let group_by = &document.compilation.group_by;
        self.push(name, document, derived, json!({"statement": statement, "group_by": group_by}));
    }

    fn push(&mut self, name: &str, document: &PlanDocument, derived: BTreeMap<String, String>, asked: Value) {
        let mut rule = json!({
            "name": name,
            "title": document.rule.title,
            "plan_sha256": document.plan_sha256,
            "sql": format!("sql/{name}.sql"),
            "columns": document.compilation.columns,
            "derived": derived.keys().collect::<Vec<_>>(),
            "detection": detection::common(name, document, RunStamp { id: "", time: None }),
        });
        if let (Value::Object(rule), Value::Object(asked)) = (&mut rule, asked) {
            rule.extend(asked);
        }
        self.rules.push(rule);
        self.derived.extend(derived);
    }

    fn manifest(self, pack: PackRecord, facts: &[RuleFacts], letters: &Value) -> Result<Value, BundleError> {
        let refused = facts.iter().filter_map(|rule| {
            let reason = rule.reason?;
            Some(json!({"name": rule.name, "title": rule.title, "reason_code": reason}))
        });
        let refused: Vec<Value> = refused.collect();
        let document = json!({
            "schema_version": super::SCHEMA_VERSION,
            "tool": ToolRecord::this(),
            "backend": {"id": spark_sql::ID, "version": spark_sql::SPARK_VERSION},
            "ocsf_version": OCSF_VERSION,
            "mapping_pack": pack,
            "scans": scans(self.scopes),
            "rules": self.rules,
            "derived": self.derived,
            "refused": refused,
            "hashes": {
                "plans_sha256": canonical::hash(&Value::Array(self.plan_hashes)),
                "runner_sha256": canonical::sha256(RUNNER.as_bytes()),
                "letters_sha256": canonical::hash(letters),
            },
        });
        canonical::value(&document).map_err(BundleError::json(Path::new("job.json")))
    }
}

/// The places of a scope's rules, by the scope's SQL.
type RulesByScope = BTreeMap<String, Vec<usize>>;

/// Scopes that share a class share a scan, so that each event is read once.
fn scans(scopes: BTreeMap<String, (BTreeSet<ClassUid>, Vec<usize>)>) -> Vec<Value> {
    let mut scans: Vec<(BTreeSet<ClassUid>, RulesByScope)> = Vec::new();
    for (filter, (mut classes, rules)) in scopes {
        let mut members = BTreeMap::from([(filter, rules)]);
        let (sharing, others): (Vec<_>, Vec<_>) =
            scans.into_iter().partition(|(of_scan, _)| !of_scan.is_disjoint(&classes));
        scans = others;
        for (of_scan, earlier) in sharing {
            classes.extend(of_scan);
            members.extend(earlier);
        }
        scans.push((classes, members));
    }
    scans.sort_by(|(one, _), (other, _)| one.cmp(other));
    let scope = |(filter, rules)| json!({"where": filter, "rules": rules});
    let scopes = |scopes: RulesByScope| scopes.into_iter().map(scope).collect::<Vec<_>>();
    scans.into_iter().map(|(classes, of)| json!({"classes": classes, "scopes": scopes(of)})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_read_once() {
        let scope =
            |classes: &[u32], rule| (classes.iter().map(|class| ClassUid(*class)).collect(), vec![rule]);
        let scopes = BTreeMap::from([
            ("a".to_owned(), scope(&[1], 0)),
            ("b".to_owned(), scope(&[2, 3], 1)),
            ("c".to_owned(), scope(&[1, 3], 2)),
            ("d".to_owned(), scope(&[4], 3)),
        ]);
        let scans = scans(scopes);
        let classes: Vec<&Value> = scans.iter().map(|scan| &scan["classes"]).collect();
        assert_eq!(classes, [&json!([1, 2, 3]), &json!([4])]);
        let rules: Vec<&Value> =
            scans[0]["scopes"].as_array().into_iter().flatten().map(|s| &s["rules"][0]).collect();
        assert_eq!(rules, [&json!(0), &json!(1), &json!(2)]);
    }
}
