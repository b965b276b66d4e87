//! Rules and pack of a stream, and what becomes of it when they change.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::{CliError, Inputs};
use crate::backend::CompiledRule;
use crate::pack;
use crate::stream::{RuleSet, RuleSetInputs};
use crate::watch;

/// Compiles the rules, as often as they change.
pub(super) struct Reload<'a> {
    inputs: &'a Inputs,
    run_id: &'a str,
    /// The rules in force, by file and place in it.
    in_force: BTreeSet<(PathBuf, usize)>,
}

/// Rules to ask, and what is known of them.
pub(super) struct Rules {
    pub(super) set: RuleSet,
    pub(super) rules: usize,
    pub(super) refused: usize,
}

impl<'a> Reload<'a> {
    pub(super) fn new(inputs: &'a Inputs, run_id: &'a str) -> Self {
        Self { inputs, run_id, in_force: BTreeSet::new() }
    }

    /// The rules as they are now. Where one that was in force is there still and can no longer run, nothing has
    /// changed: half a save must not switch a detection off.
    ///
    /// # Errors
    /// The pack does not load; a rule in force can no longer run.
    pub(super) fn rules(&mut self) -> Result<Rules, CliError> {
        let workspace = self.inputs.compile()?;
        let compiled = &workspace.compiled;
        if let Some(worse) = compiled.iter().find(|rule| self.was_in_force(rule)) {
            let rule = &worse.compilation.rule;
            let why = worse.compilation.refusal().map_or_else(String::new, |finding| finding.message.clone());
            return Err(CliError::Data(format!("{}: {why}", rule.path.display())));
        }
        let roots = self.inputs.rule_roots();
        let set = RuleSet::new(RuleSetInputs {
            run_id: self.run_id,
            roots: &roots,
            pack: &workspace.pack.pack,
            settings: &self.inputs.run_settings(&workspace),
            compiled,
        })
        .map_err(|error| CliError::Data(error.to_string()))?;
        let executable = || compiled.iter().filter(|rule| rule.compilation.is_executable());
        self.in_force = executable().map(place).collect();
        Ok(Rules { set, rules: compiled.len(), refused: compiled.len() - executable().count() })
    }

    fn was_in_force(&self, rule: &CompiledRule) -> bool {
        if rule.compilation.is_executable() {
            return false;
        }
        // A file that cannot be read as YAML is one document, however many it had.
        let (path, document) = place(rule);
        let unreadable = matches!(rule.compilation.rule.body, crate::sigma::Body::Unreadable);
        self.in_force.contains(&(path.clone(), document))
            || unreadable && self.in_force.iter().any(|(known, _)| *known == path)
    }

    /// What to watch.
    pub(super) fn watched(&self) -> Result<watch::Inputs, CliError> {
        Ok(watch::Inputs {
            rules: self.inputs.rule_paths().to_vec(),
            pack: pack::folders(&self.inputs.pack_source()?),
            dataset: None,
            extra: Vec::new(),
        })
    }
}

fn place(rule: &CompiledRule) -> (PathBuf, usize) {
    (rule.compilation.rule.path.to_path_buf(), rule.compilation.rule.document)
}
