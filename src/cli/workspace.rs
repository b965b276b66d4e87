//! What a command works on: rules, pack, settings and events, loaded from its arguments.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::{CliError, Compiling, Enabled, Inputs};
use crate::backend::{self, CompiledRule};
use crate::bridge::{Diagnostic, Settings};
use crate::pack::{self, LoadedPack, PackSource};
use crate::sigma::{self, Capability, Rule};
use crate::store::{Dataset, SessionSettings, Store};

/// A pack with the rules compiled by it.
pub(super) struct Workspace {
    pub(super) pack: LoadedPack,
    pub(super) settings: Settings,
    pub(super) threads: u32,
    pub(super) compiled: Vec<CompiledRule>,
}

impl Inputs {
    pub(super) fn pack_source(&self) -> Result<PackSource, CliError> {
        PackSource::find(&self.pack, Path::new("."))
            .map_err(|error| CliError::Configuration(findings(&error.findings)))
    }

    /// Loads pack and rules, and compiles them.
    pub(super) fn compile(&self) -> Result<Workspace, CliError> {
        if self.rules.is_empty() {
            return Err(CliError::Configuration(
                "no rules given; name rule files or folders, as in `sigma-ocsf-tui check rules/`".to_owned(),
            ));
        }
        let rules: Vec<Arc<Rule>> = sigma::load(&self.rules).into_iter().map(Arc::new).collect();
        self.compiling.compile(&rules, &self.pack)
    }

    /// Opens the events, where the arguments name any.
    pub(super) fn open_store(&self, threads: u32) -> Result<Option<Store>, CliError> {
        self.parquet.as_deref().map(|path| open_store(path, threads)).transpose()
    }
}

impl Compiling {
    pub(super) fn settings(&self) -> Settings {
        let mut capabilities = BTreeSet::new();
        for enabled in &self.enable {
            match enabled {
                Enabled::All => capabilities.extend(Capability::ALL),
                Enabled::One(capability) => drop(capabilities.insert(*capability)),
            }
        }
        Settings { capabilities, raw_fallback: self.raw_fallback }
    }

    /// Loads the pack of this name, and compiles rules with it.
    pub(super) fn compile(&self, rules: &[Arc<Rule>], pack: &str) -> Result<Workspace, CliError> {
        let pack = PackSource::find(pack, Path::new("."))
            .and_then(|source| pack::load(&source))
            .map_err(|error| CliError::Configuration(findings(&error.findings)))?;
        let settings = self.settings();
        let compiled = backend::compile(rules, &pack.pack, &settings);
        let threads = self.threads.unwrap_or(pack.pack.manifest.backend.threads);
        Ok(Workspace { pack, settings, threads, compiled })
    }
}

/// Opens the events at `path`.
pub(super) fn open_store(path: &Path, threads: u32) -> Result<Store, CliError> {
    let open = || Store::open(Dataset::discover(path)?, SessionSettings { threads });
    open().map_err(|error| CliError::Data(error.to_string()))
}

/// Findings about a pack as text, one a line, each with its place.
pub(super) fn findings(findings: &[Diagnostic]) -> String {
    let mut text = String::from("the mapping pack does not load");
    for finding in findings {
        let path = finding.path.display();
        let (place, code, message) = (finding.span.start, finding.code.name, &finding.message);
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {path}:{place}: {code}: {message}");
        if let Some(help) = &finding.help {
            let _ = write!(text, "\n    help: {help}");
        }
    }
    text
}
