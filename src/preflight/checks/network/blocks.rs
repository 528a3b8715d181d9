//! Blocks of IP addresses.

use std::net::IpAddr;

/// A block of IPv4 or IPv6 addresses, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CidrBlock {
    is_ipv4: bool,
    /// The first address, in the highest bits.
    first: u128,
    /// How many of the highest bits all addresses share.
    shared: u32,
}

/// Addresses that are not reached over the internet: private, carrier-grade NAT, link-local.
const PRIVATE: [&str; 5] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"];

impl CidrBlock {
    /// Reads a block. `None` if the text is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, shared) = text.split_once('/')?;
        let (is_ipv4, first) = bits(address.parse().ok()?);
        let shared: u32 = shared.parse().ok()?;
        (shared <= if is_ipv4 { 32 } else { 128 }).then_some(Self { is_ipv4, first, shared })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let (is_ipv4, address) = bits(address);
        self.is_ipv4 == is_ipv4 && self.has(address)
    }

    pub(super) fn is_ipv4(&self) -> bool {
        self.is_ipv4
    }

    /// Whether it is of IPv4, and has an address that is reached over the internet.
    pub(super) fn has_public_ipv4(&self) -> bool {
        let contains_all = |other: Self| self.shared >= other.shared && other.has(self.first);
        self.is_ipv4 && !PRIVATE.iter().filter_map(|text| Self::parse(text)).any(contains_all)
    }

    fn has(&self, address: u128) -> bool {
        // A prefix length of 0 would shift by all 128 bits. Such a block has every address.
        (self.first ^ address).checked_shr(128 - self.shared).is_none_or(|rest| rest == 0)
    }
}

fn bits(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (true, u128::from(address.to_bits()) << 96),
        IpAddr::V6(address) => (false, address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_the_addresses_that_share_its_highest_bits() {
        for (block, address, expected) in [
            ("10.0.1.0/24", "10.0.1.255", true),
            ("10.0.1.0/24", "10.0.2.0", false),
            ("10.0.1.7/32", "10.0.1.7", true),
            ("10.0.1.7/32", "10.0.1.6", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "10.0.0.1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::1/128", "2001:db8::2", false),
        ] {
            let found = CidrBlock::parse(block).unwrap().contains(address.parse().unwrap());
            assert_eq!(found, expected, "{block} {address}");
        }
        for text in ["", "10.0.0.0", "10.0.0.0/33", "ten/8", "pl-1", "10.0.0.0/-1", "::/129"] {
            assert_eq!(CidrBlock::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_block_is_private_if_all_of_it_is() {
        for (block, expected) in [
            ("10.1.0.0/16", false),
            ("10.0.0.0/8", false),
            ("8.0.0.0/6", true),
            ("172.16.0.0/12", false),
            ("172.0.0.0/8", true),
            ("192.168.4.0/24", false),
            ("0.0.0.0/1", true),
            ("52.94.0.0/16", true),
            ("::/0", false),
        ] {
            assert_eq!(CidrBlock::parse(block).unwrap().has_public_ipv4(), expected, "{block}");
        }
    }
}
