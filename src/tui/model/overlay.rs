//! What is shown over the panes: proposals for a field, what has changed since the baseline, an event, and more.

use std::sync::Arc;

use super::{
    CoverageView, EditLine, EventView, Input, NewRule, Palette, RuleKey, Welcome, WhyView, WindowView,
};
use crate::authoring::{Effect, PackDiff, Proposal, RuleDiff};
use crate::sigma::SigmaField;

/// What is shown over the panes.
#[derive(Clone, Debug)]
pub(crate) enum Overlay {
    /// What a field could be.
    Proposals(Proposals),
    /// What has changed since the baseline.
    Changes(ChangesView),
    /// One event.
    Event(EventView),
    /// One window of a correlation.
    Window(WindowView),
    /// Which file to write matches to.
    Export(ExportPrompt),
    /// Why the selected rule did or did not match.
    Why(WhyView),
    /// Coverage of the rules.
    Coverage(CoverageView),
    /// The command palette.
    Palette(Palette),
    /// What can be opened.
    Welcome(Welcome),
    /// A small edit, in its place in a pane.
    Edit(EditLine),
    /// The choice of a new rule.
    NewRule(NewRule),
}

/// Which file to write matches to.
#[derive(Clone, Debug)]
pub(crate) struct ExportPrompt {
    /// Its name, as typed so far; what it ends in says the format.
    pub name: Input,
    /// Whether it is being written.
    pub writing: bool,
    /// Why it was not.
    pub failed: Option<String>,
}

/// The proposals for one of a rule's fields.
#[derive(Clone, Debug)]
pub(crate) struct Proposals {
    /// The rule.
    pub rule: RuleKey,
    /// Its fields, those without an alias first.
    pub fields: Vec<SigmaField>,
    /// Which of them.
    pub at: usize,
    /// What has been found out about it.
    pub answer: Answer,
    /// The proposal under the cursor.
    pub cursor: usize,
    /// What came of the last try or write.
    pub said: Option<Said>,
}

impl Proposals {
    /// The field that they are for.
    pub(crate) fn field(&self) -> Option<&SigmaField> {
        self.fields.get(self.at)
    }

    /// The proposal under the cursor.
    pub(crate) fn selected(&self) -> Option<&Proposed> {
        match &self.answer {
            Answer::Ready(bench) => bench.proposals.get(self.cursor),
            Answer::Waiting | Answer::Failed(_) => None,
        }
    }
}

/// Whether there are proposals yet.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// They are being looked for.
    Waiting,
    /// Here they are.
    Ready(Arc<Bench>),
    /// They could not be looked for.
    Failed(String),
}

/// A message about a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// What was done or found.
    Done(String),
    /// What did not work.
    Failed(String),
}

/// What has been found out about a field.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    /// Where its alias would stand.
    pub scope: String,
    /// Rules of that scope that name it.
    pub rules: usize,
    /// Those that wait for it alone.
    pub unlocks: usize,
    /// Events in scope; `None` without a dataset.
    pub in_scope: Option<u64>,
    /// The literals that were looked for.
    pub literals: usize,
    /// The proposals, best first.
    pub proposals: Vec<Proposed>,
}

/// A proposal and what it would do.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    /// The proposal.
    pub proposal: Proposal,
    /// Whether it is what the pack has now.
    pub in_use: bool,
    /// What it would do to the rules that name the field; `None` for one that is rejected or in use.
    pub effect: Option<Effect>,
    /// Of the rules that it would unlock, how many match, and how many events; `None` without a dataset.
    pub matching: Option<(usize, u64)>,
}

/// What has changed since the baseline.
#[derive(Clone, Debug)]
pub(crate) struct ChangesView {
    /// What it is.
    pub changes: Arc<Changes>,
    /// The line under the cursor.
    pub cursor: usize,
}

/// What a set of edits has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Routes and aliases.
    pub packs: PackDiff,
    /// Rules.
    pub rules: Vec<RuleDiff>,
}
