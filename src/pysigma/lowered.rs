//! What an alias is for the events of one route, as names of a query: the part of an export that may not be possible.

use std::collections::BTreeMap;

use serde_json::Value;

use super::notes::{COMPUTED, PER_CLASS, VALUES};
use crate::bridge::ir::FieldExpr;
use crate::bridge::{Code, ResolvedField};
use crate::ocsf::{Catalog, ClassUid, FieldType, OcsfPath};
use crate::pack::{Alias, Otherwise};

/// A field of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lowered {
    /// It is called so; by several names where any of them may match.
    Named { paths: Vec<OcsfPath>, literals: Literals },
    /// The pipeline fails on it.
    Fails,
}

/// What happens to a rule's literals before they are compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literals {
    AsTheyAre,
    /// They become text.
    ToText,
    /// They become numbers.
    ToNumber,
    /// They are one of the keys, in lower case, and become its value. Others fail.
    OneOf(BTreeMap<String, Value>),
    /// Those that are one of the keys, whatever their case, become its value.
    Replaced(BTreeMap<String, String>),
}

/// The field for the events of a route to `classes`, or why there is none.
pub(super) fn lower(field: &ResolvedField<'_>, classes: &[ClassUid]) -> Result<Lowered, &'static Code> {
    let paths = match &*field.source {
        FieldExpr::PerClass(by_class) => of_classes(by_class, classes)?,
        source => names(source)?,
    };
    Ok(Lowered::Named { paths, literals: literals(field.alias).ok_or(&VALUES)? })
}

fn names(source: &FieldExpr) -> Result<Vec<OcsfPath>, &'static Code> {
    match source {
        FieldExpr::Column(column) => Ok(vec![column.path.clone()]),
        FieldExpr::Computed(_) => Err(&COMPUTED),
        FieldExpr::PerClass(_) => Err(&PER_CLASS),
        FieldExpr::AnyOf(parts) => {
            let mut paths = Vec::new();
            for path in parts.iter().map(names).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
            Ok(paths)
        }
    }
}

/// The names for all classes together, where no class has a name that is not for it.
fn of_classes(
    by_class: &[(ClassUid, FieldExpr)],
    classes: &[ClassUid],
) -> Result<Vec<OcsfPath>, &'static Code> {
    let mut own: BTreeMap<ClassUid, Vec<OcsfPath>> = BTreeMap::new();
    for (class, source) in by_class {
        own.insert(*class, names(source)?);
    }
    let mut paths: Vec<OcsfPath> = Vec::new();
    for path in own.values().flatten() {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    let is_absent =
        |class: ClassUid, path: &OcsfPath| !path.is_raw() && Catalog::pinned().resolve(class, path).is_none();
    let exact = classes.iter().all(|class| {
        let own = own.get(class).map(Vec::as_slice).unwrap_or_default();
        paths.iter().all(|path| own.contains(path) || is_absent(*class, path))
    });
    exact.then_some(paths).ok_or(&PER_CLASS)
}

fn literals(alias: &Alias) -> Option<Literals> {
    if alias.values.is_empty() {
        return match alias.literal {
            None => Some(Literals::AsTheyAre),
            Some(FieldType::String) => Some(Literals::ToText),
            Some(FieldType::Integer | FieldType::Float) => Some(Literals::ToNumber),
            Some(FieldType::Boolean | FieldType::Timestamp) => None,
        };
    }
    let has_wildcard = |text: &str| text.contains(['*', '?', '\\']);
    if alias.values.keys().any(|from| has_wildcard(from) || from.contains(char::is_control)) {
        return None;
    }
    let lower = |from: &String| from.to_lowercase();
    match alias.otherwise {
        Otherwise::Refuse => {
            let texts = alias.values.values().all(Value::is_string);
            let numbers = alias.values.values().all(|value| value.is_i64() || value.is_u64());
            let values = alias.values.iter().map(|(from, to)| (lower(from), to.clone()));
            (texts || numbers).then(|| Literals::OneOf(values.collect()))
        }
        Otherwise::Keep if alias.literal.is_none() => {
            let pairs = alias.values.iter().map(|(from, to)| Some((lower(from), to.as_str()?.to_owned())));
            let pairs: BTreeMap<String, String> = pairs.collect::<Option<_>>()?;
            // One after the other they are put in, so that none may be taken for another.
            let apart = pairs
                .values()
                .all(|to| !has_wildcard(to) && pairs.get(&to.to_lowercase()).is_none_or(|again| again == to));
            apart.then_some(Literals::Replaced(pairs))
        }
        Otherwise::Keep => None,
    }
}
