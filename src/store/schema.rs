//! Stored columns to dotted leaves: which there are, how SQL reaches each, and what comparisons see.
//!
//! | stored | in the view |
//! |---|---|
//! | VARCHAR, BOOLEAN, DOUBLE, integers of any width | as stored |
//! | FLOAT, DECIMAL with a fraction | DOUBLE, so that a literal is not rounded to the column |
//! | DECIMAL without one | as stored, an integer |
//! | TIMESTAMP of any precision, DATE | milliseconds since 1970, BIGINT |
//! | UUID, ENUM, JSON, TIME, INTERVAL | VARCHAR |
//! | STRUCT, and LIST of STRUCT | its fields, a LIST on the way making each a LIST |
//! | LIST of LIST, ARRAY | one flat LIST |
//! | BLOB, MAP, UNION and the rest | as stored, comparable with nothing |

use std::collections::BTreeMap;

use super::duck_type::DuckType;
use super::sql_text::{identifier, string};
use super::{DatasetColumn, Schema};
use crate::bridge::ColumnType;
use crate::ocsf::{FieldType, OcsfPath};

/// A leaf of the stored columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its dotted path, as the dataset spells it.
    pub(super) path: String,
    /// The SQL that yields it from the files' columns.
    pub(super) expression: String,
    /// What it is.
    pub(super) column: DatasetColumn,
}

/// The leaves of stored columns, by path in byte order. Paths that differ in case only are one, as they are
/// one to DuckDB.
pub(super) fn leaves(stored: &[(String, DuckType)]) -> Vec<Leaf> {
    let mut found = Vec::new();
    for (name, duck_type) in stored {
        flatten(name, identifier(name), false, duck_type, &mut found);
    }
    let mut by_name: BTreeMap<String, Vec<Leaf>> = BTreeMap::new();
    // SQL text cannot carry a NUL, so such a name cannot be asked for.
    for leaf in found.into_iter().filter(|leaf| !leaf.path.contains('\0')) {
        by_name.entry(leaf.path.to_ascii_lowercase()).or_default().push(leaf);
    }
    let mut merged: Vec<_> = by_name.into_values().filter_map(merge).collect();
    merged.sort_by(|a, b| a.path.cmp(&b.path));
    merged
}

fn flatten(path: &str, expression: String, list: bool, duck_type: &DuckType, out: &mut Vec<Leaf>) {
    match duck_type {
        DuckType::Struct(fields) => {
            for (name, field) in fields {
                let path = format!("{path}.{name}");
                let field_of = |of: &str| format!("struct_extract({of}, {})", string(name));
                flatten(&path, each(expression.clone(), list, field_of), list, field, out);
            }
        }
        DuckType::List(element) | DuckType::Array(element) => {
            let expression = as_list(expression, list, duck_type);
            let flat = if list { format!("flatten({expression})") } else { expression };
            flatten(path, flat, true, element, out);
        }
        DuckType::Scalar(name) => out.extend(scalar(path, expression, list, name)),
    }
}

/// `of` applied to a value, or to each element.
fn each(expression: String, list: bool, of: impl Fn(&str) -> String) -> String {
    if list {
        format!("list_transform({expression}, lambda element: {})", of("element"))
    } else {
        of(&expression)
    }
}

/// List functions do not take ARRAYs.
fn as_list(expression: String, list: bool, duck_type: &DuckType) -> String {
    let DuckType::Array(_) = duck_type else { return expression };
    let target = duck_type.render(&str::to_owned);
    each(expression, list, |array| format!("CAST({array} AS {target})"))
}

fn scalar(path: &str, expression: String, list: bool, name: &str) -> Option<Leaf> {
    // The type of a column that holds nothing but NULL.
    if name == "NULL" || name == "\"NULL\"" {
        return None;
    }
    let (field_type, reading) = reading(name);
    let expression = match reading {
        Reading::AsStored => expression,
        Reading::Through(function) => each(expression, list, function),
    };
    let stored_as = if list { format!("{name}[]") } else { name.to_owned() };
    Some(Leaf { path: path.to_owned(), expression, column: DatasetColumn { field_type, list, stored_as } })
}

enum Reading {
    AsStored,
    Through(fn(&str) -> String),
}

fn reading(name: &str) -> (Option<FieldType>, Reading) {
    let text: fn(&str) -> String = |value| format!("CAST({value} AS VARCHAR)");
    let double: fn(&str) -> String = |value| format!("CAST({value} AS DOUBLE)");
    let milliseconds: fn(&str) -> String = |value| format!("epoch_ms({value})");
    // A JSON text's quotes are not part of its value.
    let json: fn(&str) -> String = |value| format!("({value} ->> '$')");
    let base = name.split('(').next().unwrap_or(name);
    match base {
        "VARCHAR" => (Some(FieldType::String), Reading::AsStored),
        "BOOLEAN" => (Some(FieldType::Boolean), Reading::AsStored),
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "HUGEINT" | "UTINYINT" | "USMALLINT" | "UINTEGER"
        | "UBIGINT" | "UHUGEINT" => (Some(FieldType::Integer), Reading::AsStored),
        "DOUBLE" => (Some(FieldType::Float), Reading::AsStored),
        "DECIMAL" if name.ends_with(",0)") => (Some(FieldType::Integer), Reading::AsStored),
        "FLOAT" | "DECIMAL" => (Some(FieldType::Float), Reading::Through(double)),
        "TIMESTAMP"
        | "TIMESTAMP_S"
        | "TIMESTAMP_MS"
        | "TIMESTAMP_NS"
        | "TIMESTAMP WITH TIME ZONE"
        | "DATE" => (Some(FieldType::Timestamp), Reading::Through(milliseconds)),
        "JSON" => (Some(FieldType::String), Reading::Through(json)),
        "UUID" | "ENUM" | "TIME" | "TIME WITH TIME ZONE" | "INTERVAL" => {
            (Some(FieldType::String), Reading::Through(text))
        }
        _ => (None, Reading::AsStored),
    }
}

/// One path, stored in several ways (flat here, nested there): the first that is filled, where they are of one
/// type. Otherwise comparable with nothing, as any choice would hide events.
fn merge(mut leaves: Vec<Leaf>) -> Option<Leaf> {
    // OCSF's own spelling, in lower case, sorts last.
    leaves.sort_by(|a, b| b.path.cmp(&a.path));
    let others = leaves.split_off(1.min(leaves.len()));
    let mut first = leaves.pop()?;
    for other in others {
        let alike =
            first.column.list == other.column.list && first.column.field_type == other.column.field_type;
        if alike && first.column.field_type.is_some() {
            first.expression = format!("coalesce({}, {})", first.expression, other.expression);
        } else {
            first.column.field_type = None;
            first.column.stored_as = format!("{} and {}", first.column.stored_as, other.column.stored_as);
        }
    }
    Some(first)
}

impl Schema {
    /// The column at a path; DuckDB compares names without regard to ASCII case, and so does this.
    #[must_use]
    pub fn column(&self, path: &OcsfPath) -> Option<&DatasetColumn> {
        let without_case = || self.columns.iter().find(|(p, _)| p.0.eq_ignore_ascii_case(&path.0));
        self.columns.get(path).or_else(|| without_case().map(|(_, column)| column))
    }
}

impl DatasetColumn {
    /// Whether a plan that counts on `expected` sees the right thing: the same type, a whole number where
    /// fractions are allowed, or milliseconds where they are stored as integers.
    #[must_use]
    pub fn satisfies(&self, expected: ColumnType) -> bool {
        use FieldType::{Float, Integer, Timestamp};
        let same = self.field_type == Some(expected.field_type);
        let numeric = matches!(
            (self.field_type, expected.field_type),
            (Some(Integer), Float | Timestamp) | (Some(Timestamp), Integer)
        );
        self.list == expected.list && (same || numeric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf_table(columns: &[(&str, &str)]) -> String {
        let parse = |(name, t): &(&str, &str)| ((*name).to_owned(), DuckType::parse(t));
        let stored: Vec<_> = columns.iter().map(parse).collect();
        let mut table = String::new();
        for leaf in leaves(&stored) {
            let kind = leaf.column.field_type.map_or("-", FieldType::as_str);
            let list = if leaf.column.list { "[]" } else { "" };
            table +=
                &format!("{}: {kind}{list} <- {} = {}\n", leaf.path, leaf.column.stored_as, leaf.expression);
        }
        table
    }

    #[test]
    fn every_layout_becomes_leaves() {
        let table = leaf_table(&[
            ("class_uid", "USMALLINT"),
            ("time", "TIMESTAMP WITH TIME ZONE"),
            ("process.cmd_line", "VARCHAR"),
            ("actor", "STRUCT(\"user\" STRUCT(uid UUID), tags VARCHAR[])"),
            ("answers", "STRUCT(rdata VARCHAR, flags STRUCT(id INTEGER)[])[]"),
            ("codes", "INTEGER[2]"),
            ("raw_bytes", "BLOB"),
            ("nothing", "\"NULL\""),
            ("amount", "DECIMAL(18,0)"),
        ]);
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_path_stored_twice_is_coalesced_or_incomparable() {
        let table = leaf_table(&[
            ("file", "STRUCT(\"name\" VARCHAR, size BIGINT)"),
            ("file.name", "VARCHAR"),
            ("File.Size", "VARCHAR"),
        ]);
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_plan_is_satisfied_by_its_own_type() {
        let column = |field_type, list| DatasetColumn { field_type, list, stored_as: String::new() };
        let wants = |field_type| ColumnType { field_type, list: false };
        assert!(column(Some(FieldType::Integer), false).satisfies(wants(FieldType::Float)));
        assert!(column(Some(FieldType::Timestamp), false).satisfies(wants(FieldType::Integer)));
        assert!(!column(Some(FieldType::Float), false).satisfies(wants(FieldType::Integer)));
        assert!(!column(Some(FieldType::String), false).satisfies(wants(FieldType::Integer)));
        assert!(!column(Some(FieldType::String), true).satisfies(wants(FieldType::String)));
        assert!(!column(None, false).satisfies(wants(FieldType::String)));
    }
}
