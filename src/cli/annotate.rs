//! `check --format github`: findings as workflow commands, which GitHub shows beside the lines they are about.

use std::io::{self, Write};

use super::report::{DiagnosticReport, Report};
use crate::bridge::Severity;

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for finding in report.rules.iter().flat_map(|rule| &rule.diagnostics) {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let DiagnosticReport { path, line, column, code, .. } = finding;
        let path = property(path);
        writeln!(out, "::{command} file={path},line={line},col={column},title={code}::{}", text(finding))?;
    }
    Ok(())
}

fn text(finding: &DiagnosticReport) -> String {
    let help = finding.help.as_ref().map_or(String::new(), |help| format!("\nhelp: {help}"));
    data(&format!("{}{help}", finding.message))
}

/// Escaped as GitHub's own toolkit does; other control characters would reach whoever reads the log.
fn data(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            c if c.is_control() => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn nothing_ends_the_command_or_begins_another() {
        assert_eq!(data("50%\r\n::error::x\u{1b}[31m"), "50%25%0D%0A::error::x\\u{1b}[31m");
        assert_eq!(property("a,b:c\nd"), "a%2Cb%3Ac%0Ad");
    }
}
