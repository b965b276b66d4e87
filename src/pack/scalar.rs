//! What can be asked of a computed expression.

use std::fmt;

use super::{Case, CaseValues, Column, Scalar};
use crate::ocsf::OcsfPath;

impl Scalar {
    /// Every column that it reads, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<&Column> {
        match self {
            Self::Column(column) => vec![column],
            Self::Text(_) | Self::Integer(_) => Vec::new(),
            Self::Concat(parts) | Self::Coalesce(parts) => parts.iter().flat_map(Self::columns).collect(),
            Self::Lower(part) | Self::Upper(part) | Self::ToText(part) => part.columns(),
            Self::Replace(part, ..) | Self::SplitPart(part, ..) => part.columns(),
            Self::Case(case) => {
                let parts = case.arms.iter().map(|arm| &arm.then).chain(&case.otherwise);
                let tested = (!case.arms.is_empty()).then_some(&case.column);
                tested.into_iter().chain(parts.flat_map(Self::columns)).collect()
            }
        }
    }

    /// Whether it is NULL in every event: a CASE of which nothing is left.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Case(case) if case.arms.is_empty() && case.otherwise.is_none())
    }

    /// The columns that come from a LIST.
    pub(super) fn list_paths(&self) -> Vec<&OcsfPath> {
        self.columns().into_iter().filter(|column| column.list).map(|column| &column.path).collect()
    }
}

impl fmt::Display for Scalar {
    /// As a pack would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => path(&column.path, f),
            Self::Text(value) => text(value, f),
            Self::Integer(number) => number.fmt(f),
            Self::Concat(parts) => {
                f.write_str("(")?;
                joined(parts, " || ", f)?;
                f.write_str(")")
            }
            Self::Coalesce(parts) => {
                f.write_str("coalesce(")?;
                joined(parts, ", ", f)?;
                f.write_str(")")
            }
            Self::Lower(part) => write!(f, "lower({part})"),
            Self::Upper(part) => write!(f, "upper({part})"),
            Self::Replace(part, from, to) => {
                write!(f, "replace({part}, ")?;
                text(from, f)?;
                f.write_str(", ")?;
                text(to, f)?;
                f.write_str(")")
            }
            Self::SplitPart(part, separator, index) => {
                write!(f, "split_part({part}, ")?;
                text(separator, f)?;
                write!(f, ", {index})")
            }
            Self::ToText(part) => write!(f, "CAST({part} AS VARCHAR)"),
            Self::Case(case) => case.fmt(f),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.arms.is_empty() {
            return match &self.otherwise {
                Some(only) => write!(f, "{only}"),
                None => f.write_str("NULL"),
            };
        }
        f.write_str("CASE")?;
        for arm in &self.arms {
            f.write_str(" WHEN ")?;
            path(&self.column.path, f)?;
            f.write_str(" IN (")?;
            match &arm.values {
                CaseValues::Texts(values) => each(values, ", ", f, |value, f| text(value, f))?,
                CaseValues::Integers(values) => each(values, ", ", f, |value, f| write!(f, "{value}"))?,
            }
            write!(f, ") THEN {}", arm.then)?;
        }
        if let Some(otherwise) = &self.otherwise {
            write!(f, " ELSE {otherwise}")?;
        }
        f.write_str(" END")
    }
}

fn joined(parts: &[Scalar], by: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    each(parts, by, f, |part, f| write!(f, "{part}"))
}

fn each<T>(
    items: impl IntoIterator<Item = T>,
    by: &str,
    f: &mut fmt::Formatter<'_>,
    write: impl Fn(T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        f.write_str(if index == 0 { "" } else { by })?;
        write(item, f)?;
    }
    Ok(())
}

fn text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}

/// A path whose steps are quoted where they are no plain names, or would begin a query after a parenthesis.
fn path(path: &OcsfPath, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    each(path.as_str().split('.'), ".", f, |step, f| {
        let mut chars = step.chars();
        let plain = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
        let begins_query = ["select", "with"].iter().any(|keyword| step.eq_ignore_ascii_case(keyword));
        match plain && !begins_query {
            true => f.write_str(step),
            false => write!(f, "\"{}\"", step.replace('"', "\"\"")),
        }
    })
}
