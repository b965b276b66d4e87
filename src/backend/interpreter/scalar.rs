//! Computed expressions of packs: with one value of each column, or element by element.

use std::borrow::Cow;

use super::{Event, Field, Value};
use crate::pack::{CaseValues, Column, Computed, Scalar};
use crate::sigma::text;

/// A computed field of an event.
pub(super) fn of_event(computed: &Computed, event: &Event) -> Field {
    field(computed, &|column| event.field(column.path.as_str()))
}

/// A computed field of the columns that `at` gives. A computed LIST pairs the elements of its columns by place, the
/// shorter ones continued with NULL, and is NULL where all of them are.
pub(super) fn field<'e>(computed: &Computed, at: &dyn Fn(&Column) -> Cow<'e, Field>) -> Field {
    if !computed.list {
        return Field::One(evaluate(&computed.scalar, &|column| one(&at(column))));
    }
    let lists: Vec<Cow<'_, Field>> =
        computed.scalar.columns().into_iter().filter(|column| column.list).map(at).collect();
    if lists.iter().all(|field| field.is_null()) {
        return Field::One(None);
    }
    let length = lists.iter().map(|field| length(field)).max().unwrap_or(0);
    let element = |place: usize| {
        evaluate(&computed.scalar, &|column| {
            let field = at(column);
            if column.list { element(&field, place) } else { one(&field) }
        })
    };
    Field::Many((0..length).map(element).collect())
}

fn one(field: &Field) -> Option<Value> {
    match field {
        Field::One(value) => value.clone(),
        Field::Many(_) => None,
    }
}

fn element(field: &Field, at: usize) -> Option<Value> {
    match field {
        Field::One(value) => value.clone().filter(|_| at == 0),
        Field::Many(values) => values.get(at).cloned().flatten(),
    }
}

fn length(field: &Field) -> usize {
    match field {
        Field::One(value) => usize::from(value.is_some()),
        Field::Many(values) => values.len(),
    }
}

/// NULL where an operand is, or is not of the operator's type.
fn evaluate(scalar: &Scalar, column: &dyn Fn(&Column) -> Option<Value>) -> Option<Value> {
    let text_of = |scalar: &Scalar| match evaluate(scalar, column)? {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let result = match scalar {
        Scalar::Column(reference) => return column(reference),
        Scalar::Integer(number) => return Some(Value::Integer((*number).into())),
        Scalar::Coalesce(parts) => return parts.iter().find_map(|part| evaluate(part, column)),
        Scalar::Case(case) => {
            let tested = column(&case.column);
            let arm = case.arms.iter().find(|arm| is_among(tested.as_ref(), &arm.values));
            let chosen = arm.map(|arm| &arm.then).or(case.otherwise.as_ref());
            return chosen.and_then(|part| evaluate(part, column));
        }
        Scalar::Text(text) => text.clone(),
        Scalar::Concat(parts) => parts.iter().map(text_of).collect::<Option<String>>()?,
        Scalar::Lower(part) => text::fold(&text_of(part)?),
        Scalar::Upper(part) => upper(&text_of(part)?),
        Scalar::Replace(part, from, to) => replace(&text_of(part)?, from, to),
        Scalar::SplitPart(part, separator, number) => split_part(&text_of(part)?, separator, *number),
        Scalar::ToText(part) => evaluate(part, column)?.to_text(),
    };
    Some(Value::Text(result))
}

/// NULL is among none.
fn is_among(value: Option<&Value>, values: &CaseValues) -> bool {
    match (value, values) {
        (Some(Value::Text(text)), CaseValues::Texts(values)) => values.contains(text),
        (Some(Value::Integer(number)), CaseValues::Integers(values)) => {
            i64::try_from(*number).is_ok_and(|number| values.contains(&number))
        }
        _ => false,
    }
}

/// One code point for one, as DuckDB's `upper` has it.
fn upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

/// The single capital of a letter, where DuckDB knows one.
pub(crate) fn upper_char(c: char) -> char {
    let further = |by: u32| char::from_u32(u32::from(c) + by).unwrap_or(c);
    match c {
        // In full these have two or three; one by one, they have a single capital all the same.
        'ß' => 'ẞ',
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => further(8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => further(9),
        c => {
            let mut upper = c.to_uppercase();
            let one = upper.next().filter(|_| upper.next().is_none());
            // A capital that DuckDB cannot lower is one that it does not know.
            one.filter(|upper| text::fold(&upper.to_string()) != upper.to_string()).unwrap_or(c)
        }
    }
}

/// Nothing is not sought.
fn replace(text: &str, from: &str, to: &str) -> String {
    if from.is_empty() { text.to_owned() } else { text.replace(from, to) }
}

/// The part of that number, from 1, or from the end where it is negative; empty where there is none. Nothing as
/// the separator splits into characters.
fn split_part(text: &str, separator: &str, number: i64) -> String {
    let parts: Vec<Cow<'_, str>> = match separator {
        "" => text.chars().map(|c| c.to_string().into()).collect(),
        separator => text.split(separator).map(Cow::from).collect(),
    };
    let place = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let at = match number {
        0 => None,
        1.. => Some(place - 1),
        _ => parts.len().checked_sub(place),
    };
    at.and_then(|at| parts.get(at)).map(|part| part.clone().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_from_either_end() {
        let cases = [(1, "a"), (3, "c"), (4, ""), (-1, "c"), (-3, "a"), (-4, ""), (0, ""), (i64::MIN, "")];
        for (number, expected) in cases {
            assert_eq!(split_part("a,b,c", ",", number), expected, "{number}");
        }
        assert_eq!(split_part("aé", "", 2), "é");
        assert_eq!(split_part("", ",", 1), "");
    }

    #[test]
    fn replacing_and_raising_are_those_of_duckdb() {
        assert_eq!(replace("aaa", "aa", "b"), "ba");
        assert_eq!(replace("abc", "", "x"), "abc");
        assert_eq!(upper("ßǆŉſςıÿﬁᾀῃ\u{19b}"), "ẞǄŉSΣIŸﬁᾈῌ\u{19b}");
    }
}
