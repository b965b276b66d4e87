//! A screen whose workers are the fixtures: whatever `update` asks for is answered at once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::fixtures::{Compiled, rows, rules, table, theme, whole_event};
use super::{proposed, why, windows};
use crate::authoring::{FileEdit, SavedCase, Template};
use crate::evaluate::{MatchRow, MatchTable, Slice};
use crate::ocsf::OcsfPath;
use crate::pack::{AliasScope, Pack};
use crate::sigma::{Rule, SigmaField};
use crate::store::EventIdSource;
use crate::tui::action::{Action, Changed};
use crate::tui::highlight::Highlighter;
use crate::tui::model::{
    AliasAway, DatasetChange, DatasetInfo, Drafted, FileOf, Model, PackInfo, RuleKey, Trial, Written,
};
use crate::tui::update::{Effect, refresh, start, update};
use crate::tui::worker::{Ask, Exported, NewAlias, PackReport, Report, Rows, Unwritten, Writing};
use crate::tui::workspace::Workspace;

static HIGHLIGHTER: LazyLock<Highlighter> = LazyLock::new(Highlighter::load);

/// A screen on which the workers have done all that `update` asked for.
pub(super) struct Screen {
    pub model: Model,
    rules: Vec<Compiled>,
    dataset: bool,
    /// Matches of the first rule that have come, as its first rows.
    pub arrived: usize,
    /// What differs between the files.
    pub drift: Vec<String>,
}

impl Screen {
    pub(super) fn new(size: (u16, u16)) -> Self {
        Self::with(size, rules(), true)
    }

    pub(super) fn with(size: (u16, u16), rules: Vec<Compiled>, dataset: bool) -> Self {
        let mut model = Model::new(size, theme("dark"));
        model.opened.rules = vec![PathBuf::from("rules")];
        model.dataset.root = dataset.then(|| PathBuf::from("runs/1/normalized"));
        let mut screen = Self { model, rules, dataset, arrived: 0, drift: Vec::new() };
        let effects = start(&mut screen.model);
        screen.work(effects);
        screen
    }

    /// Nothing is open.
    pub(super) fn empty(size: (u16, u16), recent: Vec<Workspace>) -> Self {
        let mut model = Model::new(size, theme("dark"));
        model.recent = recent;
        let mut screen = Self { model, rules: Vec::new(), dataset: false, arrived: 0, drift: Vec::new() };
        let effects = start(&mut screen.model);
        screen.work(effects);
        screen
    }

    /// Does an action and all the work that follows from it.
    pub(super) fn act(&mut self, action: Action) {
        let effects = update(&mut self.model, action);
        self.work(effects);
        let effects = refresh(&mut self.model);
        self.work(effects);
    }

    /// So many events come that the first rule matches.
    pub(super) fn grow(&mut self, by: usize) {
        self.arrived += by;
        self.act(Action::FilesChanged(Changed { dataset: true, ..Changed::default() }));
    }

    /// The rules change on disk, and nobody has looked yet.
    pub(super) fn set_rules(&mut self, rules: Vec<Compiled>) {
        self.rules = rules;
    }

    /// The rules change on disk.
    pub(super) fn rewrite(&mut self, rules: Vec<Compiled>) {
        self.rules = rules;
        self.act(Action::Reload);
    }

    fn work(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            for report in self.answer(effect) {
                self.act(Action::Worker(report));
            }
        }
    }

    /// The rules, a file that is tried with its other text; without matches from then on.
    fn tried(&self, trial: Option<&Trial>) -> Vec<Compiled> {
        let mut rules = self.rules.clone();
        rules.sort_by_key(|(rule, _)| RuleKey::of(rule));
        rules.dedup_by_key(|(rule, _)| RuleKey::of(rule));
        if let Some(Trial::Rule(edit)) = trial {
            for (rule, compiled) in rules.iter_mut().filter(|(rule, _)| *rule.path == *edit.path) {
                *rule = Arc::new(Rule { text: edit.after.as_str().into(), ..(**rule).clone() });
                if let Some(sql) = compiled.as_mut().and_then(|c| Arc::make_mut(c).sql.as_mut()) {
                    sql.text.push_str("-- tried\n");
                }
            }
        }
        rules
    }

    pub(super) fn answer(&self, effect: Effect) -> Vec<Report> {
        match effect {
            Effect::Compile { generation, trial, .. } => {
                let info = PackInfo { id: "ocsf-1.7.0".to_owned(), version: "0.1.0".to_owned() };
                let loaded = Some(Arc::new(Pack::default()));
                let pack = PackReport { info: Some(info), loaded, ..PackReport::default() };
                let is_none = |alias: &NewAlias| alias.target == "nowhere";
                let refused = match &trial {
                    Some(Trial::Alias(alias)) if is_none(alias) => Some("no class has `nowhere`".to_owned()),
                    _ => None,
                };
                vec![Report::Compiled {
                    generation,
                    rules: self.tried(trial.as_ref()),
                    pack,
                    gone: Vec::new(),
                    refused,
                }]
            }
            Effect::OpenDataset { generation } if self.dataset => {
                let info = DatasetInfo {
                    events: 254_974,
                    files: 3,
                    lines: None,
                    event_id: EventIdSource::EventId,
                    drift: self.drift.clone(),
                };
                let change = if self.arrived > 0 { DatasetChange::Grown } else { DatasetChange::Other };
                vec![Report::Dataset { generation, opened: Ok(info), change, unfinished: Vec::new() }]
            }
            Effect::Rows { generation, wanted } => match wanted.asked {
                Rows::Slice(slice) => {
                    let all = self.matches_of(&wanted.rule.0).summary.matches as usize;
                    let rows = Ok(self.rows(slice.first..all.min(slice.first + slice.limit)));
                    vec![Report::Rows { generation, slice, rows }]
                }
                Rows::Around(slice, id) => {
                    let all = self.matches_of(&wanted.rule.0).summary.matches as usize;
                    let at = self.rows(0..all).iter().position(|row| row.event_id == id).unwrap_or(0);
                    let first = at.saturating_sub(slice.first);
                    let rows = Ok(self.rows(first..all.min(first + slice.limit)));
                    vec![Report::Rows { generation, slice: Slice { first, ..slice }, rows }]
                }
                Rows::Event(id, _) => vec![Report::Event { generation, event: Ok(whole_event(&id)) }],
                Rows::Draft(id, _) => {
                    let draft = Ok(drafted("certutil_exe", &format!("title: Of {id}\n")));
                    vec![Report::Drafted { generation, drafts: vec![(Template::Event, draft)] }]
                }
                Rows::Window(name) => {
                    vec![Report::Window { generation, found: Ok(windows::window_events(&name)) }]
                }
                Rows::Export(wanted) if wanted.1.ends_with("taken.csv") => {
                    vec![Report::Exported(Err("'taken.csv' exists; choose another name".to_owned()))]
                }
                Rows::Export(wanted) => {
                    vec![Report::Exported(Ok(Exported { path: wanted.1, matches: 1_212 }))]
                }
            },
            Effect::Arrivals { generation, rule: (rule, _), .. } => {
                let arrived = if rule.path.ends_with("a_certutil.yml") { self.arrived } else { 0 };
                let ids = self.rows(0..arrived).into_iter().map(|row| row.event_id).collect();
                vec![Report::Arrived { generation, ids }]
            }
            Effect::Match { generation, rule: Some(((rule, _), _)) } => {
                vec![Report::Matches { generation, table: Ok(self.matches_of(&rule)), rule }]
            }
            Effect::Summarize { generation, rules, .. } => {
                let counted = |(rule, _)| {
                    let summary = Ok(self.matches_of(&rule).summary);
                    Report::Summary { generation, rule, summary }
                };
                let done = Report::SummariesDone { generation };
                rules.into_iter().map(counted).chain([done]).collect()
            }
            Effect::Bench { generation, question: Some(question) } => match question.ask {
                Ask::Proposals => vec![Report::Proposed { generation, bench: Ok(proposed::bench()) }],
                Ask::TryOut(_) => {
                    let outcome =
                        Ok("of all rules: +18 executable (fallback); 3 of them match, 41 events".to_owned());
                    vec![Report::Tried { generation, outcome }]
                }
            },
            Effect::Explain { generation, rule: Some((rule, _)) } => {
                vec![Report::Explained { generation, found: Ok(Arc::new(why::attribution(&rule))) }]
            }
            Effect::Fill { generation, rule: Some((_, compiled)) } => {
                vec![Report::Filled { generation, fills: Some(why::fills(&compiled)) }]
            }
            Effect::Gaps { generation, .. } => {
                let lsass = self.rules.iter().find(|(rule, _)| rule.path.ends_with("b_lsass.yml"));
                let away = lsass.map(|(rule, _)| away(RuleKey::of(rule)));
                vec![Report::Gaps { generation, away: away.into_iter().collect() }]
            }
            Effect::Write(writing) => vec![match *writing {
                Writing::Alias(alias) => {
                    Report::Written(Ok(Written { edit: edit(&alias.target), of: FileOf::Pack }))
                }
                Writing::Rule(edit, _) => {
                    Report::Written(Ok(Written { edit: (*edit).clone(), of: FileOf::Rule }))
                }
                Writing::New(_) => Report::Written(Err(Unwritten::Because("not here".to_owned()))),
                Writing::Undo(written) => Report::Undone(Ok(written)),
                Writing::Redo(written) => Report::Redone(Ok(written)),
            }],
            Effect::SaveCase(rows) => {
                let saved = SavedCase {
                    path: PathBuf::from("rules/a_certutil.test.yml"),
                    name: "saved events".to_owned(),
                    events: rows.rows.len(),
                    left_out: BTreeSet::new(),
                };
                vec![Report::Saved(Ok(saved))]
            }
            Effect::Draft { generation, wanted } => {
                let text = &wanted.rule.compilation.rule.text;
                let draft = |template| match template {
                    Template::Filter => Err("the rule has no id and no name".to_owned()),
                    Template::Copy => Ok(drafted("a_certutil_copy", text)),
                    _ => Ok(drafted("new_rule", "title: New Rule\nstatus: experimental\n")),
                };
                let templates = Template::ALL.into_iter().filter(|template| *template != Template::Event);
                let drafts = templates.map(|template| (template, draft(template))).collect();
                vec![Report::Drafted { generation, drafts }]
            }
            Effect::Highlight(language, text) => {
                vec![Report::Highlighted(Arc::new(HIGHLIGHTER.highlight(language, text)))]
            }
            _ => Vec::new(),
        }
    }
}

impl Screen {
    fn matches_of(&self, rule: &RuleKey) -> MatchTable {
        match rule.path.to_string_lossy().as_ref() {
            "rules/a_certutil.yml" => {
                MatchTable { rows: self.rows(0..40), ..table(1_212 + self.arrived as u64, 0) }
            }
            "rules/d_zone.yml" => table(3, 3),
            _ => {
                MatchTable { rows: Vec::new(), absent: vec![OcsfPath("raw.Zone".to_owned())], ..table(0, 0) }
            }
        }
    }

    /// Rows of the first rule: those that have come before those that were there.
    fn rows(&self, range: std::ops::Range<usize>) -> Vec<MatchRow> {
        let of = |at: usize| if at < self.arrived { 1_212 + at } else { at - self.arrived };
        range.flat_map(|at| rows(of(at)..of(at) + 1)).collect()
    }
}

/// What `CallTrace` keeps from running.
fn away(rule: RuleKey) -> AliasAway {
    let field = SigmaField("CallTrace".to_owned());
    AliasAway {
        field,
        scope: AliasScope::parse("process_access/windows").unwrap(),
        rules: 1,
        unlocks: 1,
        raw: false,
        rule,
    }
}

fn drafted(stem: &str, text: &str) -> Drafted {
    Drafted { name: format!("{stem}.yml"), text: text.to_owned() }
}

/// An alias as written.
pub(super) fn edit(target: &str) -> FileEdit {
    let after = format!("process_access/windows:\n  CallTrace: {target}\n");
    FileEdit { path: PathBuf::from("packs/own/aliases/process.yaml"), before: None, after, line: 2 }
}
