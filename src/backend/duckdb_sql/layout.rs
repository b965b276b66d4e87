//! Lines of SQL, each with its indentation and its origin in the rule.

use super::Origin;

#[derive(Default)]
pub(super) struct Layout {
    lines: Vec<String>,
    origins: Vec<Origin>,
}

impl Layout {
    /// Adds `text`, which has no line break, `depth` levels in.
    pub(super) fn line(&mut self, depth: usize, text: String, origin: Origin) {
        self.lines.push(format!("{}{text}", "  ".repeat(depth)));
        self.origins.push(origin);
    }

    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }

    pub(super) fn finish(self) -> (String, Vec<Origin>) {
        (self.text(), self.origins)
    }
}
