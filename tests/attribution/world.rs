//! A dataset written as SQL, and rules over it.

use std::path::Path;
use std::sync::Arc;

use sigma_ocsf_tui::attribution::{self, Attribution, Finding};
use sigma_ocsf_tui::backend::{self, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::evaluate::Cancel;
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability, Rule};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

/// Events, in a folder that goes with them.
pub struct World {
    pub folder: tempfile::TempDir,
}

impl World {
    /// The rows that `select` yields.
    pub fn new(select: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.parquet");
        let target = file.to_str().unwrap().replace('\'', "''");
        let connection = duckdb::Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("COPY ({select}) TO '{target}' (FORMAT parquet)")).unwrap();
        Self { folder }
    }

    /// Process launches, each as the values of image and command line.
    pub fn launches(rows: &[(&str, Option<&str>)]) -> Self {
        let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let values: Vec<String> = rows
            .iter()
            .enumerate()
            .map(|(at, (image, command))| {
                let command = command.map_or_else(|| "NULL".to_owned(), literal);
                format!("({at}, {}, {command})", literal(image))
            })
            .collect();
        Self::new(&format!(
            "SELECT 1007 AS class_uid, 1 AS activity_id, 'windows-sysmon' AS \"metadata.source_type\", \
             'e' || n AS \"metadata.event_id\", CAST(1000 * n AS BIGINT) AS \"time\", \
             CAST(image AS VARCHAR) AS \"process.file.path\", CAST(command AS VARCHAR) AS \"process.cmd_line\" \
             FROM (VALUES {}) AS t(n, image, command)",
            values.join(", ")
        ))
    }

    pub fn store(&self) -> Store {
        Store::open(Dataset::discover(self.folder.path()).unwrap(), SessionSettings::default()).unwrap()
    }

    /// The attribution of the first rule of `text`; the batch agrees with it.
    pub fn explain(&self, text: &str, raw_fallback: bool) -> Attribution {
        let compiled = compiled(text, raw_fallback);
        let mut store = self.store();
        let rule = compiled.last().unwrap();
        let attribution = attribution::attribute(&mut store, rule, None, &Cancel::never()).unwrap();
        assert_eq!(findings(&mut store, &[rule]), std::slice::from_ref(&attribution.finding), "{text}");
        attribution
    }
}

pub fn findings(store: &mut Store, rules: &[&CompiledRule]) -> Vec<Finding> {
    let mut findings = vec![None; rules.len()];
    attribution::findings(store, rules, &Cancel::never(), &mut |at, finding| {
        assert!(findings[at].replace(finding.unwrap()).is_none(), "each rule is told once");
    });
    findings.into_iter().map(|finding| finding.expect("each rule is told")).collect()
}

pub fn compiled(text: &str, raw_fallback: bool) -> Vec<CompiledRule> {
    let rules: Vec<Arc<Rule>> = sigma::parse(Path::new("rule.yml"), text).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap();
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback };
    backend::compile(&rules, &pack.pack, &settings)
}

/// A rule for `category` on Windows with this detection, indented by four.
pub fn rule(category: &str, detection: &str) -> String {
    format!(
        "title: T\nid: 00000000-0000-4000-8000-000000000001\nlogsource:\n    category: {category}\n    product: windows\ndetection:\n{detection}"
    )
}
