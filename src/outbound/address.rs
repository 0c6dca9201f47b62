//! Which addresses are public: global unicast, and nothing that only looks like it (threat 87). The table follows the
//! special-purpose registries of IANA (RFC 6890) and the address space that is assigned.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of IPv4 that is never asked, and what it is for.
type Block4 = ([u8; 4], u8, &'static str);
/// A block of IPv6.
type Block6 = ([u16; 8], u8, &'static str);

const NOT_PUBLIC_4: [Block4; 14] = [
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "shared by carriers"),
    ([127, 0, 0, 0], 8, "loopback"),
    ([169, 254, 0, 0], 16, "link-local, cloud metadata among it"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "protocol assignments"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 88, 99, 0], 24, "6to4 relays"),
    ([192, 168, 0, 0], 16, "private"),
    ([198, 18, 0, 0], 15, "benchmarking"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    // Multicast (224/4) and what is reserved (240/4), the broadcast address among it.
    ([224, 0, 0, 0], 3, "multicast and reserved"),
];

/// What is assigned as global unicast (RFC 4291 §2.4); nothing outside is public, so neither are the unspecified address,
/// loopback, mapped and translated addresses, unique local, link-local and multicast ones.
const GLOBAL_UNICAST_6: Block6 = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, "global unicast");

/// What within it is not.
const NOT_PUBLIC_6: [Block6; 5] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "protocol assignments: Teredo, benchmarking, ORCHID"),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "documentation"),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4: any IPv4 address in disguise"),
    ([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16, "6bone, given back"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "documentation"),
];

/// Whether an address is of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_4.iter().any(|block| is_in_4(address, block)),
        IpAddr::V6(address) => {
            is_in_6(address, &GLOBAL_UNICAST_6) && !NOT_PUBLIC_6.iter().any(|block| is_in_6(address, block))
        }
    }
}

fn is_in_4(address: Ipv4Addr, (network, length, _): &Block4) -> bool {
    let mask = u32::MAX << (32 - length);
    address.to_bits() & mask == Ipv4Addr::from(*network).to_bits()
}

fn is_in_6(address: Ipv6Addr, (network, length, _): &Block6) -> bool {
    let mask = u128::MAX << (128 - length);
    address.to_bits() & mask == Ipv6Addr::from(*network).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_the_table_has_no_bit_below_its_length() {
        for (network, length, name) in NOT_PUBLIC_4 {
            assert!(is_in_4(Ipv4Addr::from(network), &(network, length, name)), "{name}");
        }
        for (network, length, name) in NOT_PUBLIC_6 {
            assert!(is_in_6(Ipv6Addr::from(network), &(network, length, name)), "{name}");
        }
    }
}
