//! Computed expressions, as packs may write them.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use sigma_ocsf_tui::ocsf::FieldType;
use sigma_ocsf_tui::pack::{Case, CaseArm, CaseValues, Column, Computed, FilterOp, RouteFilter, Scalar};

use crate::events::columns;
use crate::texts;

/// An expression that yields text.
pub fn computed_text() -> impl Strategy<Value = Computed> {
    text_scalar().prop_map(|scalar| computed(scalar, FieldType::String))
}

/// An expression that yields a whole number.
pub fn computed_integer() -> impl Strategy<Value = Computed> {
    let column = || select(columns(FieldType::Integer)).prop_map(Scalar::Column);
    let parts = (vec(column(), 1..3), proptest::option::of(texts::integer()));
    parts.prop_map(|(mut parts, last)| {
        parts.extend(last.map(Scalar::Integer));
        computed(Scalar::Coalesce(parts), FieldType::Integer)
    })
}

fn computed(scalar: Scalar, field_type: FieldType) -> Computed {
    let list = scalar.columns().iter().any(|column| column.list);
    Computed { text: String::new(), scalar, field_type, list }
}

/// Reads at least one column, as the pack's reader demands.
fn text_scalar() -> impl Strategy<Value = Scalar> {
    let any_type = [FieldType::String, FieldType::Integer, FieldType::Float, FieldType::Boolean];
    let all: Vec<_> = any_type.into_iter().flat_map(columns).collect();
    let leaf = prop_oneof![
        3 => select(columns(FieldType::String)).prop_map(Scalar::Column),
        1 => texts::text().prop_map(Scalar::Text),
        1 => select(all).prop_map(|column| Scalar::ToText(Box::new(Scalar::Column(column)))),
    ];
    let nested = leaf.prop_recursive(3, 8, 3, |inner| {
        let one = || inner.clone().prop_map(Box::new);
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Scalar::Concat),
            vec(inner.clone(), 1..4).prop_map(Scalar::Coalesce),
            one().prop_map(Scalar::Lower),
            one().prop_map(Scalar::Upper),
            one().prop_map(Scalar::ToText),
            case().prop_map(|case| Scalar::Case(Box::new(case))),
            (one(), texts::text(), texts::text())
                .prop_map(|(part, from, to)| Scalar::Replace(part, from, to)),
            (one(), texts::text(), -3_i64..4)
                .prop_map(|(part, separator, number)| Scalar::SplitPart(part, separator, number)),
        ]
    });
    nested.prop_map(|scalar| match scalar.columns().is_empty() {
        true => Scalar::Concat(vec![scalar, Scalar::Column(columns(FieldType::String).remove(0))]),
        false => scalar,
    })
}

fn single(of: FieldType) -> Vec<Column> {
    columns(of).into_iter().filter(|column| !column.list && column.field_type == of).collect()
}

/// A choice between texts, none of them of a LIST.
fn case() -> impl Strategy<Value = Case> {
    let by = [FieldType::String, FieldType::Integer].into_iter().flat_map(single).collect::<Vec<_>>();
    select(by).prop_flat_map(|column| {
        let arm = (case_values(&column), then()).prop_map(|(values, then)| CaseArm { values, then });
        (vec(arm, 1..4), proptest::option::of(then())).prop_map(move |(arms, otherwise)| Case {
            column: column.clone(),
            arms,
            otherwise,
        })
    })
}

fn case_values(column: &Column) -> BoxedStrategy<CaseValues> {
    match column.field_type {
        FieldType::String => btree_set(texts::text(), 1..4).prop_map(CaseValues::Texts).boxed(),
        _ => btree_set(texts::integer(), 1..4).prop_map(CaseValues::Integers).boxed(),
    }
}

fn then() -> impl Strategy<Value = Scalar> {
    let column = select(single(FieldType::String)).prop_map(Scalar::Column);
    prop_oneof![
        2 => column.clone(),
        1 => texts::text().prop_map(Scalar::Text),
        1 => column.prop_map(|column| Scalar::Lower(Box::new(column))),
    ]
}

/// An expression with a choice in it, and filters on the column that it chooses by.
pub fn chosen() -> impl Strategy<Value = (Computed, Vec<RouteFilter>)> {
    case().prop_flat_map(|case| {
        let column = case.column.clone();
        let listed: Vec<serde_json::Value> = case.arms.iter().flat_map(|arm| json(&arm.values)).collect();
        let value = prop_oneof![4 => select(listed).boxed(), 1 => other(&column)];
        let filter = vec(value, 1..4).prop_map(move |mut values| {
            let (op, value) = match values.len() {
                1 => (FilterOp::Eq, values.remove(0)),
                _ => (FilterOp::In, values.into()),
            };
            let Column { path, field_type, list } = column.clone();
            RouteFilter { path, field_type, list, op, value, notes: None }
        });
        let alone = Scalar::Case(Box::new(case));
        let joined = |other: &str| vec![alone.clone(), Scalar::Text(other.to_owned())];
        let forms = vec![alone.clone(), Scalar::Coalesce(joined("a")), Scalar::Concat(joined("A"))];
        (select(forms).prop_map(|scalar| computed(scalar, FieldType::String)), vec(filter, 1..3))
    })
}

fn json(values: &CaseValues) -> Vec<serde_json::Value> {
    match values {
        CaseValues::Texts(values) => values.iter().map(|value| value.as_str().into()).collect(),
        CaseValues::Integers(values) => values.iter().map(|value| (*value).into()).collect(),
    }
}

fn other(column: &Column) -> BoxedStrategy<serde_json::Value> {
    match column.field_type {
        FieldType::String => texts::text().prop_map(Into::into).boxed(),
        _ => texts::integer().prop_map(Into::into).boxed(),
    }
}
