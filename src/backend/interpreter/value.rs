//! Values of events: how they compare, and how they are written.

use std::cmp::Ordering;

use crate::backend::correlation_oracle::Datum;
use crate::bridge::ir::Number;

/// A value of an event, of the type that it has there.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i128),
    /// Any other number, the infinite ones and NaN among them.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
}

impl Value {
    /// The text, where it is text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where it is one.
    pub(super) fn number(&self) -> Option<Number> {
        match self {
            Self::Integer(number) => Some(Number::Integer(*number)),
            Self::Float(number) => Some(Number::Float(*number)),
            Self::Text(_) | Self::Boolean(_) => None,
        }
    }

    /// As correlations take it. Whole numbers beyond 64 bits have no part in them: no OCSF attribute is that wide.
    pub(crate) fn datum(self) -> Option<Datum> {
        match self {
            Self::Text(text) => Some(Datum::Text(text)),
            Self::Integer(number) => i64::try_from(number).ok().map(Datum::Integer),
            Self::Float(number) => Some(Datum::Float(number)),
            Self::Boolean(truth) => Some(Datum::Boolean(truth)),
        }
    }

    /// As DuckDB's `CAST(… AS VARCHAR)` writes it.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => float_text(*number),
            Self::Boolean(truth) => truth.to_string(),
        }
    }
}

/// Whole numbers exactly; where either is none, both as DOUBLE. NaN equals itself and is above all others, as in
/// DuckDB.
pub(super) fn compare(left: Number, right: Number) -> Ordering {
    if let (Number::Integer(left), Number::Integer(right)) = (left, right) {
        return left.cmp(&right);
    }
    let (left, right) = (as_double(left), as_double(right));
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn as_double(number: Number) -> f64 {
    match number {
        Number::Integer(number) => number as f64,
        Number::Float(number) => number,
    }
}

/// The shortest digits that read back as the number; an exponent below 1e-4 and from 1e16.
fn float_text(number: f64) -> String {
    if !number.is_finite() {
        return match number {
            _ if number.is_nan() => "nan".to_owned(),
            _ if number > 0.0 => "inf".to_owned(),
            _ => "-inf".to_owned(),
        };
    }
    let written = format!("{number:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{number:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_duckdb_writes_them() {
        let cases = [
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e300, "1e+300"),
            (5e-324, "5e-324"),
            (-0.0, "-0.0"),
            (100.0, "100.0"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ];
        for (number, expected) in cases {
            assert_eq!(float_text(number), expected);
        }
    }

    #[test]
    fn whole_numbers_compare_exactly_and_fractions_as_double() {
        let big = 9_007_199_254_740_993;
        assert_eq!(compare(Number::Integer(big), Number::Integer(big - 1)), Ordering::Greater);
        assert_eq!(compare(Number::Integer(big), Number::Float((big - 1) as f64)), Ordering::Equal);
        assert_eq!(compare(Number::Float(-0.0), Number::Integer(0)), Ordering::Equal);
        assert_eq!(compare(Number::Float(f64::NAN), Number::Float(f64::NAN)), Ordering::Equal);
        assert_eq!(compare(Number::Float(f64::NAN), Number::Float(f64::INFINITY)), Ordering::Greater);
    }
}
