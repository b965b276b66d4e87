//! The values of an item as tests of its field.

use std::sync::Arc;

use super::item::Alternatives;
use super::shape::{joined, literal_test, positioned};
use super::{Lowering, encode, network, regex};
use crate::bridge::diagnostic::{Code, Severity};
use crate::bridge::ir::{PatternPart, Regex, Test};
use crate::bridge::literal::{self, Literal};
use crate::bridge::reason::ReasonCode;
use crate::bridge::resolve::ResolvedField;
use crate::bridge::settings::switch_on;
use crate::ocsf::FieldType;
use crate::sigma::text::{self, TextPart};
use crate::sigma::{
    Capability, Chain, Comparison, Item, Operator, SigmaField, Span, Spanned, TextMatch, TimePart, Transform,
    Value,
};

/// A pattern beyond what every backend reads alike.
static UNSUPPORTED_PATTERN: Code = Code {
    name: "unsupported_pattern",
    reason: Some(ReasonCode::UnsupportedRegex),
    severity: Severity::Error,
    summary: "a regular expression that RE2 lacks, that matches everything, or that is too large",
    explanation: "Patterns are RE2's: no look-around, no back references, no possessive or atomic groups, named groups \
only as `(?P<name>…)`, counts up to 1000, no repetition of a repetition, no Unicode classes. A pattern that finds the \
empty text matches every value, which no author means. The message gives the place within the pattern.",
};

/// A text that is no network.
static MALFORMED_NETWORK: Code = Code {
    name: "malformed_network",
    reason: Some(ReasonCode::UnsupportedValueType),
    severity: Severity::Error,
    summary: "the value of `cidr` is no network",
    explanation: "A network is an IPv4 or IPv6 address, a slash and a prefix length; the bits behind the prefix are \
zero. A bare address is a network of one. Octets have no leading zeros.",
};

/// A value that cannot be encoded.
static NOT_ENCODABLE: Code = Code {
    name: "not_encodable",
    reason: Some(ReasonCode::UnsupportedValueType),
    severity: Severity::Error,
    summary: "the value cannot be encoded",
    explanation: "base64 and the UTF-16 forms encode text that is known: a wildcard has no encoding, a number or a \
boolean is no text, and at some offset a very short text leaves nothing that is certain. Escape the wildcard to mean the \
character itself.",
};

pub(super) static CODES: [&Code; 3] = [&UNSUPPORTED_PATTERN, &MALFORMED_NETWORK, &NOT_ENCODABLE];

impl Lowering<'_, '_> {
    /// For each value, the tests of which any has to hold. Every value that does not fit is reported.
    pub(super) fn alternatives(
        &mut self,
        item: &Item,
        chain: &Chain,
        source: &ResolvedField<'_>,
    ) -> Option<Vec<Alternatives>> {
        let values = item.values.as_slice();
        match (chain.operator, values) {
            (Operator::Exists, [Spanned { value: Value::Boolean(wanted), span }]) => {
                Some(vec![(vec![if *wanted { Test::Exists } else { Test::Missing }], *span)])
            }
            (Operator::Match(TextMatch::Equals), [Spanned { value: Value::Null, span }])
                if chain.transforms.is_empty() =>
            {
                Some(vec![(vec![Test::Missing], *span)])
            }
            (Operator::Match(position), values) => self.matches(values, position, chain, source),
            (Operator::Compare(comparison), values) => {
                self.each(values, |this, value| this.compare(value, comparison, source))
            }
            (Operator::Regex { ignore_case, multiline, dot_all }, values) => {
                self.each(values, |this, value| {
                    let pattern = this.text_value(value, source, "a regular expression")?.to_owned();
                    this.regex(Regex { pattern, ignore_case, multiline, dot_all }, value.span)
                })
            }
            (Operator::Cidr, values) => self.each(values, |this, value| this.network(value, source)),
            (Operator::FieldRef(position), values) => {
                self.each(values, |this, value| this.other_field(value, position, chain.cased, source))
            }
            (Operator::TimePart(part), values) => {
                self.each(values, |this, value| this.time_part(value, part, source))
            }
            (Operator::Exists, _) => None,
        }
    }

    /// One test a value; `None` where any value is refused.
    fn each(
        &mut self,
        values: &[Spanned<Value>],
        mut test: impl FnMut(&mut Self, &Spanned<Value>) -> Option<Test>,
    ) -> Option<Vec<Alternatives>> {
        let tests: Vec<Option<Alternatives>> =
            values.iter().map(|value| Some((vec![test(self, value)?], value.span))).collect();
        tests.into_iter().collect()
    }

    /// Text, number and boolean matches. Literals compared by equality become one membership test, unless each
    /// has to hold.
    fn matches(
        &mut self,
        values: &[Spanned<Value>],
        position: TextMatch,
        chain: &Chain,
        source: &ResolvedField<'_>,
    ) -> Option<Vec<Alternatives>> {
        if position != TextMatch::Equals && !self.is_text(source, values.first()?.span) {
            return None;
        }
        let tests: Vec<Option<Alternatives>> = values
            .iter()
            .map(|value| Some((self.match_value(value, position, chain, source)?, value.span)))
            .collect();
        let tests: Vec<Alternatives> = tests.into_iter().collect::<Option<_>>()?;
        Some(if chain.all { tests } else { joined(tests) })
    }

    fn match_value(
        &mut self,
        value: &Spanned<Value>,
        position: TextMatch,
        chain: &Chain,
        source: &ResolvedField<'_>,
    ) -> Option<Vec<Test>> {
        let cased = chain.cased;
        match (chain.transforms.as_slice(), &value.value) {
            ([], Value::String(raw)) if self.wildcards() && text::has_wildcard(raw) => {
                if !(self.is_text(source, value.span) && self.is_stored_as_written(source, value.span)) {
                    return None;
                }
                let parts = self.pattern_parts(raw, value.span)?;
                Some(vec![positioned(parts, position, cased)])
            }
            ([], _) => {
                let literal = self.fitted(value, source, position == TextMatch::Equals)?;
                Some(vec![literal_test(literal, position, cased)])
            }
            ([Transform::Windash], _) => {
                let raw = self.text_value(value, source, "text")?.to_owned();
                let parts = encode::dashes(self.pattern_parts(&raw, value.span)?);
                Some(vec![positioned(parts, position, cased)])
            }
            ([Transform::Expand], _) => {
                let raw = self.text_value(value, source, "text")?.to_owned();
                let expanded = self.expand(&raw, value.span)?;
                Some(expanded.into_iter().map(|parts| positioned(parts, position, cased)).collect())
            }
            (transforms, _) => {
                let encoded = self.encoded(value, transforms, source)?;
                Some(
                    encoded
                        .into_iter()
                        .map(|text| literal_test(Literal::Text(text), position, cased))
                        .collect(),
                )
            }
        }
    }

    pub(super) fn wildcards(&self) -> bool {
        self.enabled.contains(&Capability::Wildcards)
    }

    /// The parts of a text; an unescaped wildcard is refused where wildcards are off.
    pub(super) fn pattern_parts(&mut self, raw: &str, span: Span) -> Option<Vec<PatternPart>> {
        let parts = text::parts(raw);
        let wild = parts.iter().any(|part| !matches!(part, TextPart::Text(_)));
        if wild && !self.wildcards() {
            let message = format!("`{raw}` holds an unescaped wildcard");
            let help = format!("escape it with a backslash; {}", switch_on(Capability::Wildcards));
            self.push(&literal::RAW_WILDCARD, message, span, help);
            return None;
        }
        Some(parts.into_iter().map(PatternPart::from).collect())
    }

    fn is_text(&mut self, source: &ResolvedField<'_>, span: Span) -> bool {
        if source.field_type == FieldType::String {
            return true;
        }
        let message = format!("text is sought in a field that is {}", source.field_type.as_str());
        let help = "compare by equality, or map the field to a string".to_owned();
        self.push(&literal::TYPE_CLASH, message, span, help);
        false
    }

    /// The text of a value that has to be text, in a field that has to be text.
    fn text_value<'v>(
        &mut self,
        value: &'v Spanned<Value>,
        source: &ResolvedField<'_>,
        what: &str,
    ) -> Option<&'v str> {
        if !self.is_text(source, value.span) {
            return None;
        }
        let Value::String(raw) = &value.value else {
            let message = format!("the value is not {what}");
            self.push(&literal::TYPE_CLASH, message, value.span, "quote it".to_owned());
            return None;
        };
        self.is_stored_as_written(source, value.span).then_some(raw)
    }

    /// Whether the field is stored in the words that rules use: a pattern cannot be translated value by value.
    fn is_stored_as_written(&mut self, source: &ResolvedField<'_>, span: Span) -> bool {
        if source.alias.values.is_empty() {
            return true;
        }
        let message =
            "the field is stored under other values, and only whole literals are translated".to_owned();
        self.push(&literal::UNLISTED_VALUE, message, span, "compare by equality".to_owned());
        false
    }

    fn compare(
        &mut self,
        value: &Spanned<Value>,
        comparison: Comparison,
        source: &ResolvedField<'_>,
    ) -> Option<Test> {
        let Literal::Number(number) = self.fitted(value, source, false)? else {
            let message = "only numbers compare by size".to_owned();
            let help = "write a number, and map the field to a number".to_owned();
            self.push(&literal::TYPE_CLASH, message, value.span, help);
            return None;
        };
        Some(Test::Compare(comparison, number))
    }

    /// The value as a literal of the field's type; a misfit is reported.
    fn fitted(
        &mut self,
        value: &Spanned<Value>,
        source: &ResolvedField<'_>,
        equality: bool,
    ) -> Option<Literal> {
        let written = value.span.slice(self.text);
        match literal::fit(&value.value, source.field_type, source.alias, equality, written) {
            Ok(literal) => Some(literal),
            Err(misfit) => {
                self.refuse(misfit, value.span);
                None
            }
        }
    }

    fn regex(&mut self, regex: Regex, span: Span) -> Option<Test> {
        match regex::check(&regex) {
            Ok(()) => Some(Test::Regex(regex)),
            Err(regex::Unsupported { what, offset }) => {
                let shown = regex.pattern.get(offset..).unwrap_or_default();
                let near: String = shown.chars().take(24).collect();
                let message = format!("at byte {offset} of the pattern, before `{near}`: {what}");
                let help = "write it within RE2, or with contains, startswith or endswith".to_owned();
                self.push(&UNSUPPORTED_PATTERN, message, span, help);
                None
            }
        }
    }

    fn network(&mut self, value: &Spanned<Value>, source: &ResolvedField<'_>) -> Option<Test> {
        let raw = self.text_value(value, source, "a network")?;
        match network::parse(raw) {
            Ok(network) => Some(Test::Network(network)),
            Err(message) => {
                let help = "write it as 10.0.0.0/8 or 2001:db8::/32".to_owned();
                self.push(&MALFORMED_NETWORK, message, value.span, help);
                None
            }
        }
    }

    fn other_field(
        &mut self,
        value: &Spanned<Value>,
        position: TextMatch,
        cased: bool,
        source: &ResolvedField<'_>,
    ) -> Option<Test> {
        let Value::String(name) = &value.value else {
            let message = "the value of `fieldref` is the name of a field".to_owned();
            self.push(&literal::TYPE_CLASH, message, value.span, "write a field's name".to_owned());
            return None;
        };
        let other = self.field(&Spanned::new(SigmaField(name.clone()), value.span), value.span)?;
        let number = |field_type| matches!(field_type, FieldType::Integer | FieldType::Float);
        let both_text = source.field_type == FieldType::String && other.field_type == FieldType::String;
        let both_numbers = number(source.field_type) && number(other.field_type);
        let scalar = !other.alias.target.list();
        if source.alias.values != other.alias.values {
            let message = format!("the values of the field and of `{name}` are translated differently");
            let help = "compare fields that are stored alike".to_owned();
            self.push(&literal::UNLISTED_VALUE, message, value.span, help);
            return None;
        }
        match (both_text, both_numbers && position == TextMatch::Equals, scalar) {
            (true, _, true) => Some(Test::OtherText { position, other: Arc::clone(&other.source), cased }),
            (_, true, true) => Some(Test::OtherNumber(Arc::clone(&other.source))),
            _ => {
                let message = format!(
                    "a field that is {} cannot be compared so with `{name}`, which is {}{}",
                    source.field_type.as_str(),
                    if scalar { "" } else { "a list of " },
                    other.field_type.as_str()
                );
                let help = "compare two strings, or two numbers by equality".to_owned();
                self.push(&literal::TYPE_CLASH, message, value.span, help);
                None
            }
        }
    }

    fn time_part(
        &mut self,
        value: &Spanned<Value>,
        part: TimePart,
        source: &ResolvedField<'_>,
    ) -> Option<Test> {
        let number = match value.value {
            Value::Integer(number) => i64::try_from(number).ok(),
            _ => None,
        };
        match (number, source.field_type) {
            (Some(number), FieldType::Timestamp) => Some(Test::TimePart { part, values: vec![number] }),
            _ => {
                let message = "a part of a time is a whole number, of a field that is a timestamp".to_owned();
                let help = "write a whole number, and map the field to a timestamp".to_owned();
                self.push(&literal::TYPE_CLASH, message, value.span, help);
                None
            }
        }
    }

    fn encoded(
        &mut self,
        value: &Spanned<Value>,
        transforms: &[Transform],
        source: &ResolvedField<'_>,
    ) -> Option<Vec<String>> {
        let raw = self.text_value(value, source, "text")?;
        let encoded = text::literal(raw).and_then(|literal| {
            let bytes = encode::bytes(&literal, transforms);
            match transforms.contains(&Transform::Base64Offset) {
                true => encode::base64_offsets(&bytes).map(Vec::from),
                false => Some(vec![encode::base64(&bytes)]),
            }
        });
        if encoded.is_none() {
            let message = format!("`{raw}` cannot be encoded");
            let help = "escape wildcards, and write text that is longer than a byte".to_owned();
            self.push(&NOT_ENCODABLE, message, value.span, help);
        }
        encoded
    }
}
