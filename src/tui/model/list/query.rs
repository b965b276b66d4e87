//! The filter language: what is typed, as terms that all have to hold.
//!
//! ```text
//! reason:unmapped_field level:high,critical matched -tag:t1059 "in quotes" certutil
//! ```

use super::facts::Facts;
use super::{Since, fuzzy};
use crate::bridge::ReasonCode;
use crate::pack::AliasScope;
use crate::sigma::{Level, suggest};
use crate::tui::model::{RuleEntry, Verdict};

/// The keys of the language, with what each is compared with.
pub(crate) const KEYS: &[(&str, &str)] = &[
    ("reason", "the reason code of a refused rule"),
    ("level", "its level"),
    ("tag", "a tag, such as t1059, which takes its sub-techniques along"),
    ("logsource", "a part of its log source, or category/product/service with * for any"),
    ("path", "a part of its path"),
    ("field", "a field that it names"),
    ("unmapped", "a field that it names and that has no alias"),
];

/// Words that mean a property. In quotes they are text.
pub(crate) const FLAGS: &[(&str, Flag, &str)] = &[
    ("matched", Flag::Matched, "ran and matched"),
    ("silent", Flag::Silent, "ran and matched nothing"),
    ("executable", Flag::Executable, "can run"),
    ("refused", Flag::Refused, "cannot run"),
    ("failed", Flag::Failed, "failed while it ran"),
    ("fallback", Flag::Fallback, "reads raw.*"),
    ("warnings", Flag::Warnings, "has warnings"),
    ("changed", Flag::Changed, "differs from the baseline, or is new"),
    ("added", Flag::Added, "was not there at the baseline"),
    ("new", Flag::Arrived, "has new matches since it was last looked at"),
];

/// A property of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    Matched,
    Silent,
    Executable,
    Refused,
    Failed,
    Fallback,
    Warnings,
    Changed,
    Added,
    Arrived,
}

/// What is typed, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// The terms, in the order in which they were typed.
    pub terms: Vec<Term>,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// As it was typed.
    pub written: String,
    /// Whether it must not hold.
    pub negated: bool,
    /// What it asks for; or why it cannot be asked, in a sentence.
    pub wanted: Result<Wanted, String>,
}

/// What a term asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Text, found fuzzily.
    Text(String),
    /// Text, found as it stands.
    Phrase(String),
    /// A property.
    Flag(Flag),
    /// Any of several values of one key.
    AnyOf(Vec<Test>),
}

/// A value of a key, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Reason(String),
    Level(String),
    Tag(String),
    LogSourcePart(String),
    LogSource(AliasScope),
    NoCategory,
    Path(String),
    Field(String),
    Unmapped(String),
}

/// What of a rule may change without its being loaded anew, as far as a query asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What the list says of it.
    verdict: Verdict,
    /// What became of it since the baseline.
    since: Option<Since>,
    /// Whether it has matches that have come since it was last looked at.
    arrived: bool,
}

impl Standing {
    pub(super) fn of(entry: &RuleEntry, since: Option<Since>) -> Self {
        Self { verdict: entry.verdict(), since, arrived: entry.arrived() > 0 }
    }
}

/// A rule, as a query looks at it.
pub(crate) struct Asked<'a> {
    pub entry: &'a RuleEntry,
    pub facts: &'a Facts,
    pub standing: Standing,
}

impl Query {
    /// Reads what is typed. Nothing is refused; what cannot be asked says why.
    pub(crate) fn read(typed: &str) -> Self {
        Self { terms: split(typed).into_iter().filter_map(Term::read).collect() }
    }

    /// Why some terms are not applied.
    pub(crate) fn complaints(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| term.wanted.as_ref().err()).map(String::as_str)
    }

    /// Whether any text is searched for, so that rules have a rank.
    pub(crate) fn ranks(&self) -> bool {
        self.terms.iter().any(|term| !term.negated && matches!(term.wanted, Ok(Wanted::Text(_))))
    }

    /// How well a rule answers; `None` where it does not.
    pub(crate) fn rank(&self, asked: &Asked<'_>) -> Option<u32> {
        let ranks = self.terms.iter().filter_map(|term| Some((term.negated, term.wanted.as_ref().ok()?)));
        ranks.map(|(negated, wanted)| if negated { absent(wanted, asked) } else { wanted.rank(asked) }).sum()
    }
}

/// Text that must not occur is not looked for fuzzily: almost any rule would be gone.
fn absent(wanted: &Wanted, asked: &Asked<'_>) -> Option<u32> {
    let found = match wanted {
        Wanted::Text(text) => asked.holds(text),
        other => other.rank(asked).is_some(),
    };
    (!found).then_some(0)
}

/// Words, with quotes as they were typed; blanks between quotes part nothing.
fn split(typed: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in typed.chars() {
        quoted ^= c == '"';
        match words.last_mut() {
            Some(word) if quoted || !c.is_whitespace() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Term {
    fn read(written: String) -> Option<Self> {
        let stripped = written.strip_prefix(['-', '!']).filter(|rest| !rest.is_empty());
        let body = stripped.unwrap_or(&written);
        let wanted = wanted(&body.to_lowercase())?;
        Some(Self { negated: stripped.is_some(), wanted, written })
    }
}

/// What a term asks for; `None` for one that is not finished.
fn wanted(term: &str) -> Option<Result<Wanted, String>> {
    let unquoted = term.replace('"', "").trim().to_owned();
    if let Some((key, values)) = term.split_once(':').filter(|(key, _)| is_key(key)) {
        let tests = values.replace('"', "");
        let tests = tests.split(',').filter(|value| !value.is_empty()).map(|value| test(key, value));
        let tests: Result<Vec<_>, _> = tests.collect();
        return match tests {
            Ok(tests) if tests.is_empty() => known(key).err().map(Err),
            tests => Some(tests.map(Wanted::AnyOf)),
        };
    }
    if term.starts_with('"') {
        return (!unquoted.is_empty()).then_some(Ok(Wanted::Phrase(unquoted)));
    }
    let flag = FLAGS.iter().find(|(word, ..)| *word == term);
    Some(Ok(flag.map_or(Wanted::Text(unquoted), |(_, flag, _)| Wanted::Flag(*flag))))
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphabetic() || c == '_')
}

fn known(key: &str) -> Result<(), String> {
    let keys = || KEYS.iter().map(|(name, _)| *name);
    if keys().any(|name| name == key) {
        return Ok(());
    }
    Err(match suggest::nearest(key, keys()) {
        Some(meant) => format!("no key '{key}'; did you mean '{meant}:'?"),
        None => format!("no key '{key}'; there are {}", keys().collect::<Vec<_>>().join(", ")),
    })
}

fn test(key: &str, value: &str) -> Result<Test, String> {
    known(key)?;
    let value = value.to_owned();
    Ok(match key {
        "reason" => Test::Reason(begun(&value, "reason", ReasonCode::ALL.map(ReasonCode::as_str))?),
        "level" => Test::Level(begun(&value, "level", LEVELS.map(Level::as_str))?),
        "tag" => Test::Tag(value),
        "path" => Test::Path(value),
        "field" => Test::Field(value),
        "unmapped" => Test::Unmapped(value),
        _ if value == "-" => Test::NoCategory,
        _ if value.contains(['/', '*']) => {
            Test::LogSource(AliasScope::parse(&value).map_err(|error| error.to_string())?)
        }
        _ => Test::LogSourcePart(value),
    })
}

/// All levels, the gravest first.
pub(crate) const LEVELS: [Level; 5] =
    [Level::Critical, Level::High, Level::Medium, Level::Low, Level::Informational];

/// A value that one of `names` begins with, so that it can be cut short.
fn begun<const N: usize>(value: &str, what: &str, names: [&str; N]) -> Result<String, String> {
    if names.iter().any(|name| name.starts_with(value)) {
        return Ok(value.to_owned());
    }
    Err(match suggest::nearest(value, names) {
        Some(meant) => format!("no {what} '{value}'; did you mean '{meant}'?"),
        None => format!("no {what} '{value}'; there are {}", names.join(", ")),
    })
}

impl Wanted {
    fn rank(&self, asked: &Asked<'_>) -> Option<u32> {
        let holds = match self {
            Self::Text(text) => {
                return fuzzy::score(&asked.facts.title, text).or_else(|| asked.holds(text).then_some(100));
            }
            Self::Phrase(text) => asked.holds(text),
            Self::Flag(flag) => asked.has(*flag),
            Self::AnyOf(tests) => tests.iter().any(|test| asked.passes(test)),
        };
        holds.then_some(0)
    }
}

impl Asked<'_> {
    /// Whether `text` occurs in title, path, level, reason code, id or verdict.
    fn holds(&self, text: &str) -> bool {
        let Facts { title, path, words, .. } = self.facts;
        let verdict = self.standing.verdict.word();
        [title, path, words].into_iter().any(|part| part.contains(text)) || verdict.contains(text)
    }

    fn has(&self, flag: Flag) -> bool {
        let Standing { verdict, since, arrived } = self.standing;
        match flag {
            Flag::Matched => matches!(verdict, Verdict::Matched(_)),
            Flag::Silent => verdict == Verdict::NoMatch,
            Flag::Executable => self.entry.is_executable(),
            Flag::Refused => matches!(verdict, Verdict::Refused(_) | Verdict::ParseError),
            Flag::Failed => verdict == Verdict::Failed,
            Flag::Fallback => self.entry.fallback_used(),
            Flag::Warnings => self.facts.warnings,
            Flag::Changed => since.is_some(),
            Flag::Added => since == Some(Since::New),
            Flag::Arrived => arrived,
        }
    }

    fn passes(&self, test: &Test) -> bool {
        let Facts { path, tags, logsource, fields, .. } = self.facts;
        match test {
            Test::Reason(begin) => {
                self.entry.reason().is_some_and(|reason| reason.as_str().starts_with(begin))
            }
            Test::Level(begin) => {
                let level = self.entry.rule.metadata.level.as_ref();
                level.is_some_and(|level| level.value.as_str().starts_with(begin))
            }
            Test::Tag(wanted) => tags.iter().any(|tag| is_tag(tag, wanted)),
            Test::LogSourcePart(begin) => {
                let parts = [&logsource.category, &logsource.product, &logsource.service];
                parts.into_iter().flatten().any(|part| part.starts_with(begin))
            }
            Test::LogSource(scope) => self.facts.is_of(scope),
            Test::NoCategory => logsource.category.is_none(),
            Test::Path(part) => path.contains(part),
            Test::Field(wanted) => fields.iter().any(|(field, _)| field == wanted),
            Test::Unmapped(wanted) => fields.iter().any(|(field, missing)| *missing && field == wanted),
        }
    }
}

/// Whether a tag is the wanted one, with its namespace or without, or a part of it: `t1059` is `attack.t1059.001`.
fn is_tag(tag: &str, wanted: &str) -> bool {
    let named =
        |tag: &str| tag.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    named(tag) || tag.split_once('.').is_some_and(|(_, name)| named(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn only(typed: &str) -> Term {
        let [term] = Query::read(typed).terms.try_into().unwrap();
        term
    }

    #[test]
    fn terms_are_text_flags_and_values_and_can_be_negated() {
        assert_eq!(only("Certutil").wanted, Ok(Wanted::Text("certutil".to_owned())));
        assert_eq!(only("-matched").wanted, Ok(Wanted::Flag(Flag::Matched)));
        assert!(only("-matched").negated && only("!matched").negated && !only("-").negated);
        assert_eq!(only("\"New matched\"").wanted, Ok(Wanted::Phrase("new matched".to_owned())));
        let levels = ["high", "crit"].map(|level| Test::Level(level.to_owned()));
        assert_eq!(only("level:high,crit").wanted, Ok(Wanted::AnyOf(levels.to_vec())));
        let path = Test::Path("a b".to_owned());
        assert_eq!(only("path:\"a b\"").wanted, Ok(Wanted::AnyOf(vec![path])));
        assert_eq!(only("logsource:-").wanted, Ok(Wanted::AnyOf(vec![Test::NoCategory])));
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        assert_eq!(only("levle:high").wanted, Err("no key 'levle'; did you mean 'level:'?".to_owned()));
        assert!(only("xyz:1").wanted.unwrap_err().contains("there are reason, level, tag"));
        assert_eq!(only("level:hihg").wanted, Err("no level 'hihg'; did you mean 'high'?".to_owned()));
        assert!(only("reason:unrouted,foo").wanted.unwrap_err().contains("no reason 'foo'"));
        assert!(only("logsource:a//b").wanted.unwrap_err().contains("category/product/service"));
    }

    #[test]
    fn what_is_not_finished_asks_nothing_yet() {
        assert_eq!(Query::read("level: \" ").terms, []);
        assert_eq!(Query::read("  ").terms, []);
        assert_eq!(Query::read("lev:").complaints().count(), 1);
    }

    #[test]
    fn a_technique_takes_its_parts_along_and_no_other() {
        assert!(is_tag("attack.t1059.001", "t1059") && is_tag("attack.t1059", "attack.t1059"));
        assert!(!is_tag("attack.t10590", "t1059") && !is_tag("attack.t1059", "t1059.001"));
    }
}
