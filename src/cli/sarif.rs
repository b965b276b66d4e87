//! `check --format sarif`: findings as SARIF 2.1.0, for code scanning and editors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::reason::all_codes;
use super::report::{DiagnosticReport, Report};
use crate::bridge::{Code, Severity};

/// The document: a rule for each code that was found, a result for each finding.
pub(super) fn document(report: &Report) -> Value {
    let known: BTreeMap<&str, &Code> = all_codes().into_iter().map(|code| (code.name, code)).collect();
    let findings: Vec<&DiagnosticReport> = report.rules.iter().flat_map(|rule| &rule.diagnostics).collect();
    let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().filter_map(|name| known.get(name)).map(|code| rule(code)).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &codes)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: &Code) -> Value {
    json!({
        "id": code.name,
        "shortDescription": {"text": code.summary},
        "fullDescription": {"text": code.explanation},
        "defaultConfiguration": {"level": level(code.severity)},
    })
}

fn result(finding: &DiagnosticReport, codes: &[&str]) -> Value {
    let help = finding.help.as_ref().map_or(String::new(), |help| format!("\n{help}"));
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": {"text": format!("{}{help}", finding.message)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.path)},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }}],
    });
    if let (Some(map), Ok(index)) = (result.as_object_mut(), codes.binary_search(&finding.code)) {
        map.insert("ruleIndex".to_owned(), json!(index));
        if let Some(reason) = finding.reason_code {
            map.insert("properties".to_owned(), json!({"reason_code": reason}));
        }
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A path as a URI reference: relative ones stay so.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into())
            }
            // Writing to a String cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_uri_references() {
        assert_eq!(uri("rules/a b%é:c.yml"), "rules/a%20b%25%C3%A9%3Ac.yml");
        assert_eq!(uri("/r/x.yml"), "file:///r/x.yml");
    }
}
