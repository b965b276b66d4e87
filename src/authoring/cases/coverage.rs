//! Which routes and aliases the tests of a pack exercise: a passing rule was routed by the one, and read by the other.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::bridge::Compilation;
use crate::ocsf::ClassUid;
use crate::pack::{Alias, AliasScope, Pack, PackPlace, Target};
use crate::sigma::{LogSource, SigmaField, Spanned};

/// A route or an alias that no case exercises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untested {
    /// Where it stands.
    pub place: PackPlace,
    /// What it is, in words.
    pub what: String,
}

/// What was exercised, by where it stands: the byte in its file, and the file.
pub(super) type Exercised = BTreeSet<(usize, Arc<Path>)>;

pub(super) fn key(place: &PackPlace) -> (usize, Arc<Path>) {
    (place.span.start.offset, Arc::clone(&place.path))
}

/// The alias that answers for a field in events of a class, at the narrowest scope that has one.
pub(super) fn alias<'p>(
    pack: &'p Pack,
    compilation: &Compilation,
    class: ClassUid,
    field: &SigmaField,
) -> Option<&'p Alias> {
    let [category, product, service] = tokens(&compilation.rule.logsource);
    let narrow =
        |scope: &AliasScope| (scope.category.is_some(), scope.product.is_some(), scope.service.is_some());
    let answers = pack.aliases.iter().filter_map(|(scope, fields)| {
        let applies = scope.applies(category.as_deref(), product.as_deref(), service.as_deref());
        let aliases = fields.get(field).filter(|_| applies)?;
        aliases.iter().find(|alias| is_for(alias, class)).map(|alias| (narrow(scope), alias))
    });
    answers.max_by_key(|(narrow, _)| *narrow).map(|(_, alias)| alias)
}

fn tokens(logsource: &LogSource) -> [Option<String>; 3] {
    let token = |part: &Option<Spanned<String>>| part.as_ref().map(|p| p.value.trim().to_ascii_lowercase());
    [&logsource.category, &logsource.product, &logsource.service].map(token)
}

fn is_for(alias: &Alias, class: ClassUid) -> bool {
    let listed = alias.class_uids.is_empty() || alias.class_uids.contains(&class);
    listed && !matches!(&alias.target, Target::PerClass(targets) if !targets.contains_key(&class))
}

/// The places of what a rule that matches an event of `class` exercises: its route and the aliases of its fields.
pub(super) fn exercised(pack: &Pack, compilation: &Compilation, class: ClassUid) -> Vec<PackPlace> {
    let route = compilation.routing.scope.iter().map(|scope| scope.place.clone());
    let fields = compilation.fields.iter();
    let aliases = fields.filter_map(|resolution| alias(pack, compilation, class, &resolution.field));
    route.chain(aliases.map(|alias| alias.place.clone())).collect()
}

/// The pack's own routes and aliases that are not among `exercised`, in source order.
pub(super) fn untested(pack: &Pack, root: &Path, exercised: &Exercised) -> Vec<Untested> {
    let routes = pack.routes.iter().map(|route| {
        let parts = [&route.category, &route.product, &route.service];
        let scope =
            AliasScope { category: parts[0].clone(), product: parts[1].clone(), service: parts[2].clone() };
        (&route.place, format!("the route of {scope}"))
    });
    let aliases = pack.aliases.iter().flat_map(|(scope, fields)| {
        fields.iter().flat_map(move |(field, aliases)| {
            aliases.iter().map(move |alias| (&alias.place, format!("`{field}` at {scope}")))
        })
    });
    let mut untested: Vec<_> = routes
        .chain(aliases)
        .filter(|(place, _)| is_in(place, root) && !exercised.contains(&key(place)))
        .map(|(place, what)| Untested { place: place.clone(), what })
        .collect();
    untested.sort_by(|a, b| (&a.place.path, a.place.span.start).cmp(&(&b.place.path, b.place.span.start)));
    untested
}

/// Whether a statement stands in the pack of this folder, and not in one that it extends.
pub(super) fn is_in(place: &PackPlace, root: &Path) -> bool {
    let folder = place.path.parent();
    folder == Some(root) || folder == Some(&root.join("aliases"))
}
