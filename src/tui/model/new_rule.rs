//! A new rule, while it is chosen and named.

use super::{Input, RuleKey};
use crate::authoring::Template;

/// A new rule, while it is chosen and named.
#[derive(Clone, Debug)]
pub(crate) struct NewRule {
    /// The rule that it is made of or beside.
    pub rule: RuleKey,
    /// Which of [`Template::ALL`].
    pub at: usize,
    /// The name of its file, from the folder of that rule.
    pub name: Input,
    /// Whether the name is the user's own: then it stays while templates are looked at.
    pub named: bool,
    /// What each of [`Template::ALL`] gives; `None` while that is not known.
    pub drafts: [Option<Result<Drafted, String>>; Template::ALL.len()],
    /// Whether it is written as soon as its draft is there.
    pub wanted: bool,
    /// Why it was not written.
    pub failed: Option<String>,
}

/// A new rule as it would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drafted {
    /// A free name for its file.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl NewRule {
    /// What the template under the cursor gives.
    pub(crate) fn draft(&self) -> Option<&Result<Drafted, String>> {
        self.drafts.get(self.at)?.as_ref()
    }

    /// Proposes the name of the draft under the cursor, unless the user has given one.
    pub(crate) fn propose_name(&mut self) {
        if let Some(Ok(draft)) = self.draft().filter(|_| !self.named) {
            self.name = draft.name.clone().into();
        }
    }
}
