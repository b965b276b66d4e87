//! Compiling again after a change: only what the change reaches.

use std::collections::HashMap;
use std::sync::Arc;

use super::{CompiledRule, compile};
use crate::bridge::{self, PackChange, Settings};
use crate::pack::Pack;
use crate::sigma::{Body, Rule};

/// What the last compilation made, for the next one to keep.
///
/// Rules are the same where they are one and the same `Arc`: a rule that is read anew is another rule.
#[derive(Debug, Default)]
pub struct Incremental {
    with: Option<(Arc<Pack>, Settings)>,
    round: u64,
    kept: HashMap<*const Rule, Kept>,
}

/// A rule that is tied to no other, as it was compiled.
#[derive(Debug)]
struct Kept {
    /// Held, so that no other rule comes to lie at its address.
    rule: Arc<Rule>,
    filters: Vec<Arc<Rule>>,
    compiled: Arc<CompiledRule>,
    /// The last compilation that it was of use to.
    round: u64,
}

// The addresses are only compared: nothing is read through them.
impl Incremental {
    /// As [`compile`](super::compile), rule for rule. What depends on nothing that has changed since the last time is
    /// what it was then, the same `Arc`.
    pub fn compile(
        &mut self,
        rules: &[Arc<Rule>],
        pack: &Arc<Pack>,
        settings: &Settings,
    ) -> Vec<Arc<CompiledRule>> {
        self.forget_others(pack, settings);
        let filters: Vec<&Arc<Rule>> =
            rules.iter().filter(|rule| matches!(rule.body, Body::Filter(_))).collect();
        let tied = bridge::tied(rules);
        let mut slots: Vec<Option<Arc<CompiledRule>>> = Vec::with_capacity(rules.len());
        let mut due: Vec<Arc<Rule>> = Vec::new();
        self.round += 1;
        for (rule, tied) in rules.iter().zip(&tied) {
            let kept = self.kept.get_mut(&Arc::as_ptr(rule));
            let slot = kept.filter(|kept| !tied && kept.holds(rule, &filters)).map(|kept| {
                kept.round = self.round;
                Arc::clone(&kept.compiled)
            });
            if slot.is_none() {
                due.push(Arc::clone(rule));
            }
            slots.push(slot);
        }
        self.kept.retain(|_, kept| kept.round == self.round);
        let mut made = compile(&due, pack, settings).into_iter().map(Arc::new);
        let mut compiled = Vec::with_capacity(rules.len());
        for ((rule, tied), slot) in rules.iter().zip(tied).zip(slots) {
            let Some(made) = slot.or_else(|| {
                let made = made.next()?;
                self.keep(rule, tied, &filters, &made);
                Some(made)
            }) else {
                continue;
            };
            compiled.push(made);
        }
        compiled
    }

    /// Forgets what depends on what has changed in the pack, or in the settings.
    fn forget_others(&mut self, pack: &Arc<Pack>, settings: &Settings) {
        match &self.with {
            Some((with, under)) if under == settings && Arc::ptr_eq(with, pack) => return,
            Some((with, under)) if under == settings => match PackChange::between(with, pack) {
                Some(change) => self.kept.retain(|_, kept| !kept.is_reached(&change)),
                None => self.kept.clear(),
            },
            _ => self.kept.clear(),
        }
        self.with = Some((Arc::clone(pack), settings.clone()));
    }

    fn keep(&mut self, rule: &Arc<Rule>, tied: bool, filters: &[&Arc<Rule>], compiled: &Arc<CompiledRule>) {
        if tied {
            return;
        }
        let filters = bridge::narrowing(filters, rule).into_iter().map(Arc::clone).collect();
        let (rule, compiled) = (Arc::clone(rule), Arc::clone(compiled));
        let kept = Kept { rule, filters, compiled, round: self.round };
        self.kept.insert(Arc::as_ptr(&kept.rule), kept);
    }
}

impl Kept {
    /// What filters say is resolved anew with any change.
    fn is_reached(&self, change: &PackChange) -> bool {
        (!self.filters.is_empty() && !change.is_empty()) || change.reaches(&self.rule)
    }

    fn holds(&self, rule: &Arc<Rule>, filters: &[&Arc<Rule>]) -> bool {
        let now = bridge::narrowing(filters, rule);
        Arc::ptr_eq(&self.rule, rule)
            && now.len() == self.filters.len()
            && now.iter().zip(&self.filters).all(|(now, then)| Arc::ptr_eq(now, then))
    }
}
