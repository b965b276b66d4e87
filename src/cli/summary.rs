//! What became of the rules of a run or a job, in numbers: as JSON, or as a line.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use super::Format;
use super::json::write_json;
use crate::bundle::RuleFacts;
use crate::tui::text::count;

/// How many rules there were, and what the bridge made of them.
#[derive(Serialize)]
pub(super) struct Compiled {
    pub(super) rules: usize,
    pub(super) executable: usize,
    pub(super) non_executable: usize,
    pub(super) fallback_used: usize,
}

impl Compiled {
    pub(super) fn of(facts: &[RuleFacts]) -> Self {
        let non_executable = facts.iter().filter(|rule| rule.reason.is_some()).count();
        Self {
            rules: facts.len(),
            executable: facts.len() - non_executable,
            non_executable,
            fallback_used: facts.iter().filter(|rule| rule.fallback_used).count(),
        }
    }
}

impl fmt::Display for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rules · {} executable · {} refused · {} with fallback",
            count(self.rules as u64),
            count(self.executable as u64),
            count(self.non_executable as u64),
            count(self.fallback_used as u64),
        )
    }
}

/// Writes `document`, or `line` for people.
pub(super) fn tell(format: Format, document: &impl Serialize, line: impl fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Json => write_json(&mut out, document),
        Format::Human => writeln!(out, "{line}"),
    }
}
