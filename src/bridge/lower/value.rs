//! The values of an item as tests of its field.

use std::collections::BTreeSet;

use super::item::{Alternatives, switch_on};
use super::{Lowering, encode, network, regex};
use crate::bridge::diagnostic::{Code, Severity};
use crate::bridge::ir::{Number, PatternPart, Regex, Test};
use crate::bridge::literal::{self, Literal};
use crate::bridge::reason::ReasonCode;
use crate::bridge::resolve::ResolvedField;
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

/// A placeholder that the pack has no values for.
static UNKNOWN_PLACEHOLDER: Code = Code {
    name: "unknown_placeholder",
    reason: Some(ReasonCode::UnsupportedModifier),
    severity: Severity::Error,
    summary: "the pack has no values for a placeholder",
    explanation: "`expand` puts the pack's values in the place of `%name%`; they stand in pack.yaml under \
`placeholders:`, a list for each name. A placeholder without values would make the rule match something else or \
nothing. `\\%` is a percent sign.",
};

pub(super) static CODES: [&Code; 4] =
    [&UNSUPPORTED_PATTERN, &MALFORMED_NETWORK, &NOT_ENCODABLE, &UNKNOWN_PLACEHOLDER];

/// Ways that the placeholders of one value may be filled.
const MAX_EXPANSIONS: usize = 10_000;

impl<'p> Lowering<'p> {
    /// For each value, the tests of which any has to hold. Every value that does not fit is reported.
    pub(super) fn alternatives(
        &mut self,
        item: &Item,
        chain: &Chain,
        source: &ResolvedField<'p>,
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
        source: &ResolvedField<'p>,
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
        source: &ResolvedField<'p>,
    ) -> Option<Vec<Test>> {
        let cased = chain.cased;
        match (chain.transforms.as_slice(), &value.value) {
            ([], Value::String(raw)) if text::literal(raw).is_none() && self.wildcards() => {
                if !self.is_text(source, value.span) {
                    return None;
                }
                let parts = self.pattern_parts(raw, value.span)?;
                Some(vec![positioned(parts, position, cased)])
            }
            ([], _) => {
                let equality = position == TextMatch::Equals;
                let written = value.span.slice(self.text);
                let fitted = literal::fit(&value.value, source.field_type, source.alias, equality, written);
                match fitted {
                    Ok(literal) => Some(vec![literal_test(literal, position, cased)]),
                    Err(misfit) => {
                        self.refuse(misfit, value.span);
                        None
                    }
                }
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

    fn wildcards(&self) -> bool {
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

    fn is_text(&mut self, source: &ResolvedField<'p>, span: Span) -> bool {
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
        source: &ResolvedField<'p>,
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
        Some(raw)
    }

    fn compare(
        &mut self,
        value: &Spanned<Value>,
        comparison: Comparison,
        source: &ResolvedField<'p>,
    ) -> Option<Test> {
        let written = value.span.slice(self.text);
        match literal::fit(&value.value, source.field_type, source.alias, false, written) {
            Ok(Literal::Number(number)) => Some(Test::Compare(comparison, number)),
            Ok(_) => {
                let message = "only numbers compare by size".to_owned();
                let help = "write a number, and map the field to a number".to_owned();
                self.push(&literal::TYPE_CLASH, message, value.span, help);
                None
            }
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

    fn network(&mut self, value: &Spanned<Value>, source: &ResolvedField<'p>) -> Option<Test> {
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
        source: &ResolvedField<'p>,
    ) -> Option<Test> {
        let Value::String(name) = &value.value else {
            let message = "the value of `fieldref` is the name of a field".to_owned();
            self.push(&literal::TYPE_CLASH, message, value.span, "write a field's name".to_owned());
            return None;
        };
        let other = self.field(&Spanned::new(SigmaField(name.clone()), value.span))?;
        let number = |field_type| matches!(field_type, FieldType::Integer | FieldType::Float);
        let both_text = source.field_type == FieldType::String && other.field_type == FieldType::String;
        let both_numbers = number(source.field_type) && number(other.field_type);
        let scalar = !other.alias.target.list();
        match (both_text, both_numbers && position == TextMatch::Equals, scalar) {
            (true, _, true) => Some(Test::OtherText { position, other: other.source, cased }),
            (_, true, true) => Some(Test::OtherNumber(other.source)),
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
        source: &ResolvedField<'p>,
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
        source: &ResolvedField<'p>,
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

    /// Every way to fill the placeholders of `raw`.
    fn expand(&mut self, raw: &str, span: Span) -> Option<Vec<Vec<PatternPart>>> {
        let mut filled: Vec<Vec<PatternPart>> = vec![Vec::new()];
        for piece in placeholders(raw) {
            let ways: Vec<Vec<PatternPart>> = match piece {
                Piece::Text(text) => vec![self.pattern_parts(&text, span)?],
                Piece::Placeholder(name) => self.placeholder(&name, span)?,
            };
            if filled.len().saturating_mul(ways.len()) > MAX_EXPANSIONS {
                let message = format!("LIMIT: the placeholders of `{raw}` have too many combinations");
                self.push(&super::EXPANSION_LIMIT, message, span, "use fewer placeholders".to_owned());
                return None;
            }
            filled =
                filled.iter().flat_map(|head| ways.iter().map(move |way| concatenated(head, way))).collect();
        }
        Some(filled)
    }

    fn placeholder(&mut self, name: &str, span: Span) -> Option<Vec<Vec<PatternPart>>> {
        let values = self.pack.manifest.placeholders.get(name).filter(|values| !values.is_empty());
        let Some(values) = values else {
            let message = format!("the pack has no values for `%{name}%`");
            let help = format!("add `{name}: [...]` under `placeholders:` in pack.yaml");
            self.push(&UNKNOWN_PLACEHOLDER, message, span, help);
            return None;
        };
        let wildcards = self.wildcards();
        let parts = |value: &String| -> Vec<PatternPart> {
            if wildcards {
                text::parts(value).into_iter().map(PatternPart::from).collect()
            } else if value.is_empty() {
                Vec::new()
            } else {
                vec![PatternPart::Text(value.clone())]
            }
        };
        Some(values.iter().map(parts).collect())
    }
}

impl From<TextPart> for PatternPart {
    fn from(part: TextPart) -> Self {
        match part {
            TextPart::Text(text) => Self::Text(text),
            TextPart::AnyRun => Self::AnyRun,
            TextPart::AnyOne => Self::AnyOne,
        }
    }
}

/// A value under `expand`, taken apart.
enum Piece {
    Text(String),
    Placeholder(String),
}

/// `%name%` are placeholders; `\%` is a percent sign, and so is one that begins none.
fn placeholders(raw: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut run = String::new();
    let mut rest = raw;
    while let Some(character) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("\\%") {
            run.push('%');
            rest = behind;
        } else if let Some((name, behind)) = placeholder_at(rest) {
            if !run.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut run)));
            }
            pieces.push(Piece::Placeholder(name.to_owned()));
            rest = behind;
        } else {
            run.push(character);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
    }
    if !run.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(run));
    }
    pieces
}

fn placeholder_at(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = text.strip_prefix('%')?.split_once('%')?;
    let named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    named.then_some((name, behind))
}

/// `head` and then `tail`; texts that come to stand side by side are one.
fn concatenated(head: &[PatternPart], tail: &[PatternPart]) -> Vec<PatternPart> {
    let mut parts = head.to_vec();
    for part in tail {
        match (parts.last_mut(), part) {
            (Some(PatternPart::Text(before)), PatternPart::Text(text)) => before.push_str(text),
            _ => parts.push(part.clone()),
        }
    }
    parts
}

/// A pattern that has to stand at `position`, as the plainest test that says it.
fn positioned(parts: Vec<PatternPart>, position: TextMatch, cased: bool) -> Test {
    match parts.as_slice() {
        [] => literal_test(Literal::Text(String::new()), position, cased),
        [PatternPart::Text(text)] => literal_test(Literal::Text(text.clone()), position, cased),
        _ => {
            let before = matches!(position, TextMatch::Contains | TextMatch::EndsWith);
            let behind = matches!(position, TextMatch::Contains | TextMatch::StartsWith);
            let mut whole: Vec<PatternPart> = before.then_some(PatternPart::AnyRun).into_iter().collect();
            whole.extend(parts);
            whole.extend(behind.then_some(PatternPart::AnyRun));
            pattern(whole, cased)
        }
    }
}

/// A pattern over the whole value: runs in a row are one, texts folded unless with case.
pub(super) fn pattern(mut parts: Vec<PatternPart>, cased: bool) -> Test {
    parts.dedup_by(|next, before| *next == PatternPart::AnyRun && *before == PatternPart::AnyRun);
    if !cased {
        for part in &mut parts {
            if let PatternPart::Text(run) = part {
                *run = text::fold(run);
            }
        }
    }
    Test::Pattern { parts, cased }
}

fn literal_test(literal: Literal, position: TextMatch, cased: bool) -> Test {
    match literal {
        Literal::Number(number) => Test::NumberIn(vec![number]),
        Literal::Boolean(truth) => Test::BooleanIn(vec![truth]),
        Literal::Text(value) => {
            let value = if cased { value } else { text::fold(&value) };
            match position {
                TextMatch::Equals => Test::TextIn { values: vec![value], cased },
                position => Test::Text { position, value, cased },
            }
        }
    }
}

/// Alternatives with all memberships of one kind joined into the first.
fn joined(alternatives: Vec<Alternatives>) -> Vec<Alternatives> {
    let mut texts: BTreeSet<String> = BTreeSet::new();
    let mut numbers: Vec<Number> = Vec::new();
    let mut booleans: BTreeSet<bool> = BTreeSet::new();
    let mut place: Option<(Span, Test)> = None;
    let mut others = Vec::new();
    for (tests, span) in alternatives {
        for test in tests {
            match &test {
                Test::TextIn { values, .. } => texts.extend(values.iter().cloned()),
                Test::NumberIn(values) => numbers.extend(values),
                Test::BooleanIn(values) => booleans.extend(values),
                _ => {
                    others.push((vec![test], span));
                    continue;
                }
            }
            place = Some(place.map_or((span, test.clone()), |(first, kind)| (first.to(span), kind)));
        }
    }
    numbers.sort_by(Number::total_cmp);
    numbers.dedup();
    let membership = place.map(|(span, kind)| {
        let test = match kind {
            Test::NumberIn(_) => Test::NumberIn(numbers),
            Test::BooleanIn(_) => Test::BooleanIn(booleans.into_iter().collect()),
            Test::TextIn { cased, .. } => Test::TextIn { values: texts.into_iter().collect(), cased },
            other => other,
        };
        (vec![test], span)
    });
    membership.into_iter().chain(others).collect()
}
