//! A small edit in place: the line that is typed, what is tried and not yet written, and what was written.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::baseline::{Baseline, matches};
use super::{Input, Model, Overlay, RuleEntry, RuleKey};
use crate::authoring::FileEdit;
use crate::sigma::SigmaField;
use crate::sigma::yaml::{self, NotIsolated, Token};
use crate::tui::text::count;
use crate::tui::worker::NewAlias;

/// A part of a rule, or an alias, while it is typed anew.
#[derive(Clone, Debug)]
pub(crate) struct EditLine {
    /// What is edited.
    pub of: EditOf,
    /// The part of it, as typed.
    pub input: Input,
    /// Whether it is being tried.
    pub trying: bool,
    /// What is wrong with it.
    pub failed: Option<String>,
}

/// What is edited in place.
#[derive(Clone, Debug)]
pub(crate) enum EditOf {
    /// A line of a rule.
    Rule(RuleLine),
    /// What a field is in OCSF.
    Alias {
        /// The alias as it stands; its target is empty where there is none.
        alias: Box<NewAlias>,
        /// The fields of the rule.
        fields: Vec<SigmaField>,
        /// Which of them.
        at: usize,
    },
}

/// A line of a rule, and which part of it is edited.
#[derive(Clone, Debug)]
pub(crate) struct RuleLine {
    /// The rule.
    pub key: RuleKey,
    /// The text of its file, with what was typed into other parts of the line.
    pub text: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// What of it can be edited: its scalars, and all of it.
    pub parts: Vec<Part>,
    /// Which of them.
    pub at: usize,
}

/// What of a line is edited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// A scalar by itself.
    Token(Token),
    /// The whole line.
    Line,
}

/// Bytes of a file in which scalars are looked for; in a larger one whole lines are edited.
const TOKEN_LIMIT: usize = 256 * 1024;

impl RuleLine {
    /// The line of a text, the first of its values to be edited; `None` where the text has no such line.
    pub(crate) fn new(key: RuleKey, text: Arc<str>, line: u32) -> Option<Self> {
        let mut made = Self { key, text, line, parts: Vec::new(), at: 0 };
        made.range()?;
        made.find_parts();
        let is_value = |part: &Part| matches!(part, Part::Token(token) if !token.is_key);
        made.at = made.parts.iter().position(is_value).unwrap_or(0);
        Some(made)
    }

    fn find_parts(&mut self) {
        let range = self.range().filter(|_| self.text.len() <= TOKEN_LIMIT).unwrap_or_default();
        let tokens = if range.is_empty() { Vec::new() } else { yaml::tokens(&self.text, &range) };
        self.parts = tokens.into_iter().map(Part::Token).chain([Part::Line]).collect();
    }

    /// The bytes of the line, without its end.
    fn range(&self) -> Option<Range<usize>> {
        let index = usize::try_from(self.line).ok()?.checked_sub(1)?;
        let mut start = 0;
        for (at, line) in self.text.split_inclusive('\n').enumerate() {
            if at == index {
                let line = line.strip_suffix('\n').unwrap_or(line);
                let line = line.strip_suffix('\r').unwrap_or(line);
                return Some(start..start + line.len());
            }
            start += line.len();
        }
        None
    }

    /// The part that is edited.
    pub(crate) fn part(&self) -> &Part {
        self.parts.get(self.at).unwrap_or(&Part::Line)
    }

    /// What the part says now.
    pub(crate) fn said(&self) -> &str {
        match self.part() {
            Part::Token(token) => &token.value,
            Part::Line => self.range().and_then(|range| self.text.get(range)).unwrap_or_default(),
        }
    }

    /// What of the line stands before the part and behind it.
    pub(crate) fn around(&self) -> (&str, &str) {
        let line = self.range().unwrap_or_default();
        let part = match self.part() {
            Part::Token(token) => token.span.start.offset..token.span.end.offset,
            Part::Line => line.clone(),
        };
        let stretch = |range: Range<usize>| self.text.get(range).unwrap_or_default();
        (stretch(line.start..part.start), stretch(part.end..line.end))
    }

    /// The text with `typed` in place of the part.
    ///
    /// # Errors
    /// The part cannot be replaced by itself.
    pub(crate) fn with(&self, typed: &str) -> Result<Arc<str>, NotIsolated> {
        if typed == self.said() {
            return Ok(Arc::clone(&self.text));
        }
        match self.part() {
            Part::Token(token) => yaml::replace(&self.text, token, typed).map(Arc::from),
            Part::Line => {
                let line = self.range().unwrap_or_default();
                let mut text = self.text.to_string();
                text.replace_range(line, typed);
                Ok(text.into())
            }
        }
    }

    /// Goes on to the part so many on, around the end, with `typed` in place of this one.
    ///
    /// # Errors
    /// As for [`RuleLine::with`].
    pub(crate) fn step(&mut self, typed: &str, by: usize) -> Result<(), NotIsolated> {
        self.text = self.with(typed)?;
        self.find_parts();
        self.at = (self.at + by) % self.parts.len().max(1);
        Ok(())
    }
}

/// What is tried and not written.
#[derive(Clone, Debug)]
pub(crate) enum Trial {
    /// A rule file with another text.
    Rule(Arc<FileEdit>),
    /// The pack with another alias.
    Alias(Arc<NewAlias>),
}

/// A trial while the panes show it.
#[derive(Clone, Debug)]
pub(crate) struct Unsaved {
    /// What is tried.
    pub trial: Trial,
    /// How things stood without it.
    pub before: Baseline,
    /// What it does, in words.
    pub effect: String,
    /// Whether it is being written.
    pub writing: bool,
    /// What the user was warned of, and did nothing else since.
    pub warned: Option<Warning>,
}

/// What is done only by those who ask for it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// To write a rule that cannot be read.
    Broken,
    /// To leave, and lose what is not written.
    Lost,
}

impl Unsaved {
    /// The rule file that is tried with another text.
    pub(crate) fn rule(&self) -> Option<&FileEdit> {
        match &self.trial {
            Trial::Rule(edit) => Some(edit),
            Trial::Alias(_) => None,
        }
    }

    /// The alias that is tried.
    pub(crate) fn alias(&self) -> Option<&NewAlias> {
        match &self.trial {
            Trial::Alias(alias) => Some(alias),
            Trial::Rule(_) => None,
        }
    }

    /// Its name in messages.
    pub(crate) fn name(&self) -> String {
        match &self.trial {
            Trial::Rule(edit) => edit.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Trial::Alias(alias) => format!("the alias of {}", alias.field),
        }
    }
}

/// A change that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// What changed.
    pub edit: FileEdit,
    /// What the file is of.
    pub of: FileOf,
}

/// What a written file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileOf {
    /// The rules.
    Rule,
    /// The pack.
    Pack,
}

/// The changes that were written from here.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// What undo takes back, the newest last.
    pub done: Vec<Written>,
    /// What redo makes again, the one taken back last last.
    pub undone: Vec<Written>,
}

/// Changes that can be taken back, and as many that can be made again.
pub(crate) const CHANGES: usize = 200;

/// Bytes that the texts of each may take; the last change is kept whatever it takes.
const TEXTS: usize = 32 * 1024 * 1024;

impl History {
    /// A change was made: what was taken back before it can no longer be made again.
    pub(crate) fn made(&mut self, written: Written) {
        self.undone.clear();
        push(&mut self.done, written);
    }

    /// A change was taken back.
    pub(crate) fn undone(&mut self, written: Written) {
        push(&mut self.undone, written);
    }

    /// A change that was taken back was made again.
    pub(crate) fn redone(&mut self, written: Written) {
        push(&mut self.done, written);
    }
}

/// Keeps a change as the newest; the oldest go where there are too many, or too long ones.
fn push(changes: &mut Vec<Written>, written: Written) {
    changes.push(written);
    let size =
        |written: &Written| written.edit.before.as_ref().map_or(0, String::len) + written.edit.after.len();
    let mut room = TEXTS;
    let fits = |written: &&Written| room.checked_sub(size(written)).map(|left| room = left).is_some();
    let kept = changes.iter().rev().take(CHANGES).take_while(fits).count().max(1);
    changes.drain(..changes.len() - kept);
}

impl Model {
    /// What the trial does, in words.
    pub(crate) fn trial_effect(&self) -> Option<String> {
        let unsaved = self.unsaved.as_ref()?;
        Some(match &unsaved.trial {
            Trial::Rule(edit) => self.effect_on_rule(&unsaved.before, &edit.path),
            Trial::Alias(_) => self.effect_on_all(&unsaved.before),
        })
    }

    fn effect_on_rule(&self, before: &Baseline, path: &Path) -> String {
        let selected = self.entry().filter(|entry| *entry.key.path == *path);
        let entry = selected.or_else(|| self.rules.iter().find(|entry| *entry.key.path == *path));
        let Some(entry) = entry else { return "no rule is left in the file".to_owned() };
        if entry.is_unreadable() {
            return "cannot be read".to_owned();
        }
        let was = before.rules.get(&entry.key);
        let ran = was.is_some_and(|kept| kept.compiled.sql.is_some());
        if !entry.is_executable() {
            let reason = entry.reason().map_or("not executable", |reason| reason.as_str());
            return format!("{}{reason}", if ran { "executable → " } else { "" });
        }
        let gained = if ran { "" } else { "refused → executable, " };
        let figure = |matches: Option<u64>| matches.map_or_else(|| "…".to_owned(), count);
        let (was, is) = (was.and_then(|kept| kept.matches).filter(|_| ran), matches(entry));
        match (ran, self.dataset.info.is_some()) {
            (_, false) => format!("{gained}executable"),
            (true, true) => format!("matches {} → {}", figure(was), figure(is)),
            (false, true) => format!("{gained}matches {}", figure(is)),
        }
    }

    fn effect_on_all(&self, before: &Baseline) -> String {
        let mut effect = crate::authoring::Effect::default();
        let mut matching = (0, 0);
        for (at, (entry, was)) in self.rules.iter().zip(before.beside(&self.rules)).enumerate() {
            let Some(was) = was else { continue };
            let sql = was.compiled.sql.as_ref().map(|sql| sql.text.as_str());
            match (sql, entry.sql_text()) {
                (None, Some(_)) => {
                    effect.unlocked.push(at);
                    effect.with_fallback += usize::from(entry.fallback_used());
                }
                (Some(_), None) => effect.refused.push(at),
                (Some(old), Some(new)) if old != new => effect.changed.push(at),
                _ => {}
            }
            let known = matches(entry).or(was.matches).filter(|_| entry.is_executable());
            matching.0 += u64::from(was.matches.is_some_and(|matches| matches > 0));
            matching.1 += u64::from(known.is_some_and(|matches| matches > 0));
        }
        let found = match self.dataset.info.is_some() {
            true => format!("; rules that match {} → {}", count(matching.0), count(matching.1)),
            false => String::new(),
        };
        format!("{effect}{found}")
    }

    /// The line of the selected rule that is being edited.
    pub(crate) fn edited_line(&self) -> Option<(&EditLine, &RuleLine)> {
        match &self.overlay {
            Some(Overlay::Edit(edit)) => match &edit.of {
                EditOf::Rule(line) if Some(&line.key) == self.selected.as_ref() => Some((edit, line)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The field whose alias is being edited.
    pub(crate) fn edited_alias(&self) -> Option<(&EditLine, &NewAlias)> {
        match &self.overlay {
            Some(Overlay::Edit(edit)) => match &edit.of {
                EditOf::Alias { alias, .. } => Some((edit, alias)),
                EditOf::Rule(_) => None,
            },
            _ => None,
        }
    }

    /// Where the unsaved text of a rule differs: its line.
    pub(crate) fn unsaved_line(&self, entry: &RuleEntry) -> Option<(u32, &Unsaved)> {
        let unsaved = self.unsaved.as_ref()?;
        let edit = unsaved.rule().filter(|edit| *edit.path == *entry.key.path)?;
        Some((edit.line, unsaved))
    }
}
