//! Lines of SQL, each with its indentation and its origin in the rule.

use crate::sigma::Span;

/// Where a line comes from, if from the rule.
pub(super) type Origin = Option<Span>;

#[derive(Default)]
pub(super) struct Layout {
    text: String,
    origins: Vec<Origin>,
}

impl Layout {
    /// Adds `text`, which has no line break, `depth` levels in.
    pub(super) fn line(&mut self, depth: usize, text: impl AsRef<str>, origin: Origin) {
        self.begin(depth, origin).push_str(text.as_ref());
    }

    /// Begins a line, `depth` levels in. What it says, without a line break, is to be added to the text.
    pub(super) fn begin(&mut self, depth: usize, origin: Origin) -> &mut String {
        if !self.origins.is_empty() {
            self.text.push('\n');
        }
        (0..depth).for_each(|_| self.text.push_str("  "));
        self.origins.push(origin);
        &mut self.text
    }

    pub(super) fn text(&self) -> String {
        self.text.clone()
    }

    pub(super) fn finish(mut self) -> (String, Vec<Origin>) {
        // Statements are kept, one for each rule.
        self.text.shrink_to_fit();
        (self.text, self.origins)
    }
}

/// What a filter adds to a rule has an empty span: it stands in another file.
pub(super) fn origin(span: Span) -> Origin {
    Some(span).filter(|span| span.start != span.end)
}
