//! A rule's literals against a field's type: strict, and converted only where the alias says so.

use super::diagnostic::{Code, Severity};
use super::ir::Number;
use super::reason::ReasonCode;
use crate::ocsf::FieldType;
use crate::pack::{Alias, Otherwise};
use crate::sigma::{Value, text};

const VALUE_TYPE: Option<ReasonCode> = Some(ReasonCode::UnsupportedValueType);

/// The literal and the field are of different types.
pub(crate) static TYPE_CLASH: Code = Code {
    name: "type_clash",
    reason: VALUE_TYPE,
    severity: Severity::Error,
    summary: "the literal's type is not the field's",
    explanation: "Comparisons are strict: text with text, numbers with numbers, booleans with booleans. A literal \
of another type could never be equal, and would be `no match` in silence. Quote or unquote the literal as the \
field's type asks, or let the alias convert the rules' literals: `literal: integer` (or string, float, boolean). \
contains, startswith and endswith want a string field and a string; lt, lte, gt and gte want numbers.",
};

/// An unescaped `*` or `?`.
pub(crate) static RAW_WILDCARD: Code = Code {
    name: "raw_wildcard",
    reason: VALUE_TYPE,
    severity: Severity::Error,
    summary: "an unescaped `*` or `?` in a value",
    explanation: "The bridge never infers wildcards from raw values, and never takes them literally in silence. \
Use contains, startswith or endswith; or escape the character (`\\*`, `\\?`) to mean itself. Capability \
`wildcards` gives it Sigma's meaning.",
};

/// The alias's value map does not name the literal.
pub(crate) static UNLISTED_VALUE: Code = Code {
    name: "unlisted_value",
    reason: VALUE_TYPE,
    severity: Severity::Error,
    summary: "the alias's `values:` does not name this literal",
    explanation: "The field is stored under other values than rules write, and the alias translates them one by \
one, for equality only. A literal that the map does not name, or a contains, startswith or endswith, cannot be \
translated. Add the literal to the alias's `values:`, or state `otherwise: keep` if unlisted values are stored \
as they are.",
};

/// A number that DuckDB's 64-bit integers or doubles cannot hold.
pub(crate) static NUMBER_OUT_OF_RANGE: Code = Code {
    name: "number_out_of_range",
    reason: VALUE_TYPE,
    severity: Severity::Error,
    summary: "a number beyond 64 bits, infinite, or not a number",
    explanation: "Integers are exact to 64 bits, signed or unsigned; beyond that a comparison could only be \
approximate. `.inf` and `.nan` equal no stored value.",
};

/// The codes of this file.
pub(crate) static CODES: [&Code; 4] = [&TYPE_CLASH, &RAW_WILDCARD, &UNLISTED_VALUE, &NUMBER_OUT_OF_RANGE];

/// A literal, fit for its field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(Number),
    Boolean(bool),
}

/// Why a literal does not fit.
pub(crate) struct Misfit {
    pub(crate) code: &'static Code,
    pub(crate) message: String,
    pub(crate) help: String,
}

fn misfit(code: &'static Code, message: String, help: impl Into<String>) -> Misfit {
    Misfit { code, message, help: help.into() }
}

/// Fits `value` to a field of type `field_type` that `alias` maps. `equality`: the comparison is by equality,
/// the only one that a value map can translate. `written`: the literal as it stands in the rule, which is what
/// it becomes as text (`0042` stays that).
pub(crate) fn fit(
    value: &Value,
    field_type: FieldType,
    alias: &Alias,
    equality: bool,
    written: Option<&str>,
) -> Result<Literal, Misfit> {
    let literal = match mapped(value, alias, equality)? {
        Some(literal) => literal,
        None => convert(plain(value)?, alias.literal, written)?,
    };
    let fits = match &literal {
        Literal::Text(_) => field_type == FieldType::String,
        Literal::Number(_) => {
            matches!(field_type, FieldType::Integer | FieldType::Float | FieldType::Timestamp)
        }
        Literal::Boolean(_) => field_type == FieldType::Boolean,
    };
    if fits { Ok(literal) } else { Err(clash(&literal, field_type)) }
}

/// What the alias's value map makes of the literal; `None` where it leaves it alone.
fn mapped(value: &Value, alias: &Alias, equality: bool) -> Result<Option<Literal>, Misfit> {
    if alias.values.is_empty() {
        return Ok(None);
    }
    let written = written(value);
    let stored = alias.values.iter().find(|(key, _)| text::fold(key) == text::fold(&written));
    match (stored, alias.otherwise) {
        (Some((_, stored)), _) if equality => Ok(stored_literal(stored)),
        (None, Otherwise::Keep) => Ok(None),
        (Some(_), _) => Err(misfit(
            &UNLISTED_VALUE,
            format!("`{written}` is translated by the alias's `values:`, which equality alone can use"),
            "compare by equality",
        )),
        (None, Otherwise::Refuse) => {
            let known: Vec<&str> = alias.values.keys().map(String::as_str).collect();
            Err(misfit(
                &UNLISTED_VALUE,
                format!("the alias's `values:` does not name `{written}`"),
                format!("it names {}", known.join(", ")),
            ))
        }
    }
}

fn stored_literal(stored: &serde_json::Value) -> Option<Literal> {
    match stored {
        serde_json::Value::String(text) => Some(Literal::Text(text.clone())),
        serde_json::Value::Bool(truth) => Some(Literal::Boolean(*truth)),
        serde_json::Value::Number(number) => {
            let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            let number = integer.map(Number::Integer).or_else(|| number.as_f64().map(Number::Float));
            number.map(Literal::Number)
        }
        _ => None,
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::String(raw) => text::literal(raw).unwrap_or_else(|| raw.clone()),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Null => "null".to_owned(),
        Value::Nested(kind) => (*kind).to_owned(),
    }
}

fn plain(value: &Value) -> Result<Literal, Misfit> {
    match value {
        Value::String(raw) => text::literal(raw).map(Literal::Text).ok_or_else(|| {
            misfit(
                &RAW_WILDCARD,
                format!("`{raw}` holds an unescaped wildcard"),
                "use contains, startswith or endswith, or escape it with a backslash; capability `wildcards` \
                 gives it Sigma's meaning: --enable wildcards",
            )
        }),
        Value::Integer(number) => integer(*number),
        Value::Float(number) => float(*number),
        Value::Boolean(truth) => Ok(Literal::Boolean(*truth)),
        Value::Null => Err(misfit(
            &TYPE_CLASH,
            "null is no value to compare with".to_owned(),
            "use `field: null` without a modifier, or `exists: false`",
        )),
        Value::Nested(kind) => Err(misfit(
            &TYPE_CLASH,
            format!("a {kind} is no value to compare with"),
            "write a string, number or boolean",
        )),
    }
}

fn integer(number: i128) -> Result<Literal, Misfit> {
    let exact = (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number);
    if exact { Ok(Literal::Number(Number::Integer(number))) } else { Err(out_of_range(number)) }
}

/// Whole floats become integers, so that `1.0` and `1` are one literal.
fn float(number: f64) -> Result<Literal, Misfit> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() {
        return Err(out_of_range(number));
    }
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Literal::Number(Number::Integer(number as i128)));
    }
    Ok(Literal::Number(Number::Float(number)))
}

fn out_of_range(number: impl std::fmt::Display) -> Misfit {
    misfit(
        &NUMBER_OUT_OF_RANGE,
        format!("{number} cannot be compared exactly"),
        "use a finite number within 64 bits",
    )
}

/// Converts a literal to the type that the alias declares for the rules' literals.
fn convert(literal: Literal, to: Option<FieldType>, written: Option<&str>) -> Result<Literal, Misfit> {
    let failed = |text: &str, to: &str| {
        misfit(
            &TYPE_CLASH,
            format!("`{text}` is no {to}, which the alias's `literal:` asks for"),
            format!("write a literal that reads as {to}"),
        )
    };
    match (literal, to) {
        (Literal::Number(number), Some(FieldType::String)) => {
            Ok(Literal::Text(written.map_or_else(|| number.to_string(), str::to_owned)))
        }
        (Literal::Boolean(truth), Some(FieldType::String)) => Ok(Literal::Text(truth.to_string())),
        (Literal::Text(text), Some(FieldType::Integer | FieldType::Timestamp)) => {
            integer(text.parse().map_err(|_| failed(&text, "integer"))?)
        }
        (Literal::Text(text), Some(FieldType::Float)) => {
            float(text.parse().map_err(|_| failed(&text, "number"))?)
        }
        (Literal::Text(text), Some(FieldType::Boolean)) => match text::fold(&text).as_str() {
            "true" => Ok(Literal::Boolean(true)),
            "false" => Ok(Literal::Boolean(false)),
            _ => Err(failed(&text, "boolean")),
        },
        (literal, _) => Ok(literal),
    }
}

/// The message for a literal of the wrong type.
fn clash(literal: &Literal, field_type: FieldType) -> Misfit {
    let (kind, written) = match literal {
        Literal::Text(text) => ("string", format!("'{text}'")),
        Literal::Number(number) => ("number", number.to_string()),
        Literal::Boolean(truth) => ("boolean", truth.to_string()),
    };
    let field = field_type.as_str();
    misfit(
        &TYPE_CLASH,
        format!("{written} is a {kind}, the field is a {field}"),
        format!("write a {field}, or give the alias `literal: {field}`"),
    )
}
