//! What the user has switched on.

use std::collections::BTreeSet;

use crate::sigma::Capability;

/// Settings that a compilation depends on, beside rule and pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What is switched on (`--enable`), beside what the pack switches on.
    pub capabilities: BTreeSet<Capability>,
    /// `--raw-fallback`: permit `raw.*` where the pack's policy does not.
    pub raw_fallback: bool,
}

/// How a user switches a capability on.
pub(crate) fn switch_on(capability: Capability) -> String {
    format!("capability `{capability}` switches it on: --enable {capability}")
}
