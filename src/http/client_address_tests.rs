use super::*;
use axum::http::HeaderValue;

const PROXY: &str = "10.0.0.1";

fn trusted() -> Vec<IpNet> {
    vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]
}

fn seen(peer: &str, lines: &[(&'static str, &str)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    client_address(peer.parse().unwrap(), &headers, &trusted()).0.to_string()
}

// threat 142, 162
#[test]
fn an_untrusted_peer_cannot_say_who_it_is() {
    for (name, value) in [
        ("x-forwarded-for", "1.2.3.4"),
        ("forwarded", "for=1.2.3.4"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "1.2.3.4, 10.0.0.1"),
    ] {
        assert_eq!(seen("203.0.113.9", &[(name, value)]), "203.0.113.9", "{name}: {value}");
    }
}

#[test]
fn without_a_header_the_peer_counts() {
    assert_eq!(seen(PROXY, &[]), PROXY);
    assert_eq!(seen("::ffff:10.0.0.1", &[]), PROXY);
    assert_eq!(seen("::ffff:203.0.113.9", &[("x-forwarded-for", "1.2.3.4")]), "203.0.113.9");
}

// threat 142: what stands left of the right-most untrusted hop is the client's own text
#[test]
fn the_right_most_hop_that_is_not_trusted_counts_in_x_forwarded_for() {
    for (value, expected) in [
        ("198.51.100.7", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("1.2.3.4,198.51.100.7 , 10.9.9.9", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, fd00::1, 10.2.2.2", "198.51.100.7"),
        ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
    ] {
        assert_eq!(seen(PROXY, &[("x-forwarded-for", value)]), expected, "{value}");
    }
}

#[test]
fn a_malformed_hop_ends_the_walk_and_the_last_good_address_counts() {
    for (value, expected) in [
        ("", PROXY),
        ("unknown", PROXY),
        ("1.2.3.4, ", PROXY),
        ("1.2.3.4, garbage", PROXY),
        ("1.2.3.4, garbage, 10.2.2.2", "10.2.2.2"),
        ("1.2.3.4, 999.1.1.1", PROXY),
        ("1.2.3.4, 198.51.100.7:x", PROXY),
        ("1.2.3.4, 198.51.100.7:123456", PROXY),
        ("1.2.3.4, [2001:db8::7", PROXY),
        ("1.2.3.4, [198.51.100.7]", PROXY),
        ("1.2.3.4, [2001:db8::7]443", PROXY),
        ("1.2.3.4, 127.1", PROXY),
        ("1.2.3.4, 0x7f.0.0.1", PROXY),
        ("1.2.3.4, fe80::1%eth0", PROXY),
        ("1.2.3.4, \"198.51.100.7", PROXY),
        ("1.2.3.4, 198.51.100.7\u{e9}", PROXY),
    ] {
        assert_eq!(seen(PROXY, &[("x-forwarded-for", value)]), expected, "{value}");
    }
}

// RFC 7239 §4, §6
#[test]
fn the_right_most_hop_that_is_not_trusted_counts_in_forwarded() {
    for (value, expected) in [
        ("for=198.51.100.7", "198.51.100.7"),
        ("For=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7"),
        ("by=10.0.0.1; for=\"198.51.100.7:47011\"", "198.51.100.7"),
        ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
        ("for=\"198.51.100.7:_port\"", "198.51.100.7"),
        ("for=1.2.3.4, for=198.51.100.7, for=10.2.2.2", "198.51.100.7"),
        ("for=1.2.3.4, for=198.51.100.7;host=\"a,b;c=\\\"d\"", "198.51.100.7"),
    ] {
        assert_eq!(seen(PROXY, &[("forwarded", value)]), expected, "{value}");
    }
}

#[test]
fn a_malformed_element_of_forwarded_ends_the_walk() {
    for value in [
        "",
        "for",
        "for=",
        "proto=https",
        "for=unknown",
        "for=_hidden",
        "for=1.2.3.4, for=_SEVKISEK",
        "for=1.2.3.4, proto=https",
        "for=1.2.3.4;for=198.51.100.7",
        "for=\"1.2.3.4",
        "for=\"1.2.3.\\4\"",
        "for=1.2.3.4\"",
        "for=1.2.3.4, 198.51.100.7",
        "198.51.100.7",
    ] {
        assert_eq!(seen(PROXY, &[("forwarded", value)]), PROXY, "{value}");
    }
}

#[test]
fn several_lines_are_one_list() {
    assert_eq!(
        seen(PROXY, &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.7, 10.2.2.2")]),
        "198.51.100.7"
    );
    assert_eq!(
        seen(PROXY, &[("forwarded", "for=198.51.100.7"), ("forwarded", "for=10.2.2.2")]),
        "198.51.100.7"
    );
}

// threat 142: a proxy that writes one header and passes the other through hands over what the client wrote
#[test]
fn two_headers_that_disagree_are_not_believed() {
    for (forwarded, x_forwarded_for, expected) in [
        ("for=198.51.100.7", "198.51.100.7", "198.51.100.7"),
        ("for=1.2.3.4", "198.51.100.7", PROXY),
        ("for=198.51.100.7", "1.2.3.4", PROXY),
        ("for=unknown", "198.51.100.7", "198.51.100.7"),
        ("for=198.51.100.7", "10.2.2.2", "198.51.100.7"),
    ] {
        let lines = [("forwarded", forwarded), ("x-forwarded-for", x_forwarded_for)];
        assert_eq!(seen(PROXY, &lines), expected, "{forwarded} | {x_forwarded_for}");
    }
}

// threat 142: a subscriber holds a whole /64
#[test]
fn throttles_count_an_ipv4_address_and_an_ipv6_network() {
    for (address, key) in [
        ("198.51.100.7", "198.51.100.7/32"),
        ("::ffff:198.51.100.7", "198.51.100.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
    ] {
        assert_eq!(throttle_key(address.parse().unwrap()).to_string(), key);
    }
}
