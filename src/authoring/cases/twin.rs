//! An event without what a field is read from: the rule that matched may not match it any more, or the match came from
//! elsewhere.

use serde_json::{Map, Value};

use crate::backend::CompiledRule;
use crate::pack::{Alias, FieldCase, TestCase};
use crate::sigma::yaml::{Node, NodeKind};

/// An event that lacks some paths.
pub(super) struct Twin {
    pub(super) event: Map<String, Value>,
    /// The paths that it had, in the order in which the alias reads them.
    pub(super) removed: Vec<String>,
}

/// The event of a case without the columns of `alias`; `None` where nothing can be taken away, or the rule asks for
/// what is not there. Columns that route stay: without them the rule would not match for another reason.
pub(super) fn twin(case: &TestCase, field: &FieldCase, alias: &Alias, rule: &CompiledRule) -> Option<Twin> {
    // What an alias makes of the class alone is left where all else is gone.
    let by_class = alias.target.columns().iter().any(|column| column.path.as_str() == "class_uid");
    if by_class || asks_for_absence(field) {
        return None;
    }
    let scope = rule.compilation.routing.scope.as_ref()?;
    let routes = |path: &str| scope.filters.iter().any(|filter| filter.path.as_str() == path);
    let mut twin = Twin { event: case.event.clone(), removed: Vec::new() };
    for column in alias.target.columns() {
        let path = column.path.as_str();
        if !routes(path) && remove(&mut twin.event, path) {
            twin.removed.push(path.to_owned());
        }
    }
    (!twin.removed.is_empty()).then_some(twin)
}

fn asks_for_absence(field: &FieldCase) -> bool {
    let is_null = |node: &Node| node.is_null();
    let null = is_null(&field.value) || field.value.items().iter().any(is_null);
    let denied = field.value.kind == NodeKind::Boolean(false);
    field.modifiers.split('|').any(|modifier| modifier == "neq" || (modifier == "exists" && denied)) || null
}

/// Takes a path out of an event, and whether it was there.
fn remove(object: &mut Map<String, Value>, path: &str) -> bool {
    let mut found = object.remove(path).is_some();
    for (key, value) in object.iter_mut() {
        if let Some(rest) = path.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.')) {
            found |= remove_below(value, rest);
        }
    }
    found
}

fn remove_below(value: &mut Value, path: &str) -> bool {
    match value {
        Value::Object(object) => remove(object, path),
        Value::Array(elements) => {
            let mut found = false;
            elements.iter_mut().for_each(|element| found |= remove_below(element, path));
            found
        }
        _ => false,
    }
}
