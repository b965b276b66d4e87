//! Columns and computed expressions as SQL.

use super::literal;
use crate::pack::{Case, CaseValues, Column, Computed, Scalar};

/// A column or relation name, quoted.
pub(super) fn identifier(name: &str) -> String {
    if name.contains('"') {
        return format!("\"{}\"", name.replace('"', "\"\""));
    }
    ["\"", name, "\""].concat()
}

/// A computed expression: a scalar, or a LIST made element by element.
pub(super) fn computed(computed: &Computed) -> String {
    if !computed.list {
        return scalar(&computed.scalar, &|column| identifier(column.path.as_str()));
    }
    let lists = lists(computed);
    match lists.as_slice() {
        [only] => {
            let element = scalar(&computed.scalar, &|column| element_or_column(column, "e".to_owned()));
            format!("list_transform({only}, lambda e: {element})")
        }
        _ => {
            let element = scalar(&computed.scalar, &|column| {
                let name = identifier(column.path.as_str());
                let place = lists.iter().position(|list| *list == name).unwrap_or_default();
                element_or_column(column, format!("e[{}]", place + 1))
            });
            format!("list_transform(list_zip({}), lambda e: {element})", lists.join(", "))
        }
    }
}

/// The LIST columns that a computed LIST goes through, quoted, each once, in order of use.
pub(super) fn lists(computed: &Computed) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in computed.scalar.columns().into_iter().filter(|column| column.list) {
        let name = identifier(column.path.as_str());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn element_or_column(column: &Column, element: String) -> String {
    if column.list { element } else { identifier(column.path.as_str()) }
}

fn scalar(expr: &Scalar, column: &dyn Fn(&Column) -> String) -> String {
    let joined = |parts: &[Scalar], by: &str| {
        parts.iter().map(|part| scalar(part, column)).collect::<Vec<_>>().join(by)
    };
    match expr {
        Scalar::Column(reference) => column(reference),
        Scalar::Text(value) => literal::text(value),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Concat(parts) => format!("({})", joined(parts, " || ")),
        Scalar::Lower(inner) => format!("lower({})", scalar(inner, column)),
        Scalar::Upper(inner) => format!("upper({})", scalar(inner, column)),
        Scalar::Coalesce(parts) => format!("coalesce({})", joined(parts, ", ")),
        Scalar::Replace(inner, from, to) => {
            format!("replace({}, {}, {})", scalar(inner, column), literal::text(from), literal::text(to))
        }
        Scalar::SplitPart(inner, separator, part) => {
            format!("split_part({}, {}, {part})", scalar(inner, column), literal::text(separator))
        }
        Scalar::ToText(inner) => format!("CAST({} AS VARCHAR)", scalar(inner, column)),
        Scalar::Case(inner) => case(inner, column),
    }
}

/// SQL has no CASE without an arm.
fn case(case: &Case, column: &dyn Fn(&Column) -> String) -> String {
    let otherwise = case.otherwise.as_ref().map_or_else(|| "NULL".to_owned(), |part| scalar(part, column));
    if case.arms.is_empty() {
        return otherwise;
    }
    let arms = case.arms.iter().map(|arm| {
        let values: Vec<String> = match &arm.values {
            CaseValues::Texts(values) => values.iter().map(|value| literal::text(value)).collect(),
            CaseValues::Integers(values) => values.iter().map(ToString::to_string).collect(),
        };
        let then = scalar(&arm.then, column);
        format!(" WHEN {} IN ({}) THEN {then}", column(&case.column), values.join(", "))
    });
    format!("(CASE{} ELSE {otherwise} END)", arms.collect::<String>())
}
