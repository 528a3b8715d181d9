//! IP addresses and CIDR ranges, compared as numbers.

use std::net::IpAddr;

/// A range of addresses. A single address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    is_ipv6: bool,
    first: u128,
    last: u128,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address. Host bits are ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (is_ipv6, number) = read_address(address)?;
        let width: u32 = if is_ipv6 { 128 } else { 32 };
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|n| *n <= width)?
            }
            Some(_) => return None,
        };
        let hosts = 1u128.checked_shl(width - prefix).map_or(u128::MAX, |size| size - 1);
        Some(Self { is_ipv6, first: number & !hosts, last: number | hosts })
    }

    /// Whether the range has every address of `other`.
    pub(crate) const fn contains(&self, other: &Self) -> bool {
        self.is_ipv6 == other.is_ipv6 && self.first <= other.first && other.last <= self.last
    }

    /// The addresses at both ends of the range and just beyond them, as text. The first one is inside.
    pub(crate) fn edges(&self) -> impl Iterator<Item = String> + use<> {
        let (is_ipv6, most) = (self.is_ipv6, if self.is_ipv6 { u128::MAX } else { u128::from(u32::MAX) });
        let beyond = self.last.checked_add(1).filter(|n| *n <= most);
        [Some(self.first), Some(self.last), self.first.checked_sub(1), beyond]
            .into_iter()
            .flatten()
            .map(move |number| write_address(is_ipv6, number))
    }
}

impl std::fmt::Display for Network {
    /// Writes the range as `address/prefix`, and a single address without a prefix.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&write_address(self.is_ipv6, self.first))?;
        let width = if self.is_ipv6 { 128 } else { 32 };
        match u128::BITS - (self.last - self.first).leading_zeros() {
            0 => Ok(()),
            host_bits => write!(f, "/{}", width - host_bits),
        }
    }
}

fn read_address(text: &str) -> Option<(bool, u128)> {
    match text.parse().ok()? {
        IpAddr::V4(address) => Some((false, u128::from(address.to_bits()))),
        IpAddr::V6(address) => Some((true, address.to_bits())),
    }
}

fn write_address(is_ipv6: bool, number: u128) -> String {
    if is_ipv6 {
        std::net::Ipv6Addr::from_bits(number).to_string()
    } else {
        std::net::Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX)).to_string()
    }
}
