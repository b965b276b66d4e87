//! Addresses in networks as SQL, without the `inet` extension, which the session could not load.

use std::net::Ipv6Addr;

use super::literal;
use crate::backend::sql_parts::{self, OCTET};
use crate::bridge::ir::Network;

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
