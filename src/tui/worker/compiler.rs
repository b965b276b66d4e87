//! The thread that loads rules and pack, and compiles them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::slot::Slot;
use super::{PackReport, Report};
use crate::backend::{CompiledRule, Incremental};
use crate::pack::{self, Pack};
use crate::sigma::{self, Rule, RuleFile};
use crate::tui::Options;
use crate::tui::action::Changed;
use crate::tui::model::PackInfo;

/// What is to be loaded anew.
#[derive(Debug)]
pub(super) struct Request {
    generation: u64,
    changed: Changed,
}

impl Request {
    /// A request together with one that has not been begun.
    pub(super) fn merged(waiting: Option<Self>, generation: u64, changed: Changed) -> Self {
        let mut changed = changed;
        if let Some(waiting) = waiting {
            changed.rules.extend(waiting.changed.rules);
            changed.rescan |= waiting.changed.rescan;
            changed.pack |= waiting.changed.pack;
        }
        Self { generation, changed }
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
        while let Some(Request { generation, changed }) = requests.take() {
            if changed.pack || self.pack.is_none() {
                self.load_pack();
            }
            self.load_rules(&changed);
            let (rules, pack, gone) = (self.compile(), self.report.clone(), self.gone.clone());
            report(Report::Compiled { generation, rules, pack, gone });
        }
    }

    /// A pack that does not load leaves the last one that did in force.
    fn load_pack(&mut self) {
        match pack::load(&self.options.pack) {
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

    fn compile(&mut self) -> Vec<(Arc<Rule>, Option<Arc<CompiledRule>>)> {
        let rules: Vec<_> = self.rules.values().flatten().map(Arc::clone).collect();
        let Some(pack) = &self.pack else { return rules.into_iter().map(|rule| (rule, None)).collect() };
        let compiled = self.compiled.compile(&rules, pack, &self.options.settings);
        rules.into_iter().zip(compiled.into_iter().map(Some)).collect()
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
