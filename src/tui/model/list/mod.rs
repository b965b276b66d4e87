//! The rule list: which rules are shown, in which order, in which groups.
//!
//! Everything that a frame shows is kept here and worked out anew by [`RuleList::arrange`] alone, once for all that
//! has changed since the last frame.

mod facts;
mod fuzzy;
mod group;
mod query;

use std::cmp::Reverse;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use facts::Facts;
pub(crate) use facts::{scope, technique};
pub(crate) use fuzzy::score;
pub(crate) use group::{Folds, Group, Grouping, Row};
pub(crate) use query::{FLAGS, KEYS, Query};

use super::baseline::{self, Baseline, Kept};
use super::{Drift, RuleEntry, RuleKey, Verdict};
use query::{Asked, Standing};

/// In which order rules stand, within their group where there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// By path; by how well they answer, while text is searched for.
    #[default]
    Path,
    /// Most matches first.
    Matches,
    /// By title.
    Name,
    /// The gravest first.
    Level,
    /// Those that differ from the baseline first.
    Changed,
    /// Most new matches first.
    Arrived,
}

impl Order {
    /// All of them, in the order in which a key goes through them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Path, Self::Matches, Self::Name, Self::Level, Self::Changed, Self::Arrived];

    /// The next one, around the end.
    pub(crate) fn next(self) -> Self {
        Self::ALL.into_iter().cycle().nth(self as usize + 1).unwrap_or_default()
    }

    /// As the title says.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Matches => "matches",
            Self::Name => "name",
            Self::Level => "level",
            Self::Changed => "changed",
            Self::Arrived => "arrived",
        }
    }
}

/// What became of a rule since the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// It was not there.
    New,
    /// Its SQL, its reason code or its matches are others.
    Changed,
}

/// Figures over all rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Those that can run.
    pub executable: u64,
    /// Those that cannot.
    pub refused: u64,
    /// Those that read `raw.*`.
    pub fallback: u64,
    /// Those that matched.
    pub matched: u64,
    /// The most matches of one rule.
    pub most: u64,
    /// Matches that have come since their rule was last looked at.
    pub arrived: u64,
}

/// The rule list.
#[derive(Debug, Default)]
pub(crate) struct RuleList {
    /// What rules are grouped by.
    pub grouping: Grouping,
    /// In which order they stand.
    pub order: Order,
    /// Which groups are open.
    pub folds: Folds,
    /// The lines.
    pub rows: Vec<Row>,
    /// The group whose header has the cursor, where one has.
    pub on_group: Option<String>,
    /// Whether something has changed that the lines may depend on.
    pub outdated: bool,
    /// Figures over all rules.
    pub totals: Totals,
    /// How totals differ from the baseline's.
    pub drift: Drift,
    facts: Vec<Facts>,
    /// The folder that all rules are in.
    root: PathBuf,
    since: Vec<Option<Since>>,
    /// The query that was asked last.
    asked: Query,
}

impl RuleList {
    /// Takes in rules that were loaded anew, in the order of their keys. For each that has `stayed` what it was, its
    /// place among those that are known is told.
    pub(crate) fn learn(&mut self, stayed: &[Option<usize>], rules: &[RuleEntry]) {
        let root = facts::common_folder(rules);
        let known = std::mem::take(&mut self.facts);
        let known = if root == self.root { known } else { Vec::new() };
        self.facts = facts::facts(known, stayed, rules, &root);
        self.root = root;
        self.since.clear();
    }

    /// What became of a rule since the baseline, by its place.
    fn since(&self, index: usize) -> Option<Since> {
        self.since.get(index).copied().flatten()
    }

    /// Whether there are warnings about a rule, and what became of it since the baseline, by its place.
    pub(crate) fn mark(&self, index: usize) -> (bool, Option<Since>) {
        (self.facts.get(index).is_some_and(|facts| facts.warnings), self.since(index))
    }

    /// Works out what is kept: marks, figures, and the rules that pass `query`, `also` among them in any case.
    /// Returns the places of these.
    pub(crate) fn arrange(
        &mut self,
        rules: &[RuleEntry],
        baseline: &Baseline,
        query: &Query,
        also: Option<&RuleKey>,
    ) -> Vec<usize> {
        self.outdated = false;
        self.totals = Totals::of(rules);
        let before = baseline.beside(rules);
        self.drift = Drift::of(rules, &before, baseline);
        self.since = rules.iter().zip(&before).map(|(entry, before)| since(entry, *before)).collect();
        let also = also.and_then(|key| rules.binary_search_by(|entry| entry.key.cmp(key)).ok());
        let ranks = self.ranks(rules, query);
        let passing = ranks.enumerate().filter_map(|(index, rank)| {
            let rank = rank.or_else(|| (also == Some(index)).then_some(0))?;
            Some((index, rank))
        });
        let mut passing: Vec<(usize, u32)> = passing.collect();
        self.sort(&mut passing, rules, query.ranks());
        let visible: Vec<usize> = passing.into_iter().map(|(index, _)| index).collect();
        self.rows = group::rows(&visible, self.grouping, &self.folds, rules, &self.facts);
        visible
    }

    /// How well each rule answers. One that stands as it stood is not asked the same again.
    fn ranks(&mut self, rules: &[RuleEntry], query: &Query) -> impl Iterator<Item = Option<u32>> {
        if self.asked != *query {
            self.asked.clone_from(query);
            self.facts.iter_mut().for_each(|facts| facts.ranked = None);
        }
        rules.iter().zip(&mut self.facts).zip(&self.since).map(|((entry, facts), since)| {
            let standing = Standing::of(entry, *since);
            match facts.ranked {
                Some((then, rank)) if then == standing => rank,
                _ => {
                    let rank = query.rank(&Asked { entry, facts, standing });
                    facts.ranked = Some((standing, rank));
                    rank
                }
            }
        })
    }

    /// Rules come by path, and stay so where the order says nothing else.
    fn sort(&self, passing: &mut [(usize, u32)], rules: &[RuleEntry], ranks: bool) {
        let entry = |index: usize| rules.get(index);
        match self.order {
            Order::Path if ranks => passing.sort_by_key(|(_, rank)| Reverse(*rank)),
            Order::Path => {}
            Order::Matches => passing.sort_by_key(|(index, _)| Reverse(entry(*index).map_or(0, matches))),
            Order::Name => {
                let name = |index: usize| self.facts.get(index).map(|facts| facts.title.as_str());
                passing.sort_by(|(a, _), (b, _)| name(*a).cmp(&name(*b)));
            }
            Order::Level => {
                let level = |entry: &RuleEntry| entry.rule.metadata.level.as_ref().map(|level| level.value);
                passing.sort_by_key(|(index, _)| Reverse(entry(*index).and_then(level)));
            }
            Order::Changed => passing.sort_by_key(|(index, _)| match self.since(*index) {
                Some(Since::New) => 0,
                Some(Since::Changed) => 1,
                None => 2,
            }),
            Order::Arrived => {
                passing.sort_by_key(|(index, _)| Reverse(entry(*index).map_or(0, RuleEntry::arrived)))
            }
        }
    }

    /// The groups that a rule is in, from the outermost in; of several, those of the first.
    pub(crate) fn groups_of(&self, entry: &RuleEntry, index: usize) -> Vec<String> {
        let Some(facts) = self.facts.get(index) else { return Vec::new() };
        let places = group::places(self.grouping, entry, facts);
        places.first().map(|place| group::keys(place).collect()).unwrap_or_default()
    }
}

/// Matches of a rule that ran, counting from one, so that those without any stand before those that did not run.
fn matches(entry: &RuleEntry) -> u64 {
    match entry.verdict() {
        Verdict::Matched(matches) => matches.saturating_add(1),
        Verdict::NoMatch => 1,
        _ => 0,
    }
}

impl Totals {
    fn of(rules: &[RuleEntry]) -> Self {
        let mut totals = Self::default();
        for entry in rules {
            let verdict = entry.verdict();
            totals.executable += u64::from(entry.is_executable());
            totals.refused += u64::from(matches!(verdict, Verdict::Refused(_) | Verdict::ParseError));
            totals.fallback += u64::from(entry.fallback_used());
            if let Verdict::Matched(matches) = verdict {
                totals.arrived += entry.arrived();
                totals.matched += 1;
                totals.most = totals.most.max(matches);
            }
        }
        totals
    }
}

/// What became of a rule since the baseline, where it stood as `before`.
fn since(entry: &RuleEntry, before: Option<&Kept>) -> Option<Since> {
    match before {
        Some(kept) => differs(entry, kept).then_some(Since::Changed),
        // Without a pack there is nothing to have a baseline of.
        None => entry.compiled.is_some().then_some(Since::New),
    }
}

fn differs(entry: &RuleEntry, kept: &Kept) -> bool {
    if baseline::matches(entry).zip(kept.matches).is_some_and(|(now, before)| now != before) {
        return true;
    }
    !kept.is_of(entry) && (!kept.has_sql_of(entry) || kept.compiled.compilation.reason() != entry.reason())
}
