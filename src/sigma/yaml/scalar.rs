//! What a scalar means: the core schema of YAML 1.2, and the tags that override it.

use std::borrow::Cow;

use super::NodeKind;

/// The namespace of YAML's own tags.
const CORE: &str = "tag:yaml.org,2002:";

/// A plain scalar without a tag, by the core schema.
pub(super) fn plain(text: Cow<'_, str>) -> NodeKind {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Null,
        "true" | "True" | "TRUE" => NodeKind::Boolean(true),
        "false" | "False" | "FALSE" => NodeKind::Boolean(false),
        written => {
            let number = begins_number(written).then(|| integer(written).or_else(|| float(written)));
            number.flatten().unwrap_or_else(|| NodeKind::String(text.into_owned()))
        }
    }
}

/// Whether text may be a number: each begins with one of these.
fn begins_number(text: &str) -> bool {
    text.starts_with(|c: char| matches!(c, '0'..='9' | '+' | '-' | '.'))
}

/// A scalar with a tag; `Err` names what the tag does not take, or that nobody knows it.
pub(super) fn tagged(tag: &str, text: &str) -> Result<NodeKind, String> {
    let core = tag.strip_prefix(CORE);
    let value = match core {
        _ if tag == "!" => Some(NodeKind::String(text.to_owned())),
        Some("str") => Some(NodeKind::String(text.to_owned())),
        Some("null") => Some(plain(text.into())).filter(|kind| *kind == NodeKind::Null),
        Some("bool") => Some(plain(text.into())).filter(|kind| matches!(kind, NodeKind::Boolean(_))),
        Some("int") => integer(text).filter(|kind| matches!(kind, NodeKind::Integer(_))),
        Some("float") => match integer(text) {
            Some(NodeKind::Integer(value)) => Some(NodeKind::Float(value as f64)),
            other => other.or_else(|| float(text)),
        },
        _ => return Err(format!("the tag `{}` is not one that a scalar can have here", shown(tag))),
    };
    value.ok_or_else(|| format!("`{text}` is not what its tag `{}` says", shown(tag)))
}

/// Whether a list (`seq`) or a map (`map`) may have the tag.
pub(super) fn collection_takes(tag: &str, core: &str) -> bool {
    tag == "!" || tag.strip_prefix(CORE) == Some(core)
}

/// A tag as rules write it.
pub(super) fn shown(tag: &str) -> String {
    match tag.strip_prefix(CORE) {
        Some(core) => format!("!!{core}"),
        None => tag.to_owned(),
    }
}

/// A whole number as `serde_yaml` holds it.
pub(super) fn number(value: i128) -> serde_yaml::Number {
    if let Ok(value) = i64::try_from(value) {
        value.into()
    } else if let Ok(value) = u64::try_from(value) {
        value.into()
    } else {
        (value as f64).into()
    }
}

/// `[-+]?[0-9]+`, `0o[0-7]+`, `0x[0-9a-fA-F]+`. A float where 128 bits do not hold it.
fn integer(text: &str) -> Option<NodeKind> {
    let (digits, radix) = if let Some(hex) = text.strip_prefix("0x") {
        (hex, 16)
    } else if let Some(octal) = text.strip_prefix("0o") {
        (octal, 8)
    } else {
        (text.strip_prefix(['-', '+']).unwrap_or(text), 10)
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = if radix == 10 { text } else { digits };
    match i128::from_str_radix(number, radix) {
        Ok(value) => Some(NodeKind::Integer(value)),
        Err(_) if radix == 10 => text.parse().ok().map(NodeKind::Float),
        Err(_) => {
            let value = digits.chars().filter_map(|c| c.to_digit(radix));
            Some(NodeKind::Float(value.fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit))))
        }
    }
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, the infinities and not-a-number.
fn float(text: &str) -> Option<NodeKind> {
    let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(NodeKind::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(NodeKind::Float(f64::NAN)),
        _ => {}
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_ok = (digits(whole) && (fraction.is_empty() || digits(fraction)))
        || (whole.is_empty() && mantissa.starts_with('.') && digits(fraction));
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    if mantissa_ok && exponent_ok { text.parse().ok().map(NodeKind::Float) } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn text_that_other_yaml_versions_take_for_something_else() {
        for text in
            ["yes", "no", "on", "off", "y", "2024-01-31", "12:30", "1_000", "0b1", "-0x1F", "1e", ".", "+"]
        {
            assert_eq!(plain(text.into()), NodeKind::String(text.into()), "{text}");
        }
    }

    #[test]
    fn numbers_of_the_core_schema() {
        let integers = [("0", 0), ("-7", -7), ("+7", 7), ("012", 12), ("0x1F", 31), ("0o17", 15)];
        for (text, value) in integers {
            assert_eq!(plain(text.into()), NodeKind::Integer(value), "{text}");
        }
        assert_eq!(plain("18446744073709551615".into()), NodeKind::Integer(i128::from(u64::MAX)));
        for (text, value) in
            [("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("-1e3", -1000.0), ("+.inf", f64::INFINITY)]
        {
            assert_eq!(plain(text.into()), NodeKind::Float(value), "{text}");
        }
        assert!(matches!(plain(".nan".into()), NodeKind::Float(value) if value.is_nan()));
        assert!(matches!(plain("9".repeat(60).into()), NodeKind::Float(_)));
        assert!(matches!(plain(format!("0x{}", "f".repeat(60)).into()), NodeKind::Float(_)));
    }

    #[test]
    fn null_and_booleans() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(plain(text.into()), NodeKind::Null);
        }
        assert_eq!(plain("True".into()), NodeKind::Boolean(true));
        assert_eq!(plain("FALSE".into()), NodeKind::Boolean(false));
        assert_eq!(plain("tRUE".into()), NodeKind::String("tRUE".into()));
    }

    #[test]
    fn tags_override_the_schema() {
        let core = |name: &str| format!("{CORE}{name}");
        assert_eq!(tagged(&core("str"), "5").unwrap(), NodeKind::String("5".into()));
        assert_eq!(tagged("!", "5").unwrap(), NodeKind::String("5".into()));
        assert_eq!(tagged(&core("int"), "5").unwrap(), NodeKind::Integer(5));
        assert_eq!(tagged(&core("float"), "5").unwrap(), NodeKind::Float(5.0));
        assert!(tagged(&core("int"), "five").unwrap_err().contains("!!int"));
        assert!(tagged("!python/object", "x").unwrap_err().contains("!python/object"));
    }
}
