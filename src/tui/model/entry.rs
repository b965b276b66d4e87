//! One rule of the list, and what is known of it.

use std::path::Path;
use std::sync::Arc;

use super::Looked;
use crate::backend::CompiledRule;
use crate::bridge::ReasonCode;
use crate::evaluate::Summary;
use crate::sigma::{Body, Rule};

/// Which rule: the file, and the document in it. Stays the same while the text changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RuleKey {
    /// The file.
    pub path: Arc<Path>,
    /// The document of the file, from 0.
    pub document: usize,
}

impl RuleKey {
    /// The key of `rule`.
    pub(crate) fn of(rule: &Rule) -> Self {
        Self { path: Arc::clone(&rule.path), document: rule.document }
    }
}

/// What running a rule gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has not been run.
    #[default]
    NotRun,
    /// There are no events to run it on.
    NoEvents,
    /// It ran.
    Ran {
        /// What it matched.
        summary: Summary,
        /// Whether rule, pack or data have changed since.
        stale: bool,
    },
    /// It failed, with this message.
    Failed(String),
}

/// What the list says of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It matched so many events.
    Matched(u64),
    /// It ran and matched nothing.
    NoMatch,
    /// It is not executable.
    Refused(ReasonCode),
    /// Its text cannot be read.
    ParseError,
    /// It ran and failed.
    Failed,
    /// It has not been run.
    NotRun,
    /// It can run, and there are no events to run it on.
    NoEvents,
    /// It has no matches of its own: a filter, or a rule that only correlations ask for.
    Within,
}

/// One rule of the list.
#[derive(Clone, Debug)]
pub(crate) struct RuleEntry {
    /// Which rule it is.
    pub key: RuleKey,
    /// Its title.
    pub title: String,
    /// The rule as it stands in the file.
    pub rule: Arc<Rule>,
    /// What the bridge and the backend made of it; `None` where there is no pack to compile with.
    pub compiled: Option<Arc<CompiledRule>>,
    /// The last one with a plan, where the present text cannot be read.
    pub last_good: Option<Arc<CompiledRule>>,
    /// What running it gave.
    pub outcome: Outcome,
    /// In which opening of the dataset.
    pub counted_at: u64,
    /// Whether the dataset has to be asked for its count although events are followed.
    pub undecided: bool,
    /// Its matches when the user last looked at it; `None` until they have been counted.
    pub looked: Option<Looked>,
}

impl RuleEntry {
    /// A rule that has not been run.
    pub(crate) fn new(rule: Arc<Rule>, compiled: Option<Arc<CompiledRule>>) -> Self {
        Self {
            key: RuleKey::of(&rule),
            title: rule.title(),
            rule,
            compiled,
            last_good: None,
            outcome: Outcome::NotRun,
            counted_at: 0,
            undecided: false,
            looked: None,
        }
    }

    /// Whether it is of this very rule, and of what is made of it.
    fn is_of(&self, rule: &Arc<Rule>, compiled: Option<&Arc<CompiledRule>>) -> bool {
        let same = match (&self.compiled, compiled) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        same && Arc::ptr_eq(&self.rule, rule)
    }

    /// Whether the text of the rule cannot be read.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self.rule.body, Body::Unreadable)
    }

    /// Whether the rule can run.
    pub(crate) fn is_executable(&self) -> bool {
        self.compiled.as_ref().is_some_and(|c| c.sql.is_some())
    }

    /// Whether its matches count by themselves, and not only in a correlation.
    pub(crate) fn is_reported(&self) -> bool {
        self.compiled.as_ref().is_some_and(|c| c.compilation.reported)
    }

    /// Whether the rule reads `raw.*`.
    pub(crate) fn fallback_used(&self) -> bool {
        self.compiled.as_ref().is_some_and(|c| c.compilation.fallback_used())
    }

    /// Why the rule is not executable.
    pub(crate) fn reason(&self) -> Option<ReasonCode> {
        self.compiled.as_ref()?.compilation.reason()
    }

    /// What the list says of it.
    pub(crate) fn verdict(&self) -> Verdict {
        if self.is_unreadable() {
            return Verdict::ParseError;
        }
        if !self.is_executable() {
            let sound = self.compiled.as_ref().is_some_and(|c| c.compilation.is_executable());
            let unrefused = if sound { Verdict::Within } else { Verdict::NotRun };
            return self.reason().map_or(unrefused, Verdict::Refused);
        }
        if !self.is_reported() {
            return Verdict::Within;
        }
        match &self.outcome {
            Outcome::NotRun => Verdict::NotRun,
            Outcome::NoEvents => Verdict::NoEvents,
            Outcome::Failed(_) => Verdict::Failed,
            Outcome::Ran { summary, .. } if summary.matches > 0 => Verdict::Matched(summary.matches),
            Outcome::Ran { .. } => Verdict::NoMatch,
        }
    }

    /// Whether what the list says may no longer hold.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self.outcome, Outcome::Ran { stale: true, .. })
    }

    /// The SQL that the rule now has.
    pub(crate) fn sql_text(&self) -> Option<&str> {
        Some(&self.compiled.as_ref()?.sql.as_ref()?.text)
    }

    /// Takes over from `old`, the same rule before a reload, what still holds or is worth keeping on the screen.
    fn inherit(&mut self, old: &Self) {
        if self.is_executable() {
            self.outcome = old.outcome.clone();
            if self.sql_text() == old.sql_text() {
                (self.counted_at, self.looked) = (old.counted_at, old.looked);
                self.undecided = old.undecided;
            } else {
                self.outcome.age();
            }
        } else if self.is_unreadable() {
            let good = old.compiled.as_ref().filter(|c| c.sql.is_some());
            self.last_good = good.or(old.last_good.as_ref()).cloned();
        }
    }
}

/// A rule as it was read, and what was made of it.
pub(crate) type Loaded = (Arc<Rule>, Option<Arc<CompiledRule>>);

/// The entries of rules that were loaded anew, and for each that is the very entry that it was `before`, the place that
/// it had. Both are in the order of their keys. Few rules change at a time: the others cost no more than being moved.
pub(crate) fn succeed(before: Vec<RuleEntry>, rules: Vec<Loaded>) -> (Vec<RuleEntry>, Vec<Option<usize>>) {
    debug_assert!(
        rules.is_sorted_by(|(a, _), (b, _)| (&a.path, a.document) < (&b.path, b.document)),
        "each key once, in their order"
    );
    let mut before = before.into_iter().enumerate().peekable();
    let succeeded = rules.into_iter().map(|(rule, compiled)| {
        if let Some((at, old)) = before.next_if(|(_, old)| old.is_of(&rule, compiled.as_ref())) {
            return (old, Some(at));
        }
        let key = RuleKey::of(&rule);
        while before.next_if(|(_, old)| old.key < key).is_some() {}
        let old = before.next_if(|(_, old)| old.key == key);
        match old {
            Some((at, old)) if old.is_of(&rule, compiled.as_ref()) => (old, Some(at)),
            Some((_, old)) => {
                let mut entry = RuleEntry::new(rule, compiled);
                entry.inherit(&old);
                (entry, None)
            }
            None => (RuleEntry::new(rule, compiled), None),
        }
    });
    succeeded.unzip()
}

impl Outcome {
    /// Marks it as of something that has changed since.
    pub(crate) fn age(&mut self) {
        match self {
            Self::Ran { stale, .. } => *stale = true,
            Self::NotRun | Self::NoEvents | Self::Failed(_) => *self = Self::NotRun,
        }
    }

    /// Whether it holds for the rule, the pack and the data as they are.
    pub(crate) fn is_fresh(&self) -> bool {
        matches!(self, Self::Ran { stale: false, .. } | Self::Failed(_))
    }
}

impl Verdict {
    /// In a word or two, as filters and people name it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Matched(_) => "matched",
            Self::NoMatch => "no match",
            Self::Refused(_) => "refused",
            Self::ParseError => "parse error",
            Self::Failed => "failed",
            Self::NotRun => "not run",
            Self::NoEvents => "no events",
            Self::Within => "within others",
        }
    }
}
