//! What of the rule list is shown.

use super::entry::RuleEntry;

/// A filter by text: every word has to occur, without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// What was typed.
    pub text: String,
    /// Whether it is being typed.
    pub editing: bool,
}

impl Filter {
    /// Whether it hides anything at all.
    pub(crate) fn is_active(&self) -> bool {
        !self.text.trim().is_empty()
    }

    /// Whether `entry` is shown.
    pub(crate) fn passes(&self, entry: &RuleEntry) -> bool {
        let words = self.text.to_lowercase();
        if words.trim().is_empty() {
            return true;
        }
        let text = searched(entry);
        words.split_whitespace().all(|word| text.contains(word))
    }
}

/// Title, path, level and reason code, in lower case.
fn searched(entry: &RuleEntry) -> String {
    let level = entry.rule.metadata.level.as_ref().map_or("", |level| level.value.as_str());
    let reason = entry.reason().map_or("", |reason| reason.as_str());
    let path = entry.key.path.to_string_lossy();
    format!("{} {path} {level} {reason} {}", entry.title, entry.verdict().word()).to_lowercase()
}
