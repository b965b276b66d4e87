//! The rules on an installed Spark, beside DuckDB: a thread of its own, with a session of its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::Report;
use crate::backend::{self, BackendId, CompiledRule};
use crate::bridge::Settings;
use crate::bundle::{self, FailMode, RuleRoots, RunInputs, RunSettings, Stop};
use crate::pack::Pack;
use crate::sigma::Rule;
use crate::store::{self, Dataset, SessionSettings, Store, TimeRange};
use crate::tui::Options;
use crate::tui::model::{RuleKey, SparkOutcome};

/// Where the screen's Spark runs.
const MASTER: &str = "local[*]";

/// What is run there.
#[derive(Clone, Debug)]
pub(crate) struct SparkJob {
    /// The pack in use.
    pub pack: Arc<Pack>,
    /// All rules, as they are compiled for DuckDB.
    pub rules: Vec<(RuleKey, Arc<CompiledRule>)>,
}

/// What a job needs besides, and how to stop the one that runs.
pub(super) struct Runner {
    roots: Vec<PathBuf>,
    dataset: Option<PathBuf>,
    range: TimeRange,
    settings: Settings,
    threads: u32,
    running: Mutex<Option<(Stop, JoinHandle<()>)>>,
}

impl Runner {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            roots: options.rules.clone(),
            dataset: options.dataset.clone(),
            range: options.range,
            settings: options.settings.clone(),
            threads: options.threads,
            running: Mutex::new(None),
        }
    }

    /// Stops the job that runs, if one does.
    pub(super) fn stop(&self) {
        if let Some((stop, _)) = &*self.running() {
            stop.stop();
        }
    }

    /// Whether nothing of it is left.
    pub(super) fn is_finished(&self) -> bool {
        self.running().as_ref().is_none_or(|(_, thread)| thread.is_finished())
    }

    /// Keeps hold of the job that runs now.
    pub(super) fn began(&self, stop: Stop, thread: JoinHandle<()>) {
        *self.running() = Some((stop, thread));
    }

    fn running(&self) -> MutexGuard<'_, Option<(Stop, JoinHandle<()>)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be done on the thread of a job.
    pub(super) fn work(
        &self,
        generation: u64,
        job: SparkJob,
        stop: &Stop,
    ) -> impl FnOnce(&dyn Fn(Report)) + Send + 'static {
        let (roots, dataset, range) = (self.roots.clone(), self.dataset.clone(), self.range);
        let (settings, threads, stop) = (self.settings.clone(), self.threads, stop.clone());
        move |report| {
            let mut say = |said: &str| report(Report::SparkSays { generation, said: said.to_owned() });
            let outcome = match dataset
                .filter(|path| range == TimeRange::default() && store::watched(path) == *path)
            {
                Some(events) => job.run(&roots, &events, &settings, threads, &stop, &mut say),
                None => {
                    Err("Spark reads all events of a folder: open one, without a range of time".to_owned())
                }
            };
            report(Report::SparkEnded { generation, outcome });
        }
    }
}

impl SparkJob {
    /// Runs the rules there and here, and compares.
    fn run(
        self,
        roots: &[PathBuf],
        events: &std::path::Path,
        settings: &Settings,
        threads: u32,
        stop: &Stop,
        say: &mut dyn FnMut(&str),
    ) -> Result<SparkOutcome, String> {
        let rules: Vec<Arc<Rule>> =
            self.rules.iter().map(|(_, rule)| Arc::clone(&rule.compilation.rule)).collect();
        let compiled = backend::compile_for(BackendId::SparkSql, &rules, &self.pack, settings);
        let manifest = &self.pack.manifest;
        let inputs = RunInputs {
            run_id: "screen",
            run_time: None,
            roots: &RuleRoots::new(roots),
            pack: &self.pack,
            settings: RunSettings {
                threads,
                timezone: "UTC".to_owned(),
                capabilities: settings.capabilities.union(&manifest.capabilities).copied().collect(),
                raw_fallback_enabled: settings.raw_fallback || manifest.raw_fallback.enabled,
                fail_mode: FailMode::FailClosed,
                compile_cache_dir: None,
            },
            backend: BackendId::SparkSql,
            compiled: &compiled,
        };
        let result =
            bundle::run_job(&inputs, events, MASTER, Some(stop), say).map_err(|error| error.to_string())?;
        say("compares with DuckDB");
        let told = |error: store::StoreError| error.to_string();
        let dataset = Dataset::discover(events).map_err(told)?;
        let mut store = Store::open(dataset, SessionSettings { threads }).map_err(told)?;
        let here: Vec<CompiledRule> = self.rules.iter().map(|(_, rule)| CompiledRule::clone(rule)).collect();
        let agreements = bundle::agreements(&inputs, &result, &here, &mut store, stop.cancel())
            .map_err(|error| error.to_string())?;
        let by_key = agreements
            .into_iter()
            .filter_map(|(index, agreement)| Some((self.rules.get(index)?.0.clone(), agreement)));
        Ok(by_key.collect())
    }
}
