//! Texts that are hard to compare, and to quote.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Letters of one or several cases, the special characters of Sigma, LIKE, RE2 and SQL, and characters that a
/// screen does not show.
const ALPHABET: [&str; 44] = [
    "a", "A", "b", "k", "K", "\u{212a}", "i", "I", "İ", "ı", "Σ", "σ", "ς", "ß", "ẞ", "ſ", "s", "é", "É",
    "e\u{301}", "%", "_", "\\", "$", "'", "\"", "*", "?", "-", "/", "–", "—", "―", ".", " ", "\n", "\r",
    "\t", "0", "1", "💥", "\u{202e}", "(", "[",
];

pub fn text() -> impl Strategy<Value = String> {
    let few = vec(select(vec!["a", "A", "%", "k", "\u{212a}", "-"]), 0..4);
    let many = vec(select(ALPHABET.to_vec()), 0..6);
    // Near the lengths that the counted ones of the regular expressions ask for.
    let letter = select(vec!["a", "k", "\u{212a}"]);
    let long = (letter, 32_usize..67, select(vec!["", "\n"]), 0_usize..40).prop_map(
        |(letter, count, end, further)| [&letter.repeat(count), end, &letter.repeat(further)].concat(),
    );
    let (few, many) = (few.prop_map(|parts| parts.concat()), many.prop_map(|parts| parts.concat()));
    prop_oneof![4 => few, 4 => many, 4 => address(), 1 => long]
}

/// Addresses, near the bounds of [`networks`], and texts that look like ones.
pub fn address() -> impl Strategy<Value = String> {
    let v4 = prop_oneof![
        select(vec![0_u32, 0x0a00_0000, 0x0aff_ffff, 0x0b00_0000, 0xac10_0000, 0xac1f_ffff, 0xac20_0000]),
        any::<u32>()
    ]
    .prop_map(|bits| Ipv4Addr::from(bits).to_string());
    let v6 = (select(vec![0_u128, 1, 0xfe80 << 112, (0xfec0 << 112) - 1, 0xffff_0a00_0001]), any::<u16>())
        .prop_map(|(bits, more)| Ipv6Addr::from(bits ^ u128::from(more & 3)).to_string());
    let odd = select(vec![
        "010.0.0.1",
        "10.0.0.1:80",
        "10.0.0",
        "10.0.0.1\n",
        " 10.0.0.1",
        "10.0.0.256",
        "0.0.0.0",
        "[::1]",
        "fe80::1%eth0",
        "FE80::ABCD",
        "::ffff:10.1.2.3",
        "::10.1.2.3",
        "1:2:3:4:5:6:7::",
        "1::2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7",
        "::",
        ":::",
        "::1::",
        "12345::",
        "0:0:0:0:0:ffff:10.0.0.1",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3.04",
        "fe80:0000::0001",
        ":",
        "1:",
        ":1:2:3:4:5:6:7:8",
        "::1:2:3:4:5:6:7",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6::1.2.3.4",
        "1.2.3.4::",
        "::1.2.3.4:5",
    ])
    .prop_map(str::to_owned);
    prop_oneof![v4, v6, odd]
}

pub fn networks() -> impl Strategy<Value = String> {
    let fixed = ["10.0.0.0/8", "172.16.0.0/12", "0.0.0.0/0", "10.0.0.1/32", "128.0.0.0/1", "fe80::/10"];
    let more = ["::1/128", "::/0", "::ffff:0:0/96", "fe80::/64", "8000::/1", "10.255.255.254/31"];
    select([fixed, more].concat()).prop_map(str::to_owned)
}

/// Whole numbers near what the types can hold.
pub fn integer() -> impl Strategy<Value = i64> {
    let edges = vec![
        0,
        1,
        -1,
        2,
        5,
        59,
        1_709_208_305_006,
        9_007_199_254_740_991,
        9_007_199_254_740_992,
        9_007_199_254_740_993,
        i64::MAX,
        i64::MAX - 1,
        i64::MIN,
        -62_135_596_800_001,
        9_223_372_036_854_776,
    ];
    prop_oneof![3 => select(edges), 1 => -3_i64..70, 1 => any::<i64>()]
}

pub fn float() -> impl Strategy<Value = f64> {
    let edges = vec![
        0.0,
        -0.0,
        1.0,
        1.5,
        -1.0,
        0.1,
        9_007_199_254_740_992.0,
        9_007_199_254_740_994.0,
        9.223_372_036_854_776e18,
        1e16,
        1e-5,
        1e300,
        5e-324,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    prop_oneof![3 => select(edges), 1 => any::<f64>()]
}
