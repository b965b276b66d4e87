//! Columns and computed expressions as SQL, as they are or folded.

use super::{fold, literal};
use crate::pack::{Case, CaseValues, Column, Computed, Scalar};
use crate::sigma::text;

/// Whether a value's case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    AsStored,
    Folded,
}

/// The column of the view that holds a text in lower case.
pub(super) fn lower_name(path: &str) -> String {
    format!("lower({path})")
}

/// The column of the view that holds a text in upper case.
pub(super) fn upper_name(path: &str) -> String {
    format!("upper({path})")
}

/// A column of the view.
pub(super) fn column(path: &str, letters: Letters) -> String {
    match letters {
        Letters::AsStored => literal::identifier(path),
        Letters::Folded => literal::identifier(&lower_name(path)),
    }
}

/// A computed expression: a scalar, or an array made element by element.
pub(super) fn computed(computed: &Computed, letters: Letters) -> String {
    if !computed.list {
        return value(&computed.scalar, letters, &|_, name| name);
    }
    let arrays = arrays(&computed.scalar, letters);
    let place = |name: &str| arrays.iter().position(|array| array == name).unwrap_or_default();
    match arrays.as_slice() {
        [only] => {
            let element =
                value(&computed.scalar, letters, &|of, name| if of.list { "e_".into() } else { name });
            format!("transform({only}, e_ -> {element})")
        }
        _ => {
            let element = value(&computed.scalar, letters, &|of, name| match of.list {
                true => format!("e_.`{}`", place(&name)),
                false => name,
            });
            // NULL among the arrays would make all of them NULL.
            let zipped: Vec<String> =
                arrays.iter().map(|array| format!("coalesce({array}, array())")).collect();
            format!("transform(arrays_zip({}), e_ -> {element})", zipped.join(", "))
        }
    }
}

/// The stored arrays that a computed array goes through, quoted, each once, in order of use.
pub(super) fn lists(computed: &Computed) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in computed.scalar.columns().into_iter().filter(|column| column.list) {
        let name = literal::identifier(column.path.as_str());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The arrays that the expression reads, stored or derived, each once, in order of use.
fn arrays(scalar: &Scalar, letters: Letters) -> Vec<String> {
    let found = std::cell::RefCell::new(Vec::new());
    value(scalar, letters, &|column, name| {
        let mut names = found.borrow_mut();
        if column.list && !names.contains(&name) {
            names.push(name.clone());
        }
        name
    });
    found.into_inner()
}

/// `column` says what stands for a column of the view, which it is given with its name.
fn value(expr: &Scalar, letters: Letters, column: &dyn Fn(&Column, String) -> String) -> String {
    use Letters::{AsStored, Folded};
    let same = |part: &Scalar| value(part, letters, column);
    let stored = |part: &Scalar| value(part, AsStored, column);
    let folded = |sql: String| if letters == Folded { fold::lower_of(&sql) } else { sql };
    match expr {
        Scalar::Column(reference) => column(reference, self::column(reference.path.as_str(), letters)),
        Scalar::Text(value) if letters == Folded => literal::text(&text::fold(value)),
        Scalar::Text(value) => literal::text(value),
        Scalar::Integer(number) => number.to_string(),
        // Letters are folded one by one, so that a text joined of folded parts is folded.
        Scalar::Concat(parts) => format!("({})", parts.iter().map(same).collect::<Vec<_>>().join(" || ")),
        Scalar::Coalesce(parts) => {
            format!("coalesce({})", parts.iter().map(same).collect::<Vec<_>>().join(", "))
        }
        Scalar::Lower(inner) => value(inner, Folded, column),
        Scalar::Upper(inner) => folded(match &**inner {
            Scalar::Column(reference) => {
                column(reference, literal::identifier(&upper_name(reference.path.as_str())))
            }
            inner => fold::upper(&stored(inner)),
        }),
        Scalar::Replace(inner, from, to) => {
            folded(format!("replace({}, {}, {})", stored(inner), literal::text(from), literal::text(to)))
        }
        Scalar::SplitPart(inner, separator, part) => match i32::try_from(*part) {
            Ok(part) => {
                folded(format!("split_part({}, {}, {part})", stored(inner), literal::text(separator)))
            }
            // No text has that many parts; `left` keeps what is NULL.
            Err(_) => format!("left({}, 0)", stored(inner)),
        },
        // Numbers and truth values have no capitals in Spark.
        Scalar::ToText(inner) => {
            format!("CAST({} AS STRING)", self::value(inner, text_letters(inner, letters), column))
        }
        Scalar::Case(inner) => case(inner, letters, column),
    }
}

/// Only text has letters to fold.
fn text_letters(scalar: &Scalar, letters: Letters) -> Letters {
    let is_text = scalar.columns().iter().all(|column| column.field_type == crate::ocsf::FieldType::String);
    if is_text { letters } else { Letters::AsStored }
}

/// SQL has no CASE without an arm.
fn case(case: &Case, letters: Letters, column: &dyn Fn(&Column, String) -> String) -> String {
    let part = |of: &Scalar| value(of, letters, column);
    let otherwise = case.otherwise.as_ref().map_or_else(|| "NULL".to_owned(), part);
    if case.arms.is_empty() {
        return otherwise;
    }
    let tested = column(&case.column, literal::identifier(case.column.path.as_str()));
    let arms = case.arms.iter().map(|arm| {
        let values: Vec<String> = match &arm.values {
            CaseValues::Texts(values) => values.iter().map(|value| literal::text(value)).collect(),
            CaseValues::Integers(values) => values.iter().map(ToString::to_string).collect(),
        };
        format!(" WHEN {tested} IN ({}) THEN {}", values.join(", "), part(&arm.then))
    });
    format!("(CASE{} ELSE {otherwise} END)", arms.collect::<String>())
}
