//! `check --format github`: findings as workflow commands, which GitHub shows beside the lines they are about.

use std::io::{self, Write};

use super::report::{DiagnosticReport, Report};
use super::text::{lines, one_line};
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

/// Escaped as GitHub's own toolkit does, once it is safe for whoever reads the log.
fn data(text: &str) -> String {
    lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&one_line(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn nothing_ends_the_command_or_begins_another() {
        assert_eq!(data("50%\r\n::error::x"), "50%25%0A::error::x");
        assert!(!data("a\u{1b}[31m\u{7}\rb").contains(char::is_control));
        let path = property("a,b:c\nd");
        assert!(path.starts_with("a%2Cb%3Ac") && !path.contains(char::is_control), "{path}");
    }
}
