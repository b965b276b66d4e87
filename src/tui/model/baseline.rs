//! How things stood at the start, or when the user last said so: what the effect of an edit is measured against.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Changes, Model, Outcome, RuleEntry, RuleKey};
use crate::authoring::{self, Ran};
use crate::backend::CompiledRule;
use crate::pack::Pack;

/// How things stood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baseline {
    /// The pack.
    pub pack: Option<Arc<Pack>>,
    /// The rules.
    pub rules: BTreeMap<RuleKey, Kept>,
}

/// How a rule stood.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// What the bridge had made of it.
    pub compiled: Arc<CompiledRule>,
    /// What it matched; `None` where it had not run.
    pub matches: Option<u64>,
}

/// How totals differ from the baseline's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drift {
    /// More rules executable, or fewer.
    pub executable: i64,
    /// More rules that match, or fewer, of those that have run at both times.
    pub matched: i64,
}

impl Baseline {
    /// How things stand now.
    pub(crate) fn of(model: &Model) -> Self {
        let rules = model.rules.iter().filter_map(|entry| {
            let compiled = Arc::clone(entry.compiled.as_ref()?);
            Some((entry.key.clone(), Kept { compiled, matches: matches(entry) }))
        });
        Self { pack: model.pack.loaded.clone(), rules: rules.collect() }
    }

    /// How each of `rules`, which are in the order of their keys, stood. Both are walked side by side.
    pub(crate) fn beside(&self, rules: &[RuleEntry]) -> Vec<Option<&Kept>> {
        let mut before = self.rules.iter().peekable();
        let stood = |entry: &RuleEntry| {
            loop {
                let (key, kept) = *before.peek()?;
                // Keys are mostly the same allocation, for which equality is quick to tell.
                if *key == entry.key {
                    before.next();
                    return Some(kept);
                }
                if *key > entry.key {
                    return None;
                }
                before.next();
            }
        };
        rules.iter().map(stood).collect()
    }

    /// Fills in what a rule matched that has not run before, as long as it is the rule that it was.
    pub(crate) fn learn(&mut self, entry: &RuleEntry) {
        self.rules.get_mut(&entry.key).into_iter().for_each(|kept| kept.learn(entry));
    }

    /// The same of all `rules`, which are in the order of their keys. Both are walked side by side.
    pub(crate) fn learn_all(&mut self, rules: &[RuleEntry]) {
        let mut known = self.rules.iter_mut().peekable();
        for entry in rules {
            // As in [`Self::beside`].
            while known.next_if(|(key, _)| **key != entry.key && **key < entry.key).is_some() {}
            if let Some((_, kept)) = known.next_if(|(key, _)| **key == entry.key) {
                kept.learn(entry);
            }
        }
    }
}

impl Kept {
    fn learn(&mut self, entry: &RuleEntry) {
        if self.matches.is_none() && (self.is_of(entry) || self.has_sql_of(entry)) {
            self.matches = matches(entry);
        }
    }

    /// Whether a rule is still compiled as it was.
    pub(super) fn is_of(&self, entry: &RuleEntry) -> bool {
        entry.compiled.as_ref().is_some_and(|compiled| Arc::ptr_eq(compiled, &self.compiled))
    }

    /// Whether a rule has the SQL that it had.
    pub(super) fn has_sql_of(&self, entry: &RuleEntry) -> bool {
        self.compiled.sql.as_ref().map(|sql| sql.text.as_str()) == entry.sql_text()
    }
}

/// What a rule matches as it stands; `None` where that is not known.
pub(super) fn matches(entry: &RuleEntry) -> Option<u64> {
    match &entry.outcome {
        Outcome::Ran { summary, stale: false } => Some(summary.matches),
        _ => None,
    }
}

impl Model {
    /// What has changed since the baseline.
    pub(crate) fn changes(&self) -> Changes {
        let before = self.baseline.rules.values().map(|kept| (&*kept.compiled, kept.matches));
        let after = self.rules.iter().filter_map(|entry| -> Option<Ran<'_>> {
            // A count that is on its way is no difference.
            let known = matches(entry).or_else(|| self.baseline.rules.get(&entry.key)?.matches);
            Some((entry.compiled.as_deref()?, known.filter(|_| entry.is_executable())))
        });
        let packs = match (&self.baseline.pack, &self.pack.loaded) {
            (Some(before), Some(after)) if !Arc::ptr_eq(before, after) => authoring::pack_diff(before, after),
            _ => Default::default(),
        };
        Changes { packs, rules: authoring::rule_diff(before, after) }
    }
}

impl Drift {
    /// How the totals of `rules` differ, each with how it stood.
    pub(crate) fn of(rules: &[RuleEntry], before: &[Option<&Kept>], baseline: &Baseline) -> Self {
        let mut drift = Self::default();
        for kept in baseline.rules.values() {
            drift.executable -= i64::from(kept.compiled.sql.is_some());
        }
        for (entry, before) in rules.iter().zip(before) {
            drift.executable += i64::from(entry.is_executable());
            if let Some(kept) = before {
                let was = kept.matches.unwrap_or(0);
                let is = matches(entry).or(kept.matches).unwrap_or(0);
                drift.matched += i64::from(is > 0) - i64::from(was > 0);
            }
        }
        drift
    }
}
