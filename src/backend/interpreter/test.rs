//! One test of one value.

use super::regex::Regexes;
use super::{Event, Value, calendar, of_class, scalar, shape, value};
use crate::bridge::ir::{FieldExpr, Network, Test};
use crate::sigma::{Comparison, TextMatch, text};

/// Whether a value that is there passes; false where it is of another type than the test is about.
pub(super) fn passes(value: &Value, test: &Test, event: &Event, regexes: &Regexes) -> bool {
    match test {
        Test::Exists => true,
        Test::Missing => false,
        Test::NumberIn(_) | Test::Compare(..) | Test::OtherNumber(_) | Test::TimePart { .. } => {
            number_passes(value, test, event)
        }
        Test::BooleanIn(values) => matches!(value, Value::Boolean(truth) if values.contains(truth)),
        text => value.text().is_some_and(|value| text_passes(value, text, event, regexes)),
    }
}

fn text_passes(value: &str, test: &Test, event: &Event, regexes: &Regexes) -> bool {
    match test {
        Test::TextIn { values, cased } => values.contains(&with_case(value, *cased)),
        Test::Text { position, value: sought, cased } => stands(&with_case(value, *cased), *position, sought),
        Test::Pattern { parts, cased } => shape::covers(parts, &with_case(value, *cased)),
        Test::Regex(regex) => regexes.finds(regex, value),
        Test::Network(network) => is_inside(value, *network),
        Test::OtherText { position, other, cased } => {
            let folded = with_case(value, *cased);
            any_value(other, event, &|other| {
                other.text().is_some_and(|other| stands(&folded, *position, &with_case(other, *cased)))
            })
        }
        _ => false,
    }
}

fn number_passes(value: &Value, test: &Test, event: &Event) -> bool {
    let Some(number) = value.number() else { return false };
    match test {
        Test::NumberIn(wanted) => wanted.iter().any(|wanted| value::compare(number, *wanted).is_eq()),
        Test::Compare(comparison, bound) => {
            let order = value::compare(number, *bound);
            match comparison {
                Comparison::Lt => order.is_lt(),
                Comparison::Lte => order.is_le(),
                Comparison::Gt => order.is_gt(),
                Comparison::Gte => order.is_ge(),
            }
        }
        Test::OtherNumber(other) => any_value(other, event, &|other| {
            other.number().is_some_and(|other| value::compare(number, other).is_eq())
        }),
        Test::TimePart { part, values } => match value {
            Value::Integer(time) => calendar::part(*time, *part).is_some_and(|part| values.contains(&part)),
            _ => false,
        },
        _ => false,
    }
}

fn with_case(text: &str, cased: bool) -> String {
    if cased { text.to_owned() } else { text::fold(text) }
}

fn stands(text: &str, position: TextMatch, sought: &str) -> bool {
    match position {
        TextMatch::Equals => text == sought,
        TextMatch::Contains => text.contains(sought),
        TextMatch::StartsWith => text.starts_with(sought),
        TextMatch::EndsWith => text.ends_with(sought),
    }
}

fn any_value(source: &FieldExpr, event: &Event, holds: &dyn Fn(&Value) -> bool) -> bool {
    match source {
        FieldExpr::Column(column) => event.field(column.path.as_str()).values().any(holds),
        FieldExpr::Computed(computed) => scalar::of_event(computed, event).values().any(holds),
        FieldExpr::AnyOf(sources) => sources.iter().any(|source| any_value(source, event, holds)),
        FieldExpr::PerClass(sources) => {
            of_class(sources, event).is_some_and(|source| any_value(source, event, holds))
        }
    }
}

/// The standard library reads addresses as strictly as is asked: no port, zone, bracket or leading zero.
fn is_inside(text: &str, network: Network) -> bool {
    match network {
        Network::V4(network, length) => text.parse::<std::net::Ipv4Addr>().is_ok_and(|address| {
            let host = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            u32::from(address) & !host == u32::from(network)
        }),
        Network::V6(network, length) => text.parse::<std::net::Ipv6Addr>().is_ok_and(|address| {
            let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            u128::from(address) & !host == u128::from(network)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str, network: &str) -> bool {
        let (address, length) = network.split_once('/').expect("a network");
        let length = length.parse().expect("a length");
        let network = match address.parse().expect("an address") {
            std::net::IpAddr::V4(address) => Network::V4(address, length),
            std::net::IpAddr::V6(address) => Network::V6(address, length),
        };
        is_inside(text, network)
    }

    #[test]
    fn addresses_lie_in_networks_of_their_own_family() {
        assert!(inside("10.1.2.3", "10.0.0.0/8") && inside("1.2.3.4", "0.0.0.0/0"));
        assert!(inside("::ffff:10.1.2.3", "::ffff:0:0/96") && inside("FE80::1", "fe80::/10"));
        assert!(inside("::1", "::1/128") && !inside("::2", "::1/128") && inside("::", "::/0"));
        assert!(!inside("::ffff:10.1.2.3", "10.0.0.0/8") && !inside("10.1.2.3", "::/0"));
    }

    #[test]
    fn what_is_no_address_is_in_no_network() {
        for text in ["10.1.2.3:80", "010.1.2.3", "10.1.2", " 10.1.2.3", "10.1.2.3\n", "", "10.1.2.3/8"] {
            assert!(!inside(text, "0.0.0.0/0"), "{text}");
        }
        for text in ["[::1]", "fe80::1%eth0", "::1 ", "1:2:3:4:5:6:7:8:9", ":::", "::12345", "1::2::3"] {
            assert!(!inside(text, "::/0"), "{text}");
        }
    }
}
