//! `cidr`: a rule's network, read strictly.

use std::net::IpAddr;

use crate::bridge::ir::Network;

/// Reads `text`; a bare address is a network of one. The error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Network, String> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| format!("`{address}` is no IP address"))?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => longest,
        Some(length) => prefix_length(length, longest)?,
    };
    let host_bits_clear = match address {
        IpAddr::V4(address) => host_bits(u128::from(u32::from(address)), longest - length) == 0,
        IpAddr::V6(address) => host_bits(u128::from(address), longest - length) == 0,
    };
    if !host_bits_clear {
        return Err(format!("`{text}` has bits behind its prefix"));
    }
    Ok(match address {
        IpAddr::V4(address) => Network::V4(address, length),
        IpAddr::V6(address) => Network::V6(address, length),
    })
}

fn prefix_length(text: &str, longest: u8) -> Result<u8, String> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let canonical = plain && (text == "0" || !text.starts_with('0'));
    let length = text.parse().ok().filter(|length| canonical && *length <= longest);
    length.ok_or_else(|| format!("`/{text}` is no prefix length up to {longest}"))
}

fn host_bits(address: u128, count: u8) -> u128 {
    match count {
        128 => address,
        count => address & ((1 << count) - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_strictly() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "10.0.0.1", "::/0", "2001:db8::/61", "::1", "::ffff:0:0/96"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "10.0.0.1/8",
            "10.0.0/8",
            "10.0.0.0/33",
            "010.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0/",
            "foo",
            "fe80::1/10",
            "::/129",
            "[::1]",
            "fe80::%eth0/10",
            "10.0.0.0/+8",
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
