//! What one more alias would change: which rules become executable, and which are refused still, and why.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::gap::Gap;
use crate::backend::{self, CompiledRule};
use crate::bridge::Settings;
use crate::pack::{self, Pack, PackError};
use crate::sigma::{Body, Rule};

/// What an alias does to a set of rules, which indices refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Rules that become executable.
    pub unlocked: Vec<usize>,
    /// Those of them that read `raw.*`.
    pub with_fallback: usize,
    /// Rules that it takes away: executable before, refused after.
    pub refused: Vec<usize>,
    /// Rules that ran before and run with other SQL after.
    pub changed: Vec<usize>,
}

impl fmt::Display for Effect {
    /// As people read it: `+20 executable (fallback), 2 with other SQL`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unlocked = self.unlocked.len();
        write!(f, "+{unlocked} executable")?;
        match self.with_fallback {
            0 => {}
            all if all == unlocked => f.write_str(" (fallback)")?,
            some => write!(f, " ({some} by fallback)")?,
        }
        if !self.refused.is_empty() {
            write!(f, ", −{} refused", self.refused.len())?;
        }
        if !self.changed.is_empty() {
            write!(f, ", {} with other SQL", self.changed.len())?;
        }
        Ok(())
    }
}

/// What an alias would do, and the rules as it would leave them: nothing is written.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What it would do.
    pub effect: Effect,
    /// The rules that were compiled for it, by index.
    pub compiled: BTreeMap<usize, CompiledRule>,
}

/// Tries an alias for the gap's field on the rules that name it.
///
/// # Errors
/// The alias would be a finding.
pub fn try_on_gap<R: Borrow<CompiledRule>>(
    compiled: &[R],
    pack: &Pack,
    settings: &Settings,
    gap: &Gap,
    target: &str,
) -> Result<Trial, PackError> {
    // Filters narrow other rules, so that they have to be there as well.
    let is_filter = |rule: &CompiledRule| matches!(rule.compilation.rule.body, Body::Filter(_));
    let (concerned, before): (Vec<usize>, Vec<&CompiledRule>) = compiled
        .iter()
        .map(Borrow::borrow)
        .enumerate()
        .filter(|(index, rule)| gap.rules.binary_search(index).is_ok() || is_filter(rule))
        .unzip();
    let after = recompile(&before, pack, settings, gap, target)?;
    let pairs = concerned.iter().copied().zip(before.into_iter().zip(&after));
    // Of a filter whose rules are not here nothing can be said.
    let effect = compare(pairs.filter(|(index, _)| gap.rules.binary_search(index).is_ok()));
    Ok(Trial { effect, compiled: concerned.into_iter().zip(after).collect() })
}

/// Tries it on the whole set.
///
/// # Errors
/// As for [`try_on_gap`].
pub fn try_on_all<R: Borrow<CompiledRule>>(
    compiled: &[R],
    pack: &Pack,
    settings: &Settings,
    gap: &Gap,
    target: &str,
) -> Result<Trial, PackError> {
    let before: Vec<&CompiledRule> = compiled.iter().map(Borrow::borrow).collect();
    let after = recompile(&before, pack, settings, gap, target)?;
    let effect = compare(before.into_iter().zip(&after).enumerate());
    Ok(Trial { effect, compiled: after.into_iter().enumerate().collect() })
}

fn recompile(
    before: &[&CompiledRule],
    pack: &Pack,
    settings: &Settings,
    gap: &Gap,
    target: &str,
) -> Result<Vec<CompiledRule>, PackError> {
    let changed = pack::with_alias(pack, &gap.scope, &gap.field, target)?;
    // Whether fallback is permitted is another question: what it would unlock is told all the same, and marked.
    let reads_raw = alias_is_raw(&changed, gap);
    let settings = Settings { raw_fallback: settings.raw_fallback || reads_raw, ..settings.clone() };
    let rules: Vec<Arc<Rule>> = before.iter().map(|rule| Arc::clone(&rule.compilation.rule)).collect();
    Ok(backend::compile(&rules, &changed, &settings))
}

fn alias_is_raw(pack: &Pack, gap: &Gap) -> bool {
    let aliases = pack.aliases.get(&gap.scope).and_then(|aliases| aliases.get(&gap.field));
    aliases.into_iter().flatten().any(|alias| alias.target.is_raw())
}

/// What differs between pairs of a rule before and after, each with the rule's index.
fn compare<'a>(pairs: impl Iterator<Item = (usize, (&'a CompiledRule, &'a CompiledRule))>) -> Effect {
    let mut effect = Effect::default();
    for (index, (before, after)) in pairs {
        match (before.compilation.is_executable(), after.compilation.is_executable()) {
            (false, true) => {
                effect.unlocked.push(index);
                effect.with_fallback += usize::from(after.compilation.fallback_used());
            }
            (true, false) => effect.refused.push(index),
            (true, true) if before.sql != after.sql => effect.changed.push(index),
            _ => {}
        }
    }
    effect
}
