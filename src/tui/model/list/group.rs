//! Rules in groups: what they can be grouped by, and the lines that a grouped list has.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::bridge::ReasonCode;
use crate::tui::model::{RuleEntry, Verdict};

/// What rules are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grouping {
    /// By nothing.
    #[default]
    Flat,
    /// By folder, as a tree.
    Folder,
    Verdict,
    Reason,
    LogSource,
    Level,
    Technique,
}

impl Grouping {
    /// All of them, in the order in which a key goes through them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Flat,
        Self::Folder,
        Self::Verdict,
        Self::Reason,
        Self::LogSource,
        Self::Level,
        Self::Technique,
    ];

    /// The next one, around the end.
    pub(crate) fn next(self) -> Self {
        Self::ALL.into_iter().cycle().nth(self as usize + 1).unwrap_or_default()
    }

    /// As the title says.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Folder => "by folder",
            Self::Verdict => "by verdict",
            Self::Reason => "by reason",
            Self::LogSource => "by log source",
            Self::Level => "by level",
            Self::Technique => "by technique",
        }
    }
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// The header of a group.
    Group(Group),
    /// A rule.
    Rule {
        /// Its place among all rules.
        index: usize,
        /// How deep it stands.
        depth: usize,
    },
}

/// A group of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// What tells it from the others.
    pub key: String,
    /// Its name.
    pub label: String,
    /// How deep it stands.
    pub depth: usize,
    /// Whether its rules show.
    pub open: bool,
    /// Its rules.
    pub rules: usize,
    /// Those that can run.
    pub executable: usize,
    /// Those that matched.
    pub matched: usize,
}

/// Which groups are open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folds {
    open: bool,
    except: BTreeSet<String>,
}

impl Folds {
    /// All open, or all folded.
    pub(crate) fn all(open: bool) -> Self {
        Self { open, except: BTreeSet::new() }
    }

    /// Whether a group is open.
    pub(crate) fn is_open(&self, key: &str) -> bool {
        self.open != self.except.contains(key)
    }

    /// Opens or folds a group.
    pub(crate) fn set(&mut self, key: &str, open: bool) {
        if open == self.open {
            self.except.remove(key);
        } else {
            self.except.insert(key.to_owned());
        }
    }

    /// Whether groups are open unless they were folded.
    pub(crate) fn open_by_default(&self) -> bool {
        self.open
    }
}

/// A path of groups, from the outermost in: rank and name of each, in the order of the list.
pub(super) type Place = Vec<(usize, String)>;

/// The groups that a rule is in; a rule without any technique has a group too.
pub(super) fn places(grouping: Grouping, entry: &RuleEntry, facts: &Facts) -> Vec<Place> {
    let one = |rank: usize, name: &str| vec![vec![(rank, name.to_owned())]];
    match grouping {
        Grouping::Flat => vec![Vec::new()],
        Grouping::Folder => vec![facts.folders.iter().map(|folder| (0, folder.clone())).collect()],
        Grouping::Verdict => one(rank(entry.verdict()), entry.verdict().word()),
        Grouping::Reason => match entry.reason() {
            Some(reason) => one(reason as usize, reason.as_str()),
            None => one(ReasonCode::ALL.len(), "no reason"),
        },
        Grouping::LogSource => one(0, &facts.logsource.to_string()),
        Grouping::Level => match &entry.rule.metadata.level {
            Some(level) => one(10 - level.value as usize, level.value.as_str()),
            None => one(11, "no level"),
        },
        Grouping::Technique if facts.techniques.is_empty() => one(1, "no technique"),
        Grouping::Technique => facts.techniques.iter().map(|id| vec![(0, id.clone())]).collect(),
    }
}

fn rank(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Matched(_) => 0,
        Verdict::NoMatch => 1,
        Verdict::Failed => 2,
        Verdict::ParseError => 3,
        Verdict::Refused(_) => 4,
        Verdict::Within => 5,
        Verdict::NotRun => 6,
        Verdict::NoEvents => 7,
    }
}

/// The key of the group at the end of a path.
fn key(place: &[(usize, String)]) -> String {
    place.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("/")
}

/// The keys of all groups along a path.
pub(super) fn keys(place: &Place) -> impl Iterator<Item = String> {
    (1..=place.len()).map(|depth| key(&place[..depth]))
}

/// The lines of the list: `visible` by group, without the rules of folded groups.
pub(super) fn rows(
    visible: &[usize],
    grouping: Grouping,
    folds: &Folds,
    rules: &[RuleEntry],
    facts: &[Facts],
) -> Vec<Row> {
    if grouping == Grouping::Flat {
        return visible.iter().map(|index| Row::Rule { index: *index, depth: 0 }).collect();
    }
    let mut members: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for index in visible {
        let (Some(entry), Some(facts)) = (rules.get(*index), facts.get(*index)) else { continue };
        for place in places(grouping, entry, facts) {
            for key in keys(&place) {
                groups.entry(key).or_default().count(entry);
            }
            members.entry(place).or_default().push(*index);
        }
    }
    let mut rows = Vec::new();
    let mut above: &[(usize, String)] = &[];
    for (place, members) in &members {
        let shared = place.iter().zip(above).take_while(|(a, b)| a == b).count();
        let closed = (0..place.len()).find(|depth| !folds.is_open(&key(&place[..=*depth])));
        let shown = closed.map_or(place.len(), |depth| depth + 1);
        for depth in shared..shown {
            let (key, label) = (key(&place[..=depth]), place[depth].1.clone());
            let open = folds.is_open(&key);
            let counted = groups.get(&key).cloned().unwrap_or_default();
            rows.push(Row::Group(Group { key, label, depth, open, ..counted }));
        }
        if closed.is_none() {
            let depth = place.len();
            rows.extend(members.iter().map(|index| Row::Rule { index: *index, depth }));
        }
        above = place;
    }
    rows
}

impl Group {
    fn count(&mut self, entry: &RuleEntry) {
        self.rules += 1;
        self.executable += usize::from(entry.is_executable());
        self.matched += usize::from(matches!(entry.verdict(), Verdict::Matched(_)));
    }
}
