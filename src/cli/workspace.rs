//! What a command works on: rules, pack, settings and events, loaded from its arguments.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reading::Reading;
use super::{CliError, Compiling, Enabled, Inputs};
use crate::backend::{self, BackendId, CompiledRule};
use crate::bridge::{Diagnostic, Settings};
use crate::bundle::{RuleRoots, RunSettings};
use crate::evaluate::{self, Cancel};
use crate::ocsf::OCSF_VERSION;
use crate::pack::{self, DEFAULT_PACK, LoadedPack, Pack, PackSource};
use crate::sigma::{self, Capability, Rule};
use crate::store::Store;

/// A pack with the rules compiled by it.
pub(super) struct Workspace {
    pub(super) pack: LoadedPack,
    pub(super) settings: Settings,
    /// Whether `raw.*` is permitted, by the pack, the configuration or the arguments.
    pub(super) raw_fallback_enabled: bool,
    pub(super) threads: u32,
    pub(super) compiled: Vec<CompiledRule>,
}

impl Inputs {
    /// The rules that the arguments name, else those of the configuration.
    pub(super) fn rule_paths(&self) -> &[PathBuf] {
        match &self.config {
            Some(config) if self.rules.is_empty() => &config.rule_paths,
            _ => &self.rules,
        }
    }

    pub(super) fn rule_roots(&self) -> RuleRoots {
        RuleRoots::new(self.rule_paths())
    }

    /// The pack that the arguments name, else that of the configuration.
    pub(super) fn pack_name(&self) -> &str {
        let configured = self.config.as_ref().and_then(|config| config.mapping_pack.as_deref());
        self.pack.as_deref().or(configured).unwrap_or(DEFAULT_PACK)
    }

    pub(super) fn pack_source(&self) -> Result<PackSource, CliError> {
        PackSource::find(self.pack_name(), Path::new("."))
            .map_err(|error| CliError::Configuration(findings(&error.findings)))
    }

    pub(super) fn configured_backend(&self) -> Option<BackendId> {
        self.config.as_ref().and_then(|config| config.backend)
    }

    /// What is switched on by the arguments, or by the configuration.
    pub(super) fn settings(&self) -> Settings {
        let configured = self.config.as_ref().and_then(|config| config.raw_fallback_enabled);
        let stated = self.compiling.settings();
        Settings { raw_fallback: stated.raw_fallback || configured == Some(true), ..stated }
    }

    /// Whether the configuration takes `raw.*` away, also where the pack permits it.
    pub(super) fn denies_raw_fallback(&self) -> bool {
        let configured = self.config.as_ref().and_then(|config| config.raw_fallback_enabled);
        configured == Some(false) && !self.compiling.raw_fallback
    }

    /// Loads pack and rules, and compiles them.
    pub(super) fn compile(&self) -> Result<Workspace, CliError> {
        self.compile_for(BackendId::DuckdbSql)
    }

    /// Loads pack and rules, and compiles them for a backend.
    pub(super) fn compile_for(&self, backend: BackendId) -> Result<Workspace, CliError> {
        let paths = self.rule_paths();
        if paths.is_empty() {
            return Err(CliError::Configuration(
                "no rules given; name rule files or folders, as in `sigma-ocsf-tui check rules/`".to_owned(),
            ));
        }
        let mut pack = load(&self.pack_source()?)?;
        self.check_pack_version(&pack.pack)?;
        let permitted = pack.pack.manifest.raw_fallback.enabled && !self.denies_raw_fallback();
        let rules: Vec<Arc<Rule>> = sigma::load(paths).into_iter().map(Arc::new).collect();
        let stated = std::mem::replace(&mut pack.pack.manifest.raw_fallback.enabled, permitted);
        let mut workspace = Workspace::new(backend, &rules, pack, self.settings(), self.compiling.threads);
        workspace.pack.pack.manifest.raw_fallback.enabled = stated;
        Ok(workspace)
    }

    /// The pack has to be of the version that the configuration names, where it names the pack that is used.
    fn check_pack_version(&self, pack: &Pack) -> Result<(), CliError> {
        let wanted = self.config.as_ref().and_then(|config| config.mapping_pack_version.as_deref());
        match wanted {
            Some(wanted) if self.pack.is_none() && wanted != pack.manifest.version => {
                let (id, version) = (&pack.manifest.id, &pack.manifest.version);
                Err(CliError::Configuration(format!(
                    "pack `{id}` is version {version}, and the configuration asks for {wanted} (mapping_pack_version)"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The settings in force, as a bundle records them.
    pub(super) fn run_settings(&self, workspace: &Workspace) -> RunSettings {
        let capabilities = &workspace.pack.pack.manifest.capabilities;
        RunSettings {
            threads: workspace.threads,
            timezone: "UTC".to_owned(),
            capabilities: workspace.settings.capabilities.union(capabilities).copied().collect(),
            raw_fallback_enabled: workspace.raw_fallback_enabled,
            fail_mode: self.config.as_ref().map(|config| config.fail_mode).unwrap_or_default(),
            compile_cache_dir: self.config.as_ref().and_then(|config| config.compile_cache_dir.clone()),
        }
    }

    /// Opens the events, where the arguments name any.
    pub(super) fn open_store(&self, threads: u32) -> Result<Option<Store>, CliError> {
        self.parquet.as_deref().map(|path| open_store(path, &self.reading, threads)).transpose()
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
        let source = PackSource::find(pack, Path::new("."));
        let source = source.map_err(|error| CliError::Configuration(findings(&error.findings)))?;
        Ok(Workspace::new(BackendId::DuckdbSql, rules, load(&source)?, self.settings(), self.threads))
    }
}

impl Workspace {
    fn new(
        backend: BackendId,
        rules: &[Arc<Rule>],
        pack: LoadedPack,
        settings: Settings,
        threads: Option<u32>,
    ) -> Self {
        let compiled = backend::compile_for(backend, rules, &pack.pack, &settings);
        let raw_fallback_enabled = settings.raw_fallback || pack.pack.manifest.raw_fallback.enabled;
        let threads = threads.unwrap_or(pack.pack.manifest.backend.threads);
        Self { pack, settings, raw_fallback_enabled, threads, compiled }
    }
}

fn load(source: &PackSource) -> Result<LoadedPack, CliError> {
    pack::load(source).map_err(|error| CliError::Configuration(findings(&error.findings)))
}

/// Opens the events at `path`. They are of the pinned OCSF version, or state none.
pub(super) fn open_store(path: &Path, reading: &Reading, threads: u32) -> Result<Store, CliError> {
    let mut store = reading.open(path, threads)?;
    let mismatch = evaluate::version_mismatch(&mut store, OCSF_VERSION, &Cancel::never());
    match mismatch.map_err(|error| CliError::Data(error.to_string()))? {
        None => Ok(store),
        Some(finding) => Err(CliError::Data(format!("{}: {}", finding.code.name, finding.message))),
    }
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
