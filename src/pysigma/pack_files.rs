//! The files of a pack that was read from a pipeline.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use super::carry::{Carried, Filter};
use super::import::Routed;
use super::pipeline::LogSource;
use super::tree::{entry, integer, list, map, of_json, text};
use crate::ocsf::{Catalog, ClassUid, FieldType, OCSF_VERSION};
use crate::pack::FilterOp;
use crate::sigma::yaml::{self, Node};

/// What the files say.
pub(super) struct Contents<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) placeholders: BTreeMap<String, Vec<String>>,
    pub(super) routed: &'a [Routed],
    pub(super) scopes: BTreeMap<LogSource, BTreeMap<String, Carried>>,
}

pub(super) fn files(contents: &Contents<'_>) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut put = |path: &str, text: String| drop(files.insert(PathBuf::from(path), text));
    put("pack.yaml", yaml::write(&manifest(contents)));
    put("routes.yaml", yaml::write(&list(contents.routed.iter().map(route).collect())));
    let mut by_file: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (scope, fields) in &contents.scopes {
        let aliases = fields.iter().map(|(field, carried)| entry(field, alias(carried))).collect();
        by_file.entry(file_of(scope)).or_default().push(entry(&scope_text(scope), map(aliases)));
    }
    for (file, scopes) in by_file {
        put(&format!("aliases/{file}.yaml"), yaml::write(&map(scopes)));
    }
    let cases: Vec<Node> = contents.routed.iter().flat_map(cases).collect();
    if !cases.is_empty() {
        put("tests/imported.yaml", yaml::write(&list(cases)));
    }
    put("README.md", readme(contents));
    put("CHANGELOG.md", "# Changelog\n\n## 0.1.0\n\nRead from a pySigma processing pipeline.\n".to_owned());
    files
}

/// A log source as scopes of aliases are written.
pub(super) fn scope_text(logsource: &LogSource) -> String {
    let mut parts: Vec<&str> = logsource.iter().map(|part| part.as_deref().unwrap_or("*")).collect();
    while parts.len() > 1 && parts.last() == Some(&"*") {
        parts.pop();
    }
    parts.join("/")
}

/// The alias file of a scope, named after the product, else the category; never a name that leads elsewhere.
fn file_of([category, product, service]: &LogSource) -> String {
    let name = product.as_deref().or(category.as_deref()).or(service.as_deref()).unwrap_or("all");
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    name.chars().take(64).map(plain).collect()
}

fn manifest(contents: &Contents<'_>) -> Node {
    let description = format!("Read from the pySigma processing pipeline `{}`.", contents.name);
    let mut entries = vec![
        entry("id", text(contents.id)),
        entry("version", text("0.1.0")),
        entry("ocsf_version", text(OCSF_VERSION)),
        entry("description", text(&description)),
    ];
    let aliases = contents.scopes.values().flat_map(BTreeMap::values);
    if aliases.flat_map(|alias| &alias.paths).any(|path| path.is_raw()) {
        entries.push(entry("raw_fallback", map(vec![entry("prefixes", list(vec![text("raw.")]))])));
    }
    if !contents.placeholders.is_empty() {
        let values = |values: &Vec<String>| list(values.iter().map(|value| text(value)).collect());
        let placeholders = contents.placeholders.iter().map(|(name, own)| entry(name, values(own)));
        entries.push(entry("placeholders", map(placeholders.collect())));
    }
    map(entries)
}

fn logsource(logsource: &LogSource) -> Node {
    let named = ["category", "product", "service"].into_iter().zip(logsource);
    map(named.filter_map(|(key, part)| Some(entry(key, text(part.as_deref()?)))).collect())
}

fn route(routed: &Routed) -> Node {
    let classes = routed.classes.iter().map(|class| integer(class.0)).collect();
    let mut entries = vec![entry("logsource", logsource(&routed.logsource)), entry("classes", list(classes))];
    let filters: Vec<Node> = routed.filters.iter().map(filter).collect();
    if !filters.is_empty() {
        entries.push(entry("filters", list(filters)));
    }
    map(entries)
}

fn filter(filter: &Filter) -> Node {
    let op = serde_json::to_value(filter.op).unwrap_or_default();
    map(vec![
        entry("path", text(filter.path.as_str())),
        entry("op", of_json(&op)),
        entry("value", of_json(&filter.value)),
    ])
}

fn alias(alias: &Carried) -> Node {
    let paths: Vec<Node> = alias.paths.iter().map(|path| text(path.as_str())).collect();
    let is_plain = alias.literal.is_none() && alias.values.is_empty();
    let mut entries = match <[Node; 1]>::try_from(paths) {
        Ok([path]) if is_plain => return path,
        Ok([path]) => vec![entry("path", path)],
        Err(paths) => vec![entry("any_of", list(paths))],
    };
    if !alias.values.is_empty() {
        let values = alias.values.iter().map(|(from, to)| entry(from, text(to)));
        entries.push(entry("values", map(values.collect())));
        entries.push(entry("otherwise", text("keep")));
    }
    if let Some(literal) = alias.literal {
        entries.push(entry("literal", text(literal.as_str())));
    }
    map(entries)
}

/// A case for each class of a route: an event that the filters let through, with a value for each alias.
fn cases(routed: &Routed) -> Vec<Node> {
    routed.classes.iter().filter_map(|class| case(routed, *class)).collect()
}

fn case(routed: &Routed, class: ClassUid) -> Option<Node> {
    let has = |path| Catalog::pinned().resolve(class, path).is_some();
    let mut event = BTreeMap::from([("class_uid".to_owned(), Value::from(class.0))]);
    for filter in &routed.filters {
        if !filter.path.is_raw() && !has(&filter.path) {
            return None;
        }
        match passing(filter) {
            Some(value) => drop(event.insert(filter.path.as_str().to_owned(), value)),
            None => drop(event.remove(filter.path.as_str())),
        }
    }
    let mut fields = Vec::new();
    for (field, alias) in &routed.aliases {
        let Some(path) = alias.paths.iter().find(|path| has(path)) else { continue };
        let Some(value) = sample(alias.field_type) else { continue };
        if alias.list || !alias.values.is_empty() || path.as_str() == "class_uid" {
            continue;
        }
        let value = event.entry(path.as_str().to_owned()).or_insert(value).clone();
        let mut expected = vec![entry("value", of_json(&value))];
        if alias.paths.len() == 1 {
            expected.push(entry("path", text(path.as_str())));
        }
        fields.push(entry(field, map(expected)));
    }
    let event = event.iter().map(|(path, value)| entry(path, of_json(value))).collect();
    let name = format!("{} as class {class}", scope_text(&routed.logsource));
    let entries = vec![
        entry("name", text(&name)),
        entry("logsource", logsource(&routed.logsource)),
        entry("event", map(event)),
    ];
    let fields = (!fields.is_empty()).then(|| entry("fields", map(fields)))?;
    Some(map(entries.into_iter().chain([fields]).collect()))
}

/// A value of the type; `None` for times, which have a form of their own.
fn sample(field_type: FieldType) -> Option<Value> {
    match field_type {
        FieldType::String => Some(Value::from("x")),
        FieldType::Integer => Some(Value::from(7)),
        FieldType::Float => Some(Value::from(7.5)),
        FieldType::Boolean => Some(Value::from(true)),
        FieldType::Timestamp => None,
    }
}

/// A value that passes the filter; `None` where it passes without.
fn passing(filter: &Filter) -> Option<Value> {
    match filter.op {
        FilterOp::In => filter.value.as_array().and_then(|values| values.first().cloned()),
        FilterOp::Exists if filter.value == Value::Bool(false) => None,
        FilterOp::Exists => sample(filter.field_type),
        FilterOp::Neq | FilterOp::Nin => {
            let other = match filter.field_type {
                FieldType::String => Value::from("another"),
                FieldType::Boolean => Value::from(filter.value == Value::Bool(false)),
                _ => Value::from(987_654),
            };
            Some(other)
        }
        _ => Some(filter.value.clone()),
    }
}

fn readme(contents: &Contents<'_>) -> String {
    let mut readme = format!("# {}\n\nRead from the pySigma processing pipeline `", contents.id);
    let shown: String = contents.name.chars().filter(|c| !c.is_control() && *c != '`').take(120).collect();
    let rows = contents.routed.iter().map(|routed| {
        let classes: Vec<String> = routed.classes.iter().map(|class| class.0.to_string()).collect();
        (scope_text(&routed.logsource), classes.join(", "), routed.aliases.len())
    });
    readme.push_str(&shown);
    readme
        .push_str("` by `sigma-ocsf-tui pack import`.\n\n| log source | classes | fields |\n|---|---|---|\n");
    for (name, classes, fields) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(readme, "| `{}` | {classes} | {fields} |", name.replace('|', "\\|"));
    }
    readme.push_str(
        "\nWhat the pipeline has and a pack cannot say is no part of it; `pack import` lists it. Rules that need it are \
         refused.\n",
    );
    readme
}
