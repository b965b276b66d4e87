//! The event of a test, held to the pinned catalog: a path that is misspelt, or a value of another type, would make
//! the test say something about events that never are.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::cases::BAD_TEST;
use super::filters::fits;
use super::report::Report;
use super::routes::UNKNOWN_CLASS;
use crate::bridge::Diagnostic;
use crate::ocsf::{Attribute, Catalog, ClassUid, FieldType, OcsfPath};
use crate::sigma::yaml::{Node, NodeKind};

/// The event that stands at `node` of a file, with dotted paths for keys; else all that is wrong with it.
pub(crate) fn event(node: &Node, path: &Path) -> Result<Map<String, Value>, Vec<Diagnostic>> {
    let mut report = Report { path: path.into(), findings: Vec::new() };
    read(node, &mut report).ok_or(report.findings)
}

/// The event with dotted paths for keys; `None` where anything is wrong with it.
pub(super) fn read(node: &Node, report: &mut Report) -> Option<Map<String, Value>> {
    if !matches!(node.kind, NodeKind::Mapping(_)) {
        return report.refuse(&BAD_TEST, node.span, "an event is a map".to_owned(), None);
    }
    let before = report.findings.len();
    let class = class(node, report);
    let mut event = Map::new();
    let mut reader = Reader { class, report };
    reader.object(node, "", false, &mut event);
    (report.findings.len() == before).then_some(event)
}

fn class(node: &Node, report: &mut Report) -> Option<ClassUid> {
    let class = node.get("class_uid")?;
    match class.kind {
        NodeKind::Integer(uid) => {
            let uid = ClassUid(u32::try_from(uid).unwrap_or(u32::MAX));
            if !Catalog::pinned().has_class(uid) {
                report.raise(&UNKNOWN_CLASS, class.span, format!("there is no class {uid}"), None);
            }
            Some(uid)
        }
        _ => report.refuse(&BAD_TEST, class.span, "`class_uid` is a number".to_owned(), None),
    }
}

struct Reader<'r> {
    /// The event's class; `None` where it does not say.
    class: Option<ClassUid>,
    report: &'r mut Report,
}

impl Reader<'_> {
    /// Adds what an object holds, each value under its path from the event or, within a list, from the element.
    fn object(&mut self, node: &Node, from: &str, in_list: bool, into: &mut Map<String, Value>) {
        self.entries(node, from, "", in_list, into);
    }

    fn entries(
        &mut self,
        node: &Node,
        from: &str,
        inner: &str,
        in_list: bool,
        into: &mut Map<String, Value>,
    ) {
        for (key, value) in node.entries() {
            let inner = join(inner, &key.value);
            let path = join(from, &inner);
            match &value.kind {
                NodeKind::Null => {}
                NodeKind::Mapping(_) => self.entries(value, from, &inner, in_list, into),
                NodeKind::Sequence(_) => {
                    let list = self.list(value, &path);
                    self.put(inner, list, value, into);
                }
                _ => {
                    let scalar = self.scalar(value, &path, in_list);
                    self.put(inner, scalar, value, into);
                }
            }
        }
    }

    fn put(&mut self, key: String, value: Value, node: &Node, into: &mut Map<String, Value>) {
        if into.contains_key(&key) {
            self.report.raise(&BAD_TEST, node.span, format!("the event has `{key}` twice"), None);
        }
        into.insert(key, value);
    }

    fn list(&mut self, node: &Node, path: &str) -> Value {
        let element = |element: &Node| match &element.kind {
            NodeKind::Mapping(_) => {
                let mut object = Map::new();
                self.object(element, path, true, &mut object);
                Value::Object(object)
            }
            NodeKind::Sequence(_) => self.list(element, path),
            _ => self.scalar(element, path, true),
        };
        Value::Array(node.items().iter().map(element).collect())
    }

    /// A value, checked against the attribute at `path`.
    fn scalar(&mut self, node: &Node, path: &str, in_list: bool) -> Value {
        let value = serde_json::to_value(node.to_value()).unwrap_or_default();
        if path.starts_with("raw.") || path.starts_with("unmapped.") || value.is_null() {
            return value;
        }
        let path = OcsfPath(path.to_owned());
        let Some(attribute) = self.attribute(&path) else {
            let class = self.class.map_or_else(|| "any class".to_owned(), |class| format!("class {class}"));
            let near = self.class.and_then(|class| Catalog::pinned().nearest(&[class], &path));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            self.report.raise(&BAD_TEST, node.span, format!("there is no value `{path}` in {class}"), help);
            return value;
        };
        if attribute.list != in_list {
            let message = match attribute.list {
                true => format!("`{path}` has several values: a list is on its way"),
                false => format!("`{path}` has one value, and stands in a list here"),
            };
            self.report.raise(&BAD_TEST, node.span, message, None);
        }
        let value = match (attribute.field_type, &node.kind) {
            (FieldType::Timestamp, NodeKind::String(text)) => milliseconds(text).unwrap_or(value),
            _ => value,
        };
        if let Err(message) = fits(&value, attribute.field_type) {
            self.report.raise(&BAD_TEST, node.span, format!("`{path}`: {message}"), None);
        }
        value
    }

    fn attribute(&self, path: &OcsfPath) -> Option<Attribute> {
        let catalog = Catalog::pinned();
        match self.class {
            Some(class) => catalog.resolve(class, path),
            None => catalog.classes().find_map(|(class, _)| catalog.resolve(class, path)),
        }
    }
}

/// A time as OCSF stores it; `None` where the text is none.
fn milliseconds(text: &str) -> Option<Value> {
    text.parse::<Timestamp>().ok().map(|time| time.as_millisecond().into())
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}
