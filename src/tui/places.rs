//! Where the user's own files lie: configuration, and what the screen remembers.
//!
//! A place that cannot be told (no home folder) is `None`: then nothing is read or remembered, and the screen works all
//! the same.

use std::env;
use std::path::PathBuf;

use etcetera::BaseStrategy;

const NAME: &str = "sigma-ocsf-tui";

/// The folders of the user's own files. Either may not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// What the user writes: `keys.yaml`, `themes/`. `$SIGMA_OCSF_CONFIG_DIR`, else the platform's.
    pub config: Option<PathBuf>,
    /// What the screen remembers between its runs. `$SIGMA_OCSF_STATE_DIR`, else the platform's.
    pub state: Option<PathBuf>,
}

impl Places {
    /// Asks the environment.
    pub(crate) fn detect() -> Self {
        let named = |variable| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let base = etcetera::choose_base_strategy().ok();
        let config = base.as_ref().map(BaseStrategy::config_dir);
        // Not every platform has a folder for state; its data folder is the next best.
        let state = base.as_ref().map(|base| base.state_dir().unwrap_or_else(|| base.data_dir()));
        Self {
            config: named("SIGMA_OCSF_CONFIG_DIR").or_else(|| config.map(|folder| folder.join(NAME))),
            state: named("SIGMA_OCSF_STATE_DIR").or_else(|| state.map(|folder| folder.join(NAME))),
        }
    }
}
