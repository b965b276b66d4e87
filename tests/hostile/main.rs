//! Hostile rules, packs, events and names, through compiling and running. Each gives a verdict or a clear error:
//! no panic, no signal, no hang, no control character on the terminal, and no event that the rule does not name.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod data;
mod files;
mod literals;
mod output;
mod packs;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long a command may take. It bounds a hang, it measures nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Characters that mean something to YAML, Sigma, SQL, a shell or a terminal.
const INJECTIONS: [&str; 24] = [
    "'",
    "\"",
    "''",
    "'; DROP TABLE ocsf_events; --",
    "') OR ('1'='1",
    "\" OR \"\" = \"",
    "%",
    "_",
    "100%_\\",
    "\\",
    "\\\\",
    "\\'",
    "\\*",
    "$",
    "$$; SELECT 1; $$",
    "a\0b",
    "\n",
    "a\r\n-- b",
    "/* */ */",
    "\u{1b}]0;owned\u{7}",
    "\u{1b}[2J\u{9b}31m",
    "\u{202e}txt.exe\u{2066}",
    "{\"a\": [1, null]}",
    "\u{feff}\u{200b}\u{e0041}",
];

/// A folder with rules and events, on which the real binary runs.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        fs::create_dir(scene.path("rules")).unwrap();
        scene
    }

    /// With an event for each value, `e0` the first, whose command line it is.
    fn with_events(values: &[&str]) -> Self {
        let scene = Self::new();
        write_events(&scene.path("events/part.parquet"), values);
        scene
    }

    fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(below)
    }

    fn write(&self, below: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Runs the binary here, with a deadline; whatever comes of it, it ends by itself and without a panic.
    fn run(&self, arguments: &[&str]) -> Output {
        let child = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"))
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let id = child.id();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(PATIENCE) else {
            Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
            panic!("{arguments:?} hangs");
        };
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some(), "{arguments:?} ended by a signal: {said}");
        assert!(!said.contains("panicked"), "{said}");
        output
    }

    /// The rules' part of `check`'s document, with everything switched on.
    fn check(&self) -> Vec<Value> {
        self.check_with(&[])
    }

    fn check_with(&self, more: &[&str]) -> Vec<Value> {
        let mut arguments = vec!["check", "rules", "--format", "json", "--enable", "all", "--raw-fallback"];
        if self.path("events").exists() {
            arguments.extend(["--parquet", "events", "--event-ids"]);
        }
        arguments.extend(more);
        let output = self.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rules = document["rules"].as_array_mut().unwrap();
        for rule in rules.iter() {
            assert_ne!(rule["reason_code"], "backend_eval_error", "{rule:#}");
            let codes: Vec<_> = rule["diagnostics"].as_array().unwrap().iter().map(|d| &d["code"]).collect();
            assert!(codes.iter().all(|code| *code != "statement_refused"), "{rule:#}");
        }
        std::mem::take(rules)
    }

    /// The one rule of `text`, checked.
    fn check_one(&self, text: &str) -> Value {
        self.write("rules/rule.yml", text);
        let mut rules = self.check();
        assert_eq!(rules.len(), 1, "{rules:#?}");
        rules.remove(0)
    }
}

/// Parquet with an event for each value. Values are bound, never written into SQL.
fn write_events(file: &Path, values: &[&str]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let connection = duckdb::Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE events (class_uid INTEGER, activity_id INTEGER, \"time\" BIGINT, \"metadata.event_id\" VARCHAR,
             \"metadata.source_type\" VARCHAR, \"process.cmd_line\" VARCHAR, \"process.file.path\" VARCHAR)",
        )
        .unwrap();
    let mut insert = connection
        .prepare("INSERT INTO events VALUES (1007, 1, ?, ?, 'windows-sysmon', ?, 'C:\\x.exe')")
        .unwrap();
    for (index, value) in values.iter().enumerate() {
        insert.execute(duckdb::params![index as i64, format!("e{index}"), value]).unwrap();
    }
    let target = file.to_str().unwrap().replace('\'', "''");
    connection.execute_batch(&format!("COPY events TO '{target}' (FORMAT parquet)")).unwrap();
}

/// A rule for process launches.
fn rule(detection: &str) -> String {
    format!(
        "title: Hostile\nlogsource: {{category: process_creation, product: windows}}\ndetection:\n{detection}\n"
    )
}

/// `text` as a double-quoted YAML scalar, all but plain ASCII escaped.
fn quoted(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// `text` as Sigma writes text in which nothing is special.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| matches!(c, '\\' | '*' | '?').then_some('\\').into_iter().chain([c])).collect()
}

/// The names that `check` gives the matched events.
fn ids(rule: &Value) -> Vec<&str> {
    assert_eq!(rule["executable"], true, "{rule:#}");
    rule["event_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
}

fn reason(rule: &Value) -> &str {
    rule["reason_code"].as_str().unwrap_or_else(|| panic!("it runs: {rule:#}"))
}
