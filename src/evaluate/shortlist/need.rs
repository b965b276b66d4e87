//! What an event must hold for a rule to match it, read off the rule's middle form: texts that have to stand in its
//! columns. Necessary, never sufficient: what is not understood asks for nothing.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::formula::{AtomId, Need, all, any};
use super::regex;
use crate::backend::duckdb_sql::pieces;
use crate::bridge::ir::{Expr, FieldExpr, Network, Number, PatternPart, Test};
use crate::ocsf::FieldType;
use crate::pack::{Column, Computed};
use crate::sigma::{TextMatch, text};
use crate::store::Schema;
use crate::store::sql_text::identifier;

/// The literals that are sought, by where.
#[derive(Debug)]
pub(super) struct Sought<'s> {
    schema: &'s Schema,
    /// By the SQL of the text, or of the LIST of texts, that they are sought in.
    pub(super) places: BTreeMap<String, SoughtIn>,
    /// The length of each atom's literal, in bytes.
    pub(super) lengths: Vec<usize>,
}

/// The literals that are sought in one place, coarsely folded; none is empty.
#[derive(Debug, Default)]
pub(crate) struct SoughtIn {
    pub(crate) literals: BTreeMap<String, Vec<(TextMatch, AtomId)>>,
}

impl<'s> Sought<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        Self { schema, places: BTreeMap::new(), lengths: Vec::new() }
    }

    /// What an event must hold for `expr` to hold of it.
    pub(super) fn need(&mut self, expr: &Expr) -> Need {
        match expr {
            Expr::And(parts) => all(parts.iter().map(|part| self.need(part))),
            Expr::Or(parts) => any(parts.iter().map(|part| self.need(part))),
            Expr::Not(part) => self.denied(part),
            Expr::Selection { body, .. } => self.need(body),
            Expr::Predicate(predicate) => self.field(&predicate.source, &predicate.test),
        }
    }

    /// What an event must hold for `expr` not to hold of it.
    fn denied(&mut self, expr: &Expr) -> Need {
        match expr {
            Expr::And(parts) => any(parts.iter().map(|part| self.denied(part))),
            Expr::Or(parts) => all(parts.iter().map(|part| self.denied(part))),
            Expr::Not(part) => self.need(part),
            Expr::Selection { body, .. } => self.denied(body),
            Expr::Predicate(predicate) => self.denied_of(&predicate.source, &predicate.test),
        }
    }

    /// Only of what a literal that is there decides: text without case that equals, begins with, ends in or holds
    /// ASCII. Any value of a LIST, and of several places, decides.
    fn denied_of(&mut self, source: &FieldExpr, test: &Test) -> Need {
        let column = match source {
            FieldExpr::Column(column) => column,
            FieldExpr::AnyOf(sources) => {
                return all(sources.iter().map(|source| self.denied_of(source, test)));
            }
            FieldExpr::Computed(_) | FieldExpr::PerClass(_) => return Need::Nothing,
        };
        let stored = self.schema.column(&column.path).and_then(|stored| stored.field_type);
        if column.field_type != FieldType::String || stored != Some(FieldType::String) {
            return Need::Nothing;
        }
        let name = identifier(column.path.as_str());
        let mut without = |position, literal: &str| match literal.is_ascii() {
            true => match self.atom(&name, position, literal) {
                Need::Atom(atom) => Need::Without(atom),
                _ => Need::Nothing,
            },
            false => Need::Nothing,
        };
        match test {
            Test::TextIn { values, cased: false } => {
                all(values.iter().map(|value| without(TextMatch::Equals, value)))
            }
            Test::Text { position, value, cased: false } => without(*position, value),
            _ => Need::Nothing,
        }
    }

    fn field(&mut self, source: &FieldExpr, test: &Test) -> Need {
        match source {
            // It holds where nothing is there.
            _ if *test == Test::Missing => Need::Nothing,
            FieldExpr::Column(column) => self.column(column, test),
            FieldExpr::Computed(computed) => self.computed(computed, test),
            FieldExpr::AnyOf(sources) => any(sources.iter().map(|source| self.field(source, test))),
            FieldExpr::PerClass(sources) => any(sources.iter().map(|(_, source)| self.field(source, test))),
        }
    }

    fn column(&mut self, column: &Column, test: &Test) -> Need {
        let Some(stored) = self.schema.column(&column.path) else {
            // Every event has an id, also where no column holds it.
            let is_id = column.path.as_str().eq_ignore_ascii_case("metadata.event_id");
            return if is_id { Need::Nothing } else { Need::Impossible };
        };
        let name = identifier(column.path.as_str());
        match (column.field_type, stored.field_type) {
            (FieldType::String, Some(FieldType::String)) => self.text(&name, test),
            (FieldType::Integer, Some(FieldType::Integer))
            | (FieldType::Boolean, Some(FieldType::Boolean)) => {
                let list = if column.list { "[]" } else { "" };
                self.written(&format!("CAST({name} AS VARCHAR{list})"), test)
            }
            _ => Need::Nothing,
        }
    }

    fn computed(&mut self, computed: &Computed, test: &Test) -> Need {
        match computed.field_type {
            FieldType::String => self.text(&pieces::computed(computed), test),
            _ => Need::Nothing,
        }
    }

    /// Whole numbers and booleans, which are equal where they are written alike.
    fn written(&mut self, place: &str, test: &Test) -> Need {
        let mut equal = |value: String| self.atom(place, TextMatch::Equals, &value);
        match test {
            Test::NumberIn(values) => any(values.iter().map(|value| match value {
                Number::Integer(number) => equal(number.to_string()),
                Number::Float(_) => Need::Nothing,
            })),
            Test::BooleanIn(values) => any(values.iter().map(|value| equal(value.to_string()))),
            _ => Need::Nothing,
        }
    }

    fn text(&mut self, place: &str, test: &Test) -> Need {
        text_need(test, &mut |position, literal| self.atom(place, position, literal))
    }

    fn atom(&mut self, place: &str, position: TextMatch, literal: &str) -> Need {
        if literal.is_empty() {
            return Need::Nothing;
        }
        let sought = self.places.entry(place.to_owned()).or_default();
        let positions = sought.literals.entry(coarse(literal)).or_default();
        let known = positions.iter().find(|(at, _)| *at == position);
        let atom = known.map_or(AtomId(self.lengths.len()), |(_, atom)| *atom);
        if known.is_none() {
            positions.push((position, atom));
            self.lengths.push(literal.len());
        }
        Need::Atom(atom)
    }
}

/// What a text must hold for `test` to hold of it; `atom` makes the need of one literal.
pub(crate) fn text_need(test: &Test, atom: &mut dyn FnMut(TextMatch, &str) -> Need) -> Need {
    match test {
        Test::TextIn { values, .. } => any(values.iter().map(|value| atom(TextMatch::Equals, value))),
        Test::Text { position, value, .. } => atom(*position, value),
        Test::Pattern { parts, .. } => all(pattern(parts).map(|(position, text)| atom(position, text))),
        Test::Regex(regex) => regex::need(regex, &mut |text| atom(TextMatch::Contains, text)),
        Test::Network(Network::V4(address, length)) => {
            atom(TextMatch::StartsWith, &fixed_octets(*address, *length))
        }
        Test::Network(Network::V6(..)) => atom(TextMatch::Contains, ":"),
        _ => Need::Nothing,
    }
}

/// What every address of a network begins with: the octets that its length covers, in decimal.
fn fixed_octets(address: Ipv4Addr, length: u8) -> String {
    let octets = address.octets().into_iter().take(usize::from(length / 8)).enumerate();
    octets.map(|(at, octet)| if at < 3 { format!("{octet}.") } else { octet.to_string() }).collect()
}

/// The texts of a shape, each with the place where it has to stand.
fn pattern(parts: &[PatternPart]) -> impl Iterator<Item = (TextMatch, &str)> {
    let last = parts.len().saturating_sub(1);
    parts.iter().enumerate().filter_map(move |(at, part)| match part {
        PatternPart::Text(text) => {
            let position = match (at == 0, at == last) {
                (true, true) => TextMatch::Equals,
                (true, false) => TextMatch::StartsWith,
                (false, true) => TextMatch::EndsWith,
                (false, false) => TextMatch::Contains,
            };
            Some((position, text.as_str()))
        }
        _ => None,
    })
}

/// Text without case, coarser than DuckDB's `lower`, so that also texts fall together that a regular expression
/// without case takes for one: `ſ` is an `s`. What stands in a text stands in it folded, too.
pub(crate) fn coarse(value: &str) -> String {
    let mut folded = String::with_capacity(value.len());
    coarse_into(value, &mut folded);
    folded
}

/// [`coarse`] into a buffer, which it replaces.
pub(super) fn coarse_into(value: &str, folded: &mut String) {
    folded.clear();
    if value.is_ascii() {
        folded.push_str(value);
        folded.make_ascii_lowercase();
    } else {
        folded.extend(text::fold(value).chars().map(|c| if c == 'ſ' { 's' } else { c }));
    }
}
