//! Which rules a change of the pack reaches.

use std::collections::{BTreeMap, BTreeSet};

use super::route::Tokens;
use crate::pack::{Alias, AliasScope, Fields, Pack};
use crate::sigma::{Body, Item, Operator, Rule, Search, SigmaField};

/// The aliases that differ between two packs that say the same otherwise.
///
/// [`compile`](super::compile) says of a rule that is tied to no other, and narrowed by no filter, what it said of it
/// with the one pack, unless the change reaches it. Of where aliases stand, files and lines stay right: an alias that has
/// moved to another line is another.
#[derive(Clone, Debug, Default)]
pub struct PackChange {
    /// Of each scope the fields whose aliases differ, in ASCII lower case: a finding may name a field of another case.
    scopes: BTreeMap<AliasScope, BTreeSet<String>>,
}

impl PackChange {
    /// What differs; `None` where more does than aliases, and any rule may be another.
    #[must_use]
    pub fn between(before: &Pack, after: &Pack) -> Option<Self> {
        if before.manifest != after.manifest || before.routes != after.routes {
            return None;
        }
        let mut scopes = BTreeMap::new();
        let none = Fields::new();
        for scope in before.aliases.keys().chain(after.aliases.keys()) {
            let [before, after] = [before, after].map(|pack| pack.aliases.get(scope).unwrap_or(&none));
            let differing = differing(before, after);
            if !differing.is_empty() {
                scopes.insert(scope.clone(), differing);
            }
        }
        Some(Self { scopes })
    }

    /// Whether no alias differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Whether one of the aliases may be for a field of the rule, whether its condition reaches that or not.
    #[must_use]
    pub fn reaches(&self, rule: &Rule) -> bool {
        let Body::Event(detection) = &rule.body else { return false };
        let Tokens { category, product, service } = Tokens::of(&rule.logsource);
        let applies =
            |scope: &AliasScope| scope.applies(category.as_deref(), product.as_deref(), service.as_deref());
        let fields: Vec<&BTreeSet<String>> =
            self.scopes.iter().filter(|(scope, _)| applies(scope)).map(|(_, fields)| fields).collect();
        let names = |item: &Item| {
            let name = item.field.as_ref().map(|field| field.value.0.to_ascii_lowercase());
            name.is_some_and(|name| fields.iter().any(|fields| fields.contains(&name)))
                || may_name_another(item)
        };
        !fields.is_empty() && detection.selections.iter().any(|selection| any_item(&selection.search, &names))
    }
}

fn differing(before: &Fields, after: &Fields) -> BTreeSet<String> {
    fn aliases<'f>(fields: &'f Fields, field: &SigmaField) -> &'f [Alias] {
        fields.get(field).map_or(&[], Vec::as_slice)
    }
    let differs = |field: &&SigmaField| {
        let (one, other) = (aliases(before, field), aliases(after, field));
        one.len() != other.len() || !one.iter().zip(other).all(|(one, other)| one.is_like(other))
    };
    before.keys().chain(after.keys()).filter(differs).map(|field| field.0.to_ascii_lowercase()).collect()
}

/// Whether the values of an item may be the names of fields.
fn may_name_another(item: &Item) -> bool {
    item.chain.as_ref().map_or(true, |chain| matches!(chain.operator, Operator::FieldRef(_)))
}

fn any_item(search: &Search, holds: &impl Fn(&Item) -> bool) -> bool {
    match search {
        Search::AllOf(items, _) => items.iter().any(holds),
        Search::AnyOf(entries, _) => entries.iter().any(|entry| any_item(entry, holds)),
        Search::Keywords(..) => false,
    }
}
