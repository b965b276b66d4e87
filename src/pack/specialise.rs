//! What an alias is for the events of one route: arms of a CASE that the route's filters rule out are left out.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::{Case, CaseArm, CaseValues, Column, Computed, FilterOp, RouteFilter, Scalar, Target};

impl Target {
    /// The target as it is for events of which all `filters` hold. It has the same values there, and reads no
    /// column for the sake of events that the filters exclude.
    #[must_use]
    pub fn specialised(&self, filters: &[RouteFilter]) -> Cow<'_, Self> {
        match self {
            Self::Path(_) => Cow::Borrowed(self),
            Self::Expr(computed) => match scalar(&computed.scalar, filters) {
                scalar if scalar == computed.scalar => Cow::Borrowed(self),
                Scalar::Column(column) => Cow::Owned(Self::Path(column)),
                scalar => {
                    Cow::Owned(Self::Expr(Computed { text: scalar.to_string(), scalar, ..computed.clone() }))
                }
            },
            Self::AnyOf(targets) => {
                Cow::Owned(Self::AnyOf(targets.iter().map(|t| t.specialised(filters).into_owned()).collect()))
            }
            Self::PerClass(targets) => {
                let targets = targets.iter().map(|(class, t)| (*class, t.specialised(filters).into_owned()));
                Cow::Owned(Self::PerClass(targets.collect()))
            }
        }
    }
}

fn scalar(of: &Scalar, filters: &[RouteFilter]) -> Scalar {
    let boxed = |part: &Scalar| Box::new(scalar(part, filters));
    let all = |parts: &[Scalar]| parts.iter().map(|part| scalar(part, filters)).collect();
    match of {
        Scalar::Column(_) | Scalar::Text(_) | Scalar::Integer(_) => of.clone(),
        Scalar::Concat(parts) => Scalar::Concat(all(parts)),
        Scalar::Coalesce(parts) => Scalar::Coalesce(all(parts)),
        Scalar::Lower(part) => Scalar::Lower(boxed(part)),
        Scalar::Upper(part) => Scalar::Upper(boxed(part)),
        Scalar::ToText(part) => Scalar::ToText(boxed(part)),
        Scalar::Replace(part, from, to) => Scalar::Replace(boxed(part), from.clone(), to.clone()),
        Scalar::SplitPart(part, separator, index) => {
            Scalar::SplitPart(boxed(part), separator.clone(), *index)
        }
        Scalar::Case(case) => self::case(case, filters),
    }
}

fn case(of: &Case, filters: &[RouteFilter]) -> Scalar {
    let mut possible = pinned(&of.column, filters);
    let mut arms = Vec::new();
    let mut otherwise = of.otherwise.as_ref();
    for arm in &of.arms {
        let values = match &mut possible {
            None => Some(arm.values.clone()),
            Some(possible) => taken(possible, &arm.values),
        };
        let Some(values) = values else { continue };
        if possible.as_ref().is_some_and(is_empty) {
            // Every event that is left is for this arm.
            otherwise = Some(&arm.then);
            break;
        }
        arms.push(CaseArm { values, then: scalar(&arm.then, filters) });
    }
    let otherwise = otherwise.map(|part| scalar(part, filters));
    match otherwise {
        Some(only) if arms.is_empty() => only,
        otherwise => Scalar::Case(Box::new(Case { column: of.column.clone(), arms, otherwise })),
    }
}

/// The values that the filters leave to the column; `None` where they say nothing of it.
fn pinned(column: &Column, filters: &[RouteFilter]) -> Option<CaseValues> {
    let on_column = filters.iter().filter(|filter| {
        filter.path == column.path && !filter.list && filter.field_type == column.field_type
    });
    let mut pinned: Option<CaseValues> = None;
    for filter in on_column {
        let allowed: Vec<&Value> = match (filter.op, &filter.value) {
            (FilterOp::Eq, value) => vec![value],
            (FilterOp::In, Value::Array(values)) => values.iter().collect(),
            _ => continue,
        };
        let texts: Option<BTreeSet<String>> =
            allowed.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        let integers: Option<BTreeSet<i64>> = allowed.iter().map(|value| value.as_i64()).collect();
        let Some(allowed) = texts.map(CaseValues::Texts).or(integers.map(CaseValues::Integers)) else {
            continue;
        };
        pinned = Some(match pinned {
            None => allowed,
            Some(before) => common(&before, &allowed),
        });
    }
    pinned
}

/// Takes from `possible` what an arm is for; `None` where that is nothing.
fn taken(possible: &mut CaseValues, arm: &CaseValues) -> Option<CaseValues> {
    let both = common(possible, arm);
    match (possible, &both) {
        (CaseValues::Texts(possible), CaseValues::Texts(both)) => possible.retain(|v| !both.contains(v)),
        (CaseValues::Integers(possible), CaseValues::Integers(both)) => {
            possible.retain(|v| !both.contains(v));
        }
        _ => {}
    }
    (!is_empty(&both)).then_some(both)
}

fn common(a: &CaseValues, b: &CaseValues) -> CaseValues {
    match (a, b) {
        (CaseValues::Texts(a), CaseValues::Texts(b)) => CaseValues::Texts(a & b),
        (CaseValues::Integers(a), CaseValues::Integers(b)) => CaseValues::Integers(a & b),
        (CaseValues::Texts(_), CaseValues::Integers(_)) => CaseValues::Texts(BTreeSet::new()),
        (CaseValues::Integers(_), CaseValues::Texts(_)) => CaseValues::Integers(BTreeSet::new()),
    }
}

fn is_empty(values: &CaseValues) -> bool {
    match values {
        CaseValues::Texts(values) => values.is_empty(),
        CaseValues::Integers(values) => values.is_empty(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::ocsf::{FieldType, OcsfPath};
    use crate::pack::expression;

    fn column(path: &str) -> Column {
        Column { path: OcsfPath(path.to_owned()), field_type: FieldType::String, list: false }
    }

    fn filter(op: FilterOp, value: Value) -> RouteFilter {
        let Column { path, field_type, list } = column("code");
        RouteFilter { path, field_type, list, op, value, notes: None }
    }

    fn shown(text: &str, filters: &[RouteFilter]) -> String {
        let scalar = expression::parse(text, &mut |path| Ok(column(path))).unwrap();
        let text = text.to_owned();
        Target::Expr(Computed { text, scalar, field_type: FieldType::String, list: false })
            .specialised(filters)
            .to_string()
    }

    #[test]
    fn arms_that_the_filters_rule_out_are_left_out() {
        let eq = |value: &str| [filter(FilterOp::Eq, value.into())];
        let among = |values: &[&str]| [filter(FilterOp::In, values.into())];
        let expr = "CASE WHEN code IN ('1', '2') THEN raw.X WHEN code = '3' THEN b ELSE c.d END";
        assert_eq!(shown(expr, &[]), expr);
        assert_eq!(shown(expr, &[filter(FilterOp::Neq, "1".into())]), expr);
        assert_eq!(shown(expr, &eq("1")), "raw.X");
        assert_eq!(shown(expr, &eq("3")), "b");
        assert_eq!(shown(expr, &eq("4")), "c.d");
        assert_eq!(shown(expr, &among(&["1", "2"])), "raw.X");
        assert_eq!(shown(expr, &among(&["1", "3"])), "CASE WHEN code IN ('1') THEN raw.X ELSE b END");
        assert_eq!(shown(expr, &among(&["3", "4"])), "CASE WHEN code IN ('3') THEN b ELSE c.d END");
        let two = [filter(FilterOp::In, ["1", "3"].as_slice().into()), filter(FilterOp::Eq, "3".into())];
        assert_eq!(shown(expr, &two), "b");
        assert_eq!(shown(&format!("lower({expr}) || '''x'"), &eq("4")), "(lower(c.d) || '''x')");
    }

    #[test]
    fn a_choice_of_which_nothing_is_left_is_null() {
        let never = shown("CASE WHEN code = '1' THEN a END", &[filter(FilterOp::Eq, "2".into())]);
        assert_eq!(never, "NULL");
    }
}
