//! Addresses in networks as SQL, without the `inet` extension, which the session could not load.

use std::net::Ipv6Addr;

use super::{literal, scalar};
use crate::backend::layout::{Layout, origin};
use crate::backend::sql_parts::{self, OCTET};
use crate::bridge::ir::{Expr, FieldExpr, Network, Test};
use crate::pack::Column;
use crate::sigma::Span;

/// Whether the text is an address inside the network; false or NULL where it is none.
pub(super) fn contains(subject: &str, network: Network) -> String {
    match network {
        Network::V4(address, length) => {
            format!("regexp_full_match({subject}, {})", literal::text(&sql_parts::ipv4(address, length)))
        }
        Network::V6(address, length) => ipv6(subject, address, length),
    }
}

/// The address as 32 hexadecimal digits, compared as text. `CASE` spares the work where there is no colon, and
/// the one-element `list_transform` gives the text a name.
fn ipv6(subject: &str, address: Ipv6Addr, length: u8) -> String {
    format!(
        "CASE WHEN contains({subject}, ':') THEN list_transform([{text}], lambda s: {within})[1] ELSE false END",
        text = colon_groups(subject),
        within = sql_parts::within_ipv6(&digits(), address, length),
    )
}

/// Writes the tests that `parts`, of which any has to hold, begin with, as far as all look for the address of one column
/// in IPv6 networks; how many, where they are several. To write out an address takes a long expression, which DuckDB
/// would plan and compute for each of them.
pub(super) fn alike(body: &mut Layout, parts: &[Expr], prefix: &str, depth: usize) -> usize {
    let networks: Vec<_> = parts.iter().map_while(in_network).collect();
    let Some((column, ..)) = networks.first() else { return 0 };
    let alike: Vec<_> = networks.iter().take_while(|(other, ..)| other == column).collect();
    if alike.len() < 2 {
        return 0;
    }
    let subject = scalar::identifier(column.path.as_str());
    let before = format!(
        "{prefix}coalesce(CASE WHEN contains({subject}, ':') THEN \
         list_transform(list_transform([{text}], lambda s: {digits}), lambda d:",
        text = colon_groups(&subject),
        digits = digits(),
    );
    body.line(depth, before, None);
    for (index, (_, address, length, span)) in alike.iter().enumerate() {
        let or = if index == 0 { "" } else { "OR " };
        let within = sql_parts::within_ipv6("d", *address, *length);
        body.line(depth + 1, format!("{or}{within}"), origin(*span));
    }
    body.line(depth, ")[1] ELSE false END, false)", None);
    alike.len()
}

fn in_network(part: &Expr) -> Option<(&Column, Ipv6Addr, u8, Span)> {
    let Expr::Predicate(predicate) = part else { return None };
    match (&*predicate.source, &predicate.test) {
        (FieldExpr::Column(column), Test::Network(Network::V6(address, length))) if !column.list => {
            Some((column, *address, *length, predicate.span))
        }
        _ => None,
    }
}

/// The text in lower case, a dotted tail as two groups.
fn colon_groups(subject: &str) -> String {
    let lower = format!("lower({subject})");
    let tail = format!("regexp_extract({lower}, '[^:]*$')");
    let octet = |n: u8| format!("TRY_CAST(split_part({tail}, '.', {n}) AS INTEGER)");
    let dotted = literal::text(&format!("[0-9a-f:]*:{OCTET}(?:\\.{OCTET}){{3}}"));
    format!(
        "CASE WHEN regexp_full_match({lower}, {dotted}) THEN regexp_extract({lower}, '^.*:') || \
         printf('%x:%x', {} * 256 + {}, {} * 256 + {}) ELSE {lower} END",
        octet(1),
        octet(2),
        octet(3),
        octet(4),
    )
}

/// The 32 digits of the address `s`; NULL where it is none.
fn digits() -> String {
    let full = "(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}";
    let short = "(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?";
    let (all, head, tail) = (groups("s"), groups("split_part(s, '::', 1)"), groups("split_part(s, '::', 2)"));
    format!(
        "CASE WHEN regexp_full_match(s, '{full}') THEN array_to_string({all}, '') \
         WHEN regexp_full_match(s, '{short}') AND len({all}) <= 7 THEN \
         rpad(array_to_string({head}, ''), CAST(32 - 4 * len({tail}) AS INTEGER), '0') || \
         array_to_string({tail}, '') END"
    )
}

/// The groups of `text`, each four digits.
fn groups(text: &str) -> String {
    format!(
        "list_transform(list_filter(string_split({text}, ':'), lambda p: p <> ''), lambda p: lpad(p, 4, '0'))"
    )
}
