//! Addresses in networks as SQL.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{literal, test};
use crate::bridge::ir::Network;

/// A decimal octet without leading zeros.
const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

/// Whether the text is an address inside the network; false or NULL where it is none.
pub(super) fn contains(subject: &str, network: Network) -> String {
    match network {
        Network::V4(address, length) => test::finds(subject, &format!("\\A{}\\z", ipv4(address, length))),
        Network::V6(address, length) => ipv6(subject, address, length),
    }
}

/// A network is a product of octet ranges, of which at most one is partial: one anchored pattern.
fn ipv4(address: Ipv4Addr, length: u8) -> String {
    let octets: Vec<String> = address
        .octets()
        .into_iter()
        .zip([0_u8, 8, 16, 24])
        .map(|(octet, before)| octet_pattern(octet, length.saturating_sub(before).min(8)))
        .collect();
    octets.join("\\.")
}

/// An octet of which the first `bits` bits are fixed.
fn octet_pattern(octet: u8, bits: u8) -> String {
    match bits {
        8 => octet.to_string(),
        0 => OCTET.to_owned(),
        bits => {
            let last = octet | (0xff >> bits);
            let values: Vec<String> = (octet..=last).map(|value| value.to_string()).collect();
            format!("(?:{})", values.join("|"))
        }
    }
}

/// The address as 32 hexadecimal digits, compared as text. `CASE` spares the work where there is no colon, and the
/// one-element `transform` gives the text a name.
fn ipv6(subject: &str, address: Ipv6Addr, length: u8) -> String {
    let first = u128::from(address);
    let host = u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
    let last = first | host;
    format!(
        "CASE WHEN contains({subject}, ':') THEN transform(array({text}), s_ -> {digits} \
         BETWEEN '{first:032x}' AND '{last:032x}')[0] ELSE false END",
        text = colon_groups(subject),
        digits = digits(),
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
