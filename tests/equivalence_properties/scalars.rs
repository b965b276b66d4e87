//! Computed expressions, as packs may write them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sigma_ocsf_tui::ocsf::FieldType;
use sigma_ocsf_tui::pack::{Computed, Scalar};

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
