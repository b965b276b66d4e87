//! Predicates in words: what each asks for, and how far a value is off. Pure.

use serde::Serialize;

use super::literals::{Position, quote, text_difference};
use crate::bridge::ir::{FieldExpr, Network, Number, PatternPart, Predicate, Test};
use crate::pack::{FilterOp, RouteFilter};
use crate::sigma::TextMatch;

/// Literals of a list that are named before the rest is counted.
const NAMED: usize = 3;

/// How a value misses what a predicate asks for, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Miss {
    /// The same but for upper and lower case, which counts here.
    Case,
    /// The same but for blanks.
    Whitespace,
    /// The same but for slashes or quotes.
    Punctuation,
    /// The same file name with another extension.
    Extension,
    /// The same file name in another folder, or without one.
    Folder,
    /// The text is there, but elsewhere than it has to stand.
    Position,
    /// A good part of the text is there.
    Partial,
    /// Another number.
    Number,
    /// Something else.
    Other,
    /// It holds, and must not.
    Excluded,
    /// The event has no value.
    Empty,
}

/// How a value misses a predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In kind.
    pub miss: Miss,
    /// In words.
    pub text: String,
}

impl Difference {
    pub(super) fn new(miss: Miss, text: impl Into<String>) -> Self {
        Self { miss, text: text.into() }
    }
}

/// What a predicate asks for, as `Image ends with '\whoami.exe'`. Text that is compared without case stands in lower
/// case.
#[must_use]
pub fn describe(predicate: &Predicate) -> String {
    let field = match predicate.field.0.as_str() {
        "" => "any text",
        field => field,
    };
    format!("{field} {}", asked(&predicate.test))
}

fn asked(test: &Test) -> String {
    let with_case = |cased: &bool| if *cased { " with case" } else { "" };
    match test {
        Test::Exists => "exists".to_owned(),
        Test::Missing => "is absent".to_owned(),
        Test::TextIn { values, cased } => {
            format!("is {}{}", listed(values.iter().map(|value| quote(value))), with_case(cased))
        }
        Test::Text { position, value, cased } => {
            format!("{} {}{}", verb(*position), quote(value), with_case(cased))
        }
        Test::NumberIn(values) => format!("is {}", listed(values.iter().map(ToString::to_string))),
        Test::Compare(comparison, number) => format!("{} {number}", comparison.sign()),
        Test::BooleanIn(values) => format!("is {}", listed(values.iter().map(ToString::to_string))),
        Test::Pattern { parts, cased } => format!("is like {}{}", quote(&shape(parts)), with_case(cased)),
        Test::Regex(regex) => format!("matches /{}/", super::literals::clip(&regex.pattern)),
        Test::Network(network) => format!("lies in {}", network_text(*network)),
        Test::OtherText { position, other, cased } => {
            format!("{} the value of {}{}", verb(*position), source_text(other), with_case(cased))
        }
        Test::OtherNumber(other) => format!("is the value of {}", source_text(other)),
        Test::TimePart { part, values } => {
            format!("is in {} {}", part.as_str(), listed(values.iter().map(ToString::to_string)))
        }
    }
}

/// What a producer predicate asks for, as `activity_id eq 1`.
#[must_use]
pub(super) fn describe_filter(filter: &RouteFilter) -> String {
    let op = match filter.op {
        FilterOp::Eq => "eq",
        FilterOp::Neq => "neq",
        FilterOp::In => "in",
        FilterOp::Nin => "nin",
        FilterOp::Exists => "exists",
        FilterOp::Contains => "contains",
        FilterOp::Prefix => "prefix",
        FilterOp::Suffix => "suffix",
        FilterOp::Regex => "regex",
    };
    match &filter.value {
        serde_json::Value::Null => format!("{} {op}", filter.path),
        value => format!("{} {op} {}", filter.path, super::literals::clip(&value.to_string())),
    }
}

/// Where a field's values are found, as short as it goes.
pub(super) fn source_text(source: &FieldExpr) -> String {
    match source {
        FieldExpr::Column(column) => column.path.0.clone(),
        FieldExpr::Computed(computed) => computed.text.clone(),
        FieldExpr::AnyOf(sources) if sources.len() > NAMED => format!("{} columns", sources.len()),
        FieldExpr::AnyOf(sources) => listed(sources.iter().map(source_text)),
        FieldExpr::PerClass(sources) => {
            let mut texts: Vec<String> = sources.iter().map(|(_, source)| source_text(source)).collect();
            texts.dedup();
            listed(texts.into_iter())
        }
    }
}

/// How `value` misses `predicate`; `None` is NULL.
#[must_use]
pub fn difference(predicate: &Predicate, value: Option<&str>) -> Difference {
    let Some(value) = value else { return empty(predicate) };
    match &predicate.test {
        Test::TextIn { values, cased } => {
            let each = values.iter().map(|wanted| text_difference(Position::Equals, wanted, *cased, value));
            each.min_by_key(|difference| difference.miss).unwrap_or_else(|| other(value))
        }
        Test::Text { position, value: wanted, cased } => {
            text_difference((*position).into(), wanted, *cased, value)
        }
        Test::Pattern { parts, cased } => pattern_difference(parts, *cased, value),
        Test::NumberIn(_) | Test::Compare(..) => number_difference(&predicate.test, value),
        Test::Network(network) => network_difference(*network, value),
        Test::Regex(_) => {
            Difference::new(Miss::Other, format!("the expression finds nothing in {}", quote(value)))
        }
        Test::OtherText { other, .. } | Test::OtherNumber(other) => Difference::new(
            Miss::Other,
            format!("{} does not fit the value of {}", quote(value), source_text(other)),
        ),
        Test::TimePart { part, .. } => {
            Difference::new(Miss::Other, format!("the time {value} is in another {}", part.as_str()))
        }
        Test::Missing => Difference::new(Miss::Other, format!("is filled: {}", quote(value))),
        Test::BooleanIn(_) | Test::Exists => other(value),
    }
}

/// That `predicate` holds of `value`, where it must not.
#[must_use]
pub(super) fn excluded(predicate: &Predicate, value: Option<&str>) -> Difference {
    let text = match (&predicate.test, value) {
        (Test::Missing, _) => "is absent, which the rule excludes".to_owned(),
        (_, Some(value)) => format!("is {}, which the rule excludes", quote(value)),
        (_, None) => "holds, which the rule excludes".to_owned(),
    };
    Difference::new(Miss::Excluded, text)
}

fn empty(predicate: &Predicate) -> Difference {
    let launched =
        matches!(&*predicate.source, FieldExpr::Column(column) if column.path.as_str() == "process.cmd_line");
    let text = match launched {
        true => "no command line in the event; 4688 has one only where the audit policy includes it",
        false => "no value in the event",
    };
    Difference::new(Miss::Empty, text)
}

fn other(value: &str) -> Difference {
    Difference::new(Miss::Other, format!("is {}", quote(value)))
}

/// The first part of the shape that the value lacks, from the left.
fn pattern_difference(parts: &[PatternPart], cased: bool, value: &str) -> Difference {
    let texts = parts.iter().filter_map(|part| match part {
        PatternPart::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let each = texts.map(|text| (text, text_difference(Position::Contains, text, cased, value)));
    let held = |text: &str| super::literals::contains(value, text, cased);
    match each.filter(|(text, _)| !held(text)).min_by_key(|(_, difference)| difference.miss) {
        Some((text, found)) if found.miss == Miss::Other => {
            Difference::new(Miss::Other, format!("has no {} in {}", quote(text), quote(value)))
        }
        Some((_, found)) => found,
        None => Difference::new(
            Miss::Position,
            format!("has the parts of {}, but not in this shape: {}", quote(&shape(parts)), quote(value)),
        ),
    }
}

fn number_difference(test: &Test, value: &str) -> Difference {
    let Ok(found) = value.parse::<f64>() else { return other(value) };
    let off = |wanted: &Number| match wanted {
        Number::Integer(wanted) => found - *wanted as f64,
        Number::Float(wanted) => found - wanted,
    };
    match test {
        Test::NumberIn(values) => {
            let nearest = values.iter().min_by(|a, b| off(a).abs().total_cmp(&off(b).abs()));
            let Some(nearest) = nearest else { return other(value) };
            let (by, way) = (off(nearest).abs(), if off(nearest) > 0.0 { "more" } else { "less" });
            Difference::new(Miss::Number, format!("is {value}, {by} {way} than {nearest}"))
        }
        Test::Compare(comparison, bound) => {
            let by = off(bound).abs();
            Difference::new(
                Miss::Number,
                format!("is {value}, off by {by} from {} {bound}", comparison.sign()),
            )
        }
        _ => other(value),
    }
}

fn network_difference(network: Network, value: &str) -> Difference {
    let text = match value.parse::<std::net::IpAddr>() {
        Ok(address) => {
            let same_family = matches!(
                (address, network),
                (std::net::IpAddr::V4(_), Network::V4(..)) | (std::net::IpAddr::V6(_), Network::V6(..))
            );
            let family = if same_family { "" } else { ", and is of the other address family" };
            format!("{address} lies outside {}{family}", network_text(network))
        }
        Err(_) => format!("{} is no address", quote(value)),
    };
    Difference::new(Miss::Other, text)
}

fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [init @ .., last] if !init.is_empty() && words.len() <= NAMED => {
            format!("{} or {last}", init.join(", "))
        }
        [first, second, rest @ ..] if words.len() > NAMED => {
            format!("{first}, {second} or {} others", rest.len())
        }
        words => words.concat(),
    }
}

fn verb(position: TextMatch) -> &'static str {
    match position {
        TextMatch::Equals => "is",
        TextMatch::Contains => "contains",
        TextMatch::StartsWith => "starts with",
        TextMatch::EndsWith => "ends with",
    }
}

fn network_text(network: Network) -> String {
    match network {
        Network::V4(address, length) => format!("{address}/{length}"),
        Network::V6(address, length) => format!("{address}/{length}"),
    }
}

fn shape(parts: &[PatternPart]) -> String {
    parts
        .iter()
        .map(|part| match part {
            PatternPart::Text(text) => text.as_str(),
            PatternPart::AnyRun => "*",
            PatternPart::AnyOne => "?",
            PatternPart::Dash => "-",
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::bridge::ir::Regex;
    use crate::ocsf::{FieldType, OcsfPath};
    use crate::pack::Column;
    use crate::sigma::{Comparison, SigmaField, Span};

    fn predicate(field: &str, path: &str, test: Test) -> Predicate {
        let column = Column { path: OcsfPath(path.to_owned()), field_type: FieldType::String, list: false };
        let source = FieldExpr::Column(column);
        Predicate { field: SigmaField(field.to_owned()), source: source.into(), test, span: Span::default() }
    }

    fn text(position: TextMatch, value: &str) -> Test {
        Test::Text { position, value: value.to_owned(), cased: false }
    }

    fn is(values: &[&str]) -> Test {
        Test::TextIn { values: values.iter().map(|v| (*v).to_owned()).collect(), cased: false }
    }

    fn told(test: Test, value: &str) -> (Miss, String) {
        let found = difference(&predicate("F", "f", test), Some(value));
        (found.miss, found.text)
    }

    #[test]
    fn predicates_read_as_the_rule_says_them() {
        let said = |test| describe(&predicate("Image", "process.file.path", test));
        assert_eq!(said(text(TextMatch::EndsWith, r"\a.exe")), r"Image ends with '\a.exe'");
        assert_eq!(said(is(&["a", "b"])), "Image is 'a' or 'b'");
        assert_eq!(said(is(&["a", "b", "c", "d"])), "Image is 'a', 'b' or 2 others");
        assert_eq!(said(Test::Compare(Comparison::Gte, Number::Integer(5))), "Image >= 5");
        assert_eq!(said(Test::Network(Network::V4([10, 0, 0, 0].into(), 8))), "Image lies in 10.0.0.0/8");
        let cased = Test::TextIn { values: vec!["A".to_owned()], cased: true };
        assert_eq!(said(cased), "Image is 'A' with case");
        let parts = vec![PatternPart::AnyRun, PatternPart::Dash, PatternPart::Text("x".to_owned())];
        assert_eq!(said(Test::Pattern { parts, cased: false }), "Image is like '*-x'");
    }

    #[test]
    fn null_is_told_from_another_value() {
        let launched = predicate("CommandLine", "process.cmd_line", text(TextMatch::Contains, "x"));
        let found = difference(&launched, None);
        assert_eq!(found.miss, Miss::Empty);
        assert!(found.text.contains("4688"), "{}", found.text);
        let other = difference(&predicate("User", "actor.user.name", is(&["x"])), None);
        assert_eq!(other, Difference::new(Miss::Empty, "no value in the event"));
    }

    #[test]
    fn numbers_are_off_by_so_much() {
        let wanted = || Test::NumberIn(vec![Number::Integer(10), Number::Integer(4688)]);
        assert_eq!(told(wanted(), "4689"), (Miss::Number, "is 4689, 1 more than 4688".to_owned()));
        assert_eq!(told(wanted(), "7"), (Miss::Number, "is 7, 3 less than 10".to_owned()));
        let bound = Test::Compare(Comparison::Gt, Number::Integer(1024));
        assert_eq!(told(bound, "1000"), (Miss::Number, "is 1000, off by 24 from > 1024".to_owned()));
    }

    #[test]
    fn an_address_is_outside_or_none() {
        let network = || Test::Network(Network::V4([10, 0, 0, 0].into(), 8));
        assert_eq!(told(network(), "11.1.1.1").1, "11.1.1.1 lies outside 10.0.0.0/8");
        assert_eq!(
            told(network(), "::1").1,
            "::1 lies outside 10.0.0.0/8, and is of the other address family"
        );
        assert_eq!(told(network(), "host").1, "'host' is no address");
    }

    #[test]
    fn of_several_literals_the_nearest_is_told() {
        let (miss, said) = told(is(&[r"c:\x\other.exe", r"c:\a\tool.exe"]), r"C:\a\tool.com");
        assert_eq!(miss, Miss::Extension);
        assert_eq!(said, r"has the extension '.com', not '.exe': 'C:\a\tool.com'");
    }

    #[test]
    fn a_pattern_names_the_part_that_is_missing() {
        let parts = || {
            vec![
                PatternPart::AnyRun,
                PatternPart::Text("download".to_owned()),
                PatternPart::AnyRun,
                PatternPart::Text("file".to_owned()),
            ]
        };
        let shape = || Test::Pattern { parts: parts(), cased: false };
        assert_eq!(told(shape(), "a file").1, "has no 'download' in 'a file'");
        let (miss, said) = told(shape(), "file download");
        assert_eq!(miss, Miss::Position);
        assert_eq!(said, "has the parts of '*download*file', but not in this shape: 'file download'");
    }

    #[test]
    fn whatever_else_there_is_is_named() {
        let regex = Regex { pattern: "a+".to_owned(), ignore_case: false, multiline: false, dot_all: false };
        assert_eq!(told(Test::Regex(regex), "b").1, "the expression finds nothing in 'b'");
        assert_eq!(told(Test::Missing, "b").1, "is filled: 'b'");
        assert_eq!(told(Test::BooleanIn(vec![true]), "false").1, "is 'false'");
        let excluded = excluded(&predicate("F", "f", is(&["b"])), Some("b"));
        assert_eq!(excluded, Difference::new(Miss::Excluded, "is 'b', which the rule excludes"));
    }
}
