//! Addresses in networks as SQL.

use std::net::Ipv6Addr;

use super::{literal, test};
use crate::backend::sql_parts::{self, OCTET};
use crate::bridge::ir::Network;

/// Whether the text is an address inside the network; false or NULL where it is none.
pub(super) fn contains(subject: &str, network: Network) -> String {
    match network {
        Network::V4(address, length) => {
            test::finds(subject, &format!("\\A{}\\z", sql_parts::ipv4(address, length)))
        }
        Network::V6(address, length) => ipv6(subject, address, length),
    }
}

/// The address as 32 hexadecimal digits, compared as text. `CASE` spares the work where there is no colon, and the
/// one-element `transform` gives the text a name.
fn ipv6(subject: &str, address: Ipv6Addr, length: u8) -> String {
    format!(
        "CASE WHEN contains({subject}, ':') THEN transform(array({text}), s_ -> {within})[0] ELSE false END",
        text = colon_groups(subject),
        within = sql_parts::within_ipv6(&digits(), address, length),
    )
}

/// The text in lower case, a dotted tail as two groups. Only hexadecimal digits matter, which every `lower` knows.
fn colon_groups(subject: &str) -> String {
    let lower = format!("lower({subject})");
    let tail = format!("substring_index({lower}, ':', -1)");
    let octet = |n: u8| format!("try_cast(split_part({tail}, '.', {n}) AS INT)");
    let dotted = test::finds(&lower, &format!("\\A[0-9a-f:]*:{OCTET}(?:\\.{OCTET}){{3}}\\z"));
    let head = format!("regexp_extract({lower}, {}, 0)", literal::text("\\A.*:"));
    format!(
        "CASE WHEN {dotted} THEN {head} || lower(hex({} * 256 + {})) || ':' || lower(hex({} * 256 + {})) \
         ELSE {lower} END",
        octet(1),
        octet(2),
        octet(3),
        octet(4),
    )
}

/// The 32 digits of the address `s_`; NULL where it is none.
fn digits() -> String {
    let full = literal::text("\\A(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\\z");
    let groups_of = "(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?";
    let short = literal::text(&format!("\\A{groups_of}::{groups_of}\\z"));
    let all = groups("s_");
    let (head, tail) = (groups("split_part(s_, '::', 1)"), groups("split_part(s_, '::', 2)"));
    format!(
        "CASE WHEN s_ RLIKE {full} THEN array_join({all}, '') \
         WHEN s_ RLIKE {short} AND size({all}) <= 7 THEN \
         rpad(array_join({head}, ''), 32 - 4 * size({tail}), '0') || array_join({tail}, '') END"
    )
}

/// The groups of `text`, each four digits.
fn groups(text: &str) -> String {
    format!("transform(filter(split({text}, ':'), p_ -> p_ <> ''), p_ -> lpad(p_, 4, '0'))")
}
