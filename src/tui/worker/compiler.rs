//! The thread that loads rules and pack, and compiles them.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use super::slot::Slot;
use super::{PackReport, Report};
use crate::backend::Incremental;
use crate::pack::{self, LoadedPack, Pack, PackError};
use crate::sigma::{self, Rule, RuleFile};
use crate::tui::Options;
use crate::tui::action::Changed;
use crate::tui::model::{Loaded, PackInfo, RuleKey, Trial};

/// What is to be loaded anew.
#[derive(Debug)]
pub(super) struct Request {
    generation: u64,
    changed: Changed,
    /// What is compiled in place of what is on disk.
    trial: Option<Trial>,
}

impl Request {
    /// A request together with one that has not been begun.
    pub(super) fn merged(
        waiting: Option<Self>,
        generation: u64,
        changed: Changed,
        trial: Option<Trial>,
    ) -> Self {
        let mut changed = changed;
        if let Some(waiting) = waiting {
            changed.rules.extend(waiting.changed.rules);
            changed.rescan |= waiting.changed.rescan;
            changed.pack |= waiting.changed.pack;
        }
        Self { generation, changed, trial }
    }
}

/// What the thread holds between requests.
pub(super) struct Compiler {
    options: Options,
    rules: Known,
    /// Whether a file includes another: then what a change reaches is known only by loading all.
    includes: bool,
    pack: Option<Arc<Pack>>,
    compiled: Incremental,
    report: PackReport,
    gone: Vec<PathBuf>,
}

impl Compiler {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            rules: BTreeMap::new(),
            includes: false,
            pack: None,
            compiled: Incremental::default(),
            report: PackReport::default(),
            gone: Vec::new(),
        }
    }

    /// Works until the slot is closed.
    pub(super) fn run(mut self, requests: &Slot<Request>, report: &dyn Fn(Report)) {
        while let Some(Request { generation, changed, trial }) = requests.take() {
            self.load(&changed);
            if changed.rescan {
                report(Report::RulesRead);
            }
            let (rules, pack, refused) = self.compile(trial.as_ref());
            let gone = self.gone.clone();
            report(Report::Compiled { generation, rules, pack, gone, refused });
        }
    }

    /// Loads what has changed: the pack on a thread of its own, where the rules are to be read as well.
    fn load(&mut self, changed: &Changed) {
        if !changed.pack && self.pack.is_some() {
            self.load_rules(changed);
            return;
        }
        let source = self.options.pack.clone();
        let loaded = thread::scope(|scope| {
            let beside = changed.rescan.then(|| {
                let body = || pack::load(&source);
                thread::Builder::new().name("pack".to_owned()).spawn_scoped(scope, body).ok()
            });
            self.load_rules(changed);
            match beside.flatten().map(ScopedJoinHandle::join) {
                Some(Ok(loaded)) => loaded,
                Some(Err(panic)) => resume_unwind(panic),
                None => pack::load(&source),
            }
        });
        self.take_pack(loaded);
    }

    /// A pack that does not load leaves the last one that did in force.
    fn take_pack(&mut self, loaded: Result<LoadedPack, PackError>) {
        match loaded {
            Ok(loaded) => {
                let manifest = &loaded.pack.manifest;
                let info = PackInfo { id: manifest.id.clone(), version: manifest.version.clone() };
                let pack = Arc::new(loaded.pack);
                self.report = PackReport {
                    info: Some(info),
                    loaded: Some(Arc::clone(&pack)),
                    errors: Vec::new(),
                    warnings: loaded.warnings,
                };
                self.pack = Some(pack);
            }
            Err(error) => self.report.errors = error.findings,
        }
    }

    /// The rules of a folder that is gone stay as they were.
    fn load_rules(&mut self, changed: &Changed) {
        let roots = &self.options.rules;
        let holds_rules =
            |root: &PathBuf| self.rules.keys().any(|path| path.starts_with(root) && path != root);
        self.gone = roots.iter().filter(|root| !root.exists() && holds_rules(root)).cloned().collect();
        let there: Vec<_> = roots.iter().filter(|root| !self.gone.contains(root)).cloned().collect();
        if changed.rescan || self.includes || !self.reload(changed, &there) {
            let files = sigma::load_files(&there);
            self.includes = files.iter().any(|file| !file.includes.is_empty());
            let before = std::mem::take(&mut self.rules);
            self.rules = files.into_iter().map(|file| keyed(file, &before)).collect();
            let gone = &self.gone;
            let of_gone = |path: &PathBuf| gone.iter().any(|root| path.starts_with(root));
            self.rules.extend(before.into_iter().filter(|(path, _)| of_gone(path)));
        }
    }

    /// Loads the changed files alone. False where that is not enough: one of them includes others.
    fn reload(&mut self, changed: &Changed, there: &[PathBuf]) -> bool {
        for path in &changed.rules {
            if path.exists() || there.contains(path) {
                let file = sigma::reload_file(path, there);
                if !file.includes.is_empty() {
                    return false;
                }
                let (path, rules) = keyed(file, &self.rules);
                self.rules.insert(path, rules);
            } else if !self.gone.iter().any(|root| path.starts_with(root)) {
                self.rules.remove(path);
            }
        }
        true
    }

    /// All rules, the pack that they were compiled with, and why a trial was not made.
    fn compile(&mut self, trial: Option<&Trial>) -> (Vec<Loaded>, PackReport, Option<String>) {
        let (pack, report, refused) = self.tried_pack(trial);
        let rules = self.tried_rules(trial);
        let Some(pack) = pack else {
            let uncompiled = rules.into_iter().map(|rule| (rule, None)).collect();
            return (self.in_order(uncompiled), report, refused);
        };
        let settings = &self.options.settings;
        let compiled = self.compiled.compile(&rules, &pack, settings);
        let compiled = rules.into_iter().zip(compiled.into_iter().map(Some)).collect();
        (self.in_order(compiled), report, refused)
    }

    /// Rules in the order of their keys, each key once. They are so but where one file includes another.
    fn in_order(&self, mut rules: Vec<Loaded>) -> Vec<Loaded> {
        if self.includes {
            rules.sort_by_cached_key(|(rule, _)| RuleKey::of(rule));
            rules.dedup_by_key(|(rule, _)| RuleKey::of(rule));
        }
        rules
    }

    /// The rules, a file that is tried with its other text.
    fn tried_rules(&self, trial: Option<&Trial>) -> Vec<Arc<Rule>> {
        let rules = self.rules.values().flatten();
        let Some(Trial::Rule(edit)) = trial else { return rules.map(Arc::clone).collect() };
        let mut tried = Some(sigma::parse(&edit.path, &edit.after));
        let mut all = Vec::new();
        for rule in rules {
            if *rule.path == *edit.path {
                // All rules of the file in place of its first one.
                all.extend(tried.take().into_iter().flatten().map(Arc::new));
            } else {
                all.push(Arc::clone(rule));
            }
        }
        all
    }

    /// The pack, with the alias that is tried, or without it and why.
    fn tried_pack(&self, trial: Option<&Trial>) -> (Option<Arc<Pack>>, PackReport, Option<String>) {
        let (Some(pack), Some(Trial::Alias(alias))) = (&self.pack, trial) else {
            return (self.pack.clone(), self.report.clone(), None);
        };
        match pack::with_alias(pack, &alias.scope, &alias.field, &alias.target) {
            Ok(changed) => {
                let changed = Arc::new(changed);
                let loaded = Some(Arc::clone(&changed));
                (Some(changed), PackReport { loaded, ..self.report.clone() }, None)
            }
            Err(error) => {
                let why = error.findings.first().map(|finding| finding.message.clone());
                (self.pack.clone(), self.report.clone(), Some(why.unwrap_or_else(|| error.to_string())))
            }
        }
    }
}

type Known = BTreeMap<PathBuf, Vec<Arc<Rule>>>;

/// The rules of a file; those of `before` where it says what it said, so that they need not be compiled again.
fn keyed(file: RuleFile, before: &Known) -> (PathBuf, Vec<Arc<Rule>>) {
    let same = |(old, new): (&Arc<Rule>, &Rule)| {
        old.path == new.path && old.text == new.text && old.problems == new.problems
    };
    let rules = match before.get(&file.path) {
        Some(old) if old.len() == file.rules.len() && old.iter().zip(&file.rules).all(same) => old.clone(),
        _ => file.rules.into_iter().map(Arc::new).collect(),
    };
    (file.path, rules)
}
