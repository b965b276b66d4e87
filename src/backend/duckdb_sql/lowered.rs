//! Texts that predicates put in lower case more than once, named, so that DuckDB does it once an event.
//!
//! DuckDB computes once what expressions have in common, but not within AND, OR and CASE, of which parts may be left out.
//! Searches of a long text take it less time than putting the text in lower case anew for each.

use std::collections::BTreeMap;

use super::RELATION;

const CALL: &str = "lower(";

/// Predicates over [`Lowered::source`], and what there is to be named for them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lowered {
    /// In the order given.
    pub(crate) predicates: Vec<String>,
    /// By expression: its name.
    named: BTreeMap<String, String>,
}

impl Lowered {
    /// The same predicates, with what they have in common by name. They are of this backend's writing.
    pub(crate) fn of(predicates: &[&str]) -> Self {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for predicate in predicates {
            visit(predicate, &mut |_, argument| *times.entry(argument).or_default() += 1);
        }
        let several = times.into_iter().filter(|(_, times)| *times > 1).zip(0..);
        let named: BTreeMap<String, String> = several
            .map(|((argument, _), at)| (argument.to_owned(), format!("\"sigma_ocsf_tui.lowered{at}\"")))
            .collect();
        Self { predicates: predicates.iter().map(|predicate| with_names(predicate, &named)).collect(), named }
    }

    /// What the predicates are asked of: the events of a scope, which is SQL.
    pub(crate) fn source(&self, scope: &str) -> String {
        let named: String =
            self.named.iter().map(|(text, name)| format!(", {CALL}{text}) AS {name}")).collect();
        match named.is_empty() {
            true => format!("{RELATION}\nWHERE {scope}"),
            false => format!("(SELECT *{named}\nFROM {RELATION}\nWHERE {scope})"),
        }
    }
}

fn with_names(predicate: &str, named: &BTreeMap<String, String>) -> String {
    let mut text = String::with_capacity(predicate.len());
    let mut done = 0;
    visit(predicate, &mut |at, argument| {
        if let Some(name) = named.get(argument) {
            text.push_str(predicate.get(done..at).unwrap_or_default());
            text.push_str(name);
            done = at + CALL.len() + argument.len() + 1;
        }
    });
    text.push_str(predicate.get(done..).unwrap_or_default());
    text
}

/// Calls `found` with the place and the argument of each call whose argument is an expression over columns.
fn visit<'p>(predicate: &'p str, found: &mut dyn FnMut(usize, &'p str)) {
    let mut at = 0;
    while at < predicate.len() {
        match called(predicate, at) {
            Some(argument) if is_of_columns(argument) => {
                found(at, argument);
                at += CALL.len() + argument.len() + 1;
            }
            _ => at = token_end(predicate, at),
        }
    }
}

/// The argument of the call that begins here.
fn called(predicate: &str, at: usize) -> Option<&str> {
    let from = predicate.get(at..)?.strip_prefix(CALL)?;
    let (mut depth, mut end) = (0_usize, 0);
    loop {
        match from.as_bytes().get(end)? {
            b'(' => depth += 1,
            b')' if depth == 0 => return from.get(..end),
            b')' => depth -= 1,
            _ => {}
        }
        end = token_end(from, end);
    }
}

/// Whether all that an expression names are columns, which are quoted, and functions.
fn is_of_columns(expression: &str) -> bool {
    let (mut at, mut columns) = (0, 0);
    while let Some(first) = expression.as_bytes().get(at) {
        let end = token_end(expression, at);
        match first {
            b'"' => columns += 1,
            first if is_word(*first) && expression.as_bytes().get(end) != Some(&b'(') => return false,
            _ => {}
        }
        at = end;
    }
    columns > 0
}

/// Where the token that begins here ends: a quoted text or name, a comment, a word, or a single byte.
fn token_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let until = |closing: u8, from: usize| {
        let found = rest.iter().skip(from).position(|byte| *byte == closing);
        found.map_or(rest.len(), |found| from + found + 1)
    };
    at + match rest {
        // A quote within is doubled, which makes another quoted text of what follows it.
        [quote @ (b'\'' | b'"'), ..] => until(*quote, 1),
        [b'-', b'-', ..] => until(b'\n', 2),
        [first, ..] if is_word(*first) => rest.iter().take_while(|byte| is_word(**byte)).count(),
        _ => 1,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(predicates: &[&str]) -> (String, String) {
        let lowered = Lowered::of(predicates);
        (lowered.predicates.join("\n"), lowered.source("s"))
    }

    #[test]
    fn what_is_there_twice_has_a_name() {
        let (predicate, source) =
            of(&[r#"contains(lower("a.b"), 'x') OR lower("a.b") = 'y' AND lower("c") = 'z'"#]);
        assert_eq!(
            predicate,
            r#"contains("sigma_ocsf_tui.lowered0", 'x') OR "sigma_ocsf_tui.lowered0" = 'y' AND lower("c") = 'z'"#
        );
        assert_eq!(
            source,
            "(SELECT *, lower(\"a.b\") AS \"sigma_ocsf_tui.lowered0\"\nFROM ocsf_events\nWHERE s)"
        );
        let (predicate, _) =
            of(&[r#"lower(("a" || ')\' || "b")) = 'x'"#, r#"ends_with(lower(("a" || ')\' || "b")), 'y')"#]);
        assert_eq!(
            predicate,
            "\"sigma_ocsf_tui.lowered0\" = 'x'\nends_with(\"sigma_ocsf_tui.lowered0\", 'y')"
        );
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for predicate in [
            r#"lower("a") = 'x' AND "b" = 'y'"#,
            r#"lower("a") = 'lower("a")' AND "b" = 'it''s lower("a")'"#,
            "-- lower(\"a\") lower(\"a\")\nlower(\"a\") = 'x'",
            r#"len(list_filter("l", lambda x: lower(x) = 'a' OR lower(x) = 'b')) > 0"#,
            r#""lower(" = 'x' OR "lower(" = 'y' OR lower("#,
            r#"my_lower("a") = 'x' OR my_lower("a") = 'y'"#,
            r#"lower('A') = 'a' OR lower('A') = 'b'"#,
            r#"lower(CAST("a" AS VARCHAR)) = 'a' OR lower(CAST("a" AS VARCHAR)) = 'b'"#,
            "'ſ' = lower(\"ſ\"",
        ] {
            assert_eq!(of(&[predicate]), (predicate.to_owned(), "ocsf_events\nWHERE s".to_owned()));
        }
    }
}
