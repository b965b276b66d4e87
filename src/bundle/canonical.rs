//! Canonical JSON (RFC 8785) and SHA-256: what every hash of a pack and of a bundle is made over.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

/// The greatest whole number that canonical JSON can tell from its neighbours.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// `document` as a value with sorted keys, in which whole numbers beyond 53 bits are decimal text: canonical JSON has
/// no other way to keep them (RFC 8785, appendix D).
pub(super) fn value(document: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::to_value(document).map(exact)
}

fn exact(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(entries.into_iter().map(|(key, value)| (key, exact(value))).collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(exact).collect()),
        Value::Number(number) if !is_safe(&number) => Value::String(number.to_string()),
        scalar => scalar,
    }
}

/// Whether no whole number of a document is beyond 53 bits.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_exact),
        Value::Array(values) => values.iter().all(is_exact),
        Value::Number(number) => is_safe(number),
        _ => true,
    }
}

fn is_safe(number: &Number) -> bool {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => number <= MAX_SAFE,
        (None, Some(number)) => number.unsigned_abs() <= MAX_SAFE,
        (None, None) => true,
    }
}

/// A whole number as JSON, exact whatever its size.
pub(super) fn integer(number: i128) -> Value {
    match i64::try_from(number) {
        Ok(small) if small.unsigned_abs() <= MAX_SAFE => Value::from(small),
        _ => Value::String(number.to_string()),
    }
}

/// `document` in the one form that RFC 8785 gives it, whole numbers as in [`value`].
pub(crate) fn bytes(document: &Value) -> Vec<u8> {
    let document = match is_exact(document) {
        true => Cow::Borrowed(document),
        false => Cow::Owned(exact(document.clone())),
    };
    // A `Value` holds nothing that JSON cannot say, so that the second form is never needed.
    serde_json_canonicalizer::to_vec(&document).unwrap_or_else(|_| document.to_string().into_bytes())
}

/// The SHA-256 of that form, in lower-case hexadecimal.
pub(crate) fn hash(document: &Value) -> String {
    sha256(&bytes(document))
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(super) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn canonical(json: &str) -> String {
        let value: Value = serde_json::from_str(json).unwrap();
        String::from_utf8(bytes(&value)).unwrap()
    }

    /// RFC 8785, 3.2.2 to 3.2.4.
    #[test]
    fn the_example_of_the_rfc_is_written_as_there() {
        let given = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let expected = "{\"literals\":[null,true,false],\
            \"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
            \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(canonical(given), expected);
    }

    /// RFC 8785, 3.2.3: by UTF-16 code units, where UTF-8 would have the emoji last.
    #[test]
    fn keys_are_sorted_as_in_the_rfc() {
        let given =
            r#"{"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7}"#;
        let written = canonical(given);
        let order: Vec<char> = written.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(order.into_iter().collect::<String>(), "2146715".to_owned() + "3", "{written}");
    }

    /// RFC 8785, appendix B.
    #[test]
    fn numbers_are_written_as_in_the_rfc() {
        for (bits, expected) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        ] {
            let written = bytes(&Value::from(f64::from_bits(bits)));
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }

    #[test]
    fn whole_numbers_that_would_be_rounded_are_text() {
        assert_eq!(
            canonical("[9007199254740991, -9007199254740991]"),
            "[9007199254740991,-9007199254740991]"
        );
        assert_eq!(
            canonical("[9007199254740992, -9007199254740992, 18446744073709551615]"),
            r#"["9007199254740992","-9007199254740992","18446744073709551615"]"#
        );
        assert_eq!(integer(-9_007_199_254_740_992), Value::from("-9007199254740992"));
        assert_eq!(integer(5), Value::from(5));
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
        assert_eq!(hash(&Value::Array(vec![])), sha256(b"[]"));
    }
}
