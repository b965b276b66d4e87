//! The aliases that are missing, and how many rules wait for each.

use std::sync::Arc;

use crate::authoring;
use crate::backend::CompiledRule;
use crate::tui::model::{AliasAway, RuleKey};

/// The aliases that `compiled` misses, those that would add most rules first.
pub(super) fn away(compiled: &[Arc<CompiledRule>]) -> Vec<AliasAway> {
    let rules: Vec<&CompiledRule> = compiled.iter().map(AsRef::as_ref).collect();
    let gaps = authoring::gaps(&rules).into_iter();
    gaps.filter_map(|gap| {
        let rule = rules.get(*gap.unlocks.first().or(gap.rules.first())?)?;
        Some(AliasAway {
            field: gap.field,
            scope: gap.scope,
            rules: gap.rules.len() as u64,
            unlocks: gap.unlocks.len() as u64,
            raw: gap.raw,
            rule: RuleKey::of(&rule.compilation.rule),
        })
    })
    .collect()
}
