//! Which addresses are never dialled (threats 87, 93), whether a URL names them or a name leads to them.

use super::*;
use portreeve::outbound::is_public;

/// First and last address of each block, and the neighbours outside, which are public unless a block of their own.
const BLOCKS: [(&str, &str); 34] = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("169.254.169.254", "169.254.170.2"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
    ("::", "::1"),
    ("::7f00:1", "::ffff"),
    ("::ffff:0.0.0.0", "::ffff:255.255.255.255"),
    ("::ffff:8.8.8.8", "::ffff:127.0.0.1"),
    ("::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"),
    ("64:ff9b::", "64:ff9b::255.255.255.255"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
    ("2001:10::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fe80::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
];

/// The last before a block, or the first after it.
const PUBLIC_NEIGHBOURS: [&str; 30] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.255",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2003::1",
    "2606:4700:4700::1111",
];

#[test]
fn the_ends_of_every_block_are_not_public_and_its_neighbours_are() {
    for (first, last) in BLOCKS {
        assert!(!is_public(address(first)), "{first}");
        assert!(!is_public(address(last)), "{last}");
    }
    for neighbour in PUBLIC_NEIGHBOURS {
        assert!(is_public(address(neighbour)), "{neighbour}");
    }
}

#[test]
fn what_the_standard_library_calls_private_is_not_public() {
    // A second opinion on every first and second octet.
    for first in 0..=255 {
        for second in 0..=255 {
            let v4 = std::net::Ipv4Addr::new(first, second, 77, 7);
            let private = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast();
            if private || v4.is_broadcast() || v4.is_unspecified() || v4.is_documentation() {
                assert!(!is_public(v4.into()), "{v4}");
            }
            assert!(!is_public(v4.to_ipv6_mapped().into()), "{v4} mapped");
            assert!(!is_public(v4.to_ipv6_compatible().into()), "{v4} compatible");
        }
    }
}

#[tokio::test]
async fn an_address_in_a_url_is_not_dialled_unless_it_is_public() {
    let server = honest().await;
    let (outbound, network) = leading_to(&server, Limits::default());
    for (first, last) in BLOCKS {
        for text in [first, last] {
            let host = if text.contains(':') { format!("[{text}]") } else { text.to_owned() };
            let error = refusal(&outbound, &format!("https://{host}/keys")).await;
            assert_eq!(error, OutboundError::PrivateAddress(address(text)), "{text}");
        }
    }
    assert!(network.dialled().is_empty() && network.asked().is_empty());
    assert_eq!(server.connections.accepted(), 0);
    assert_still_fetches(&outbound).await;
}

#[tokio::test]
async fn a_name_that_leads_to_such_an_address_is_not_dialled() {
    let server = honest().await;
    for (first, last) in BLOCKS {
        for text in [first, last] {
            let network =
                HostileNetwork { leads_to: Some(server.address), ..HostileNetwork::answering(&[&[text]]) };
            let network = Arc::new(network);
            let outbound = Outbound::on(network.clone(), &trusting(&server), Limits::default());
            let error = refusal(&outbound, "https://app.example/keys").await;
            assert_eq!(error, OutboundError::PrivateAddress(address(text)), "{text}");
            assert!(network.dialled().is_empty(), "{text}");
        }
    }
    assert_eq!(server.connections.accepted(), 0);
}

#[tokio::test]
async fn names_of_private_networks_are_not_even_looked_up() {
    let server = honest().await;
    let (outbound, network) = leading_to(&server, Limits::default());
    for name in [
        "localhost",
        "LOCALHOST",
        "app.localhost",
        "printer.local",
        "metadata.google.internal",
        "router.home.arpa",
        "intranet",
        "internal",
    ] {
        let error = refusal(&outbound, &format!("https://{name}/keys")).await;
        assert!(matches!(error, OutboundError::PrivateName(_)), "{name}: {error}");
    }
    assert!(network.asked().is_empty() && network.dialled().is_empty());
    assert_still_fetches(&outbound).await;
}

// threat 93
#[tokio::test]
async fn ports_of_other_services_are_not_dialled() {
    let server = honest().await;
    let (outbound, network) = leading_to(&server, Limits::default());
    for port in [1, 22, 25, 80, 110, 389, 442, 444, 1023] {
        let error = refusal(&outbound, &format!("https://app.example:{port}/keys")).await;
        assert_eq!(error, OutboundError::Port(port));
        let error = refusal(&outbound, &format!("https://8.8.8.8:{port}/keys")).await;
        assert_eq!(error, OutboundError::Port(port));
    }
    assert!(network.asked().is_empty() && network.dialled().is_empty());
    for port in [443, 1024, 8443, 65535] {
        assert_eq!(outbound.may_reach(&url(&format!("https://app.example:{port}/"))), Ok(()));
    }
}

#[tokio::test]
async fn what_the_configuration_allows_is_reached_at_exactly_that_host_and_port() {
    let server = honest().await;
    let mut settings = trusting(&server);
    settings.allow_private = ["app.example:444", "intranet:8443", "10.0.0.7:22", "[::1]:443"]
        .map(|text| portreeve::outbound::Authority::parse(text).expect("valid"))
        .to_vec();
    let network =
        HostileNetwork { leads_to: Some(server.address), ..HostileNetwork::answering(&[&["127.0.0.1"]]) };
    let outbound = Outbound::on(Arc::new(network), &settings, Limits::default());
    let document = outbound.get(&url("https://app.example:444/keys"), JSON).await;
    assert_eq!(document.expect("allowed").bytes, "{\"keys\":[]}");
    for text in ["https://intranet:8443/", "https://10.0.0.7:22/", "https://[0::1]/"] {
        assert_eq!(outbound.may_reach(&url(text)), Ok(()), "{text}");
    }
    for text in [
        "https://app.example/keys",
        "https://app.example:1444/keys",
        "https://x.app.example:444/keys",
        "https://127.0.0.1:444/keys",
        "https://intranet/keys",
        "https://10.0.0.7/keys",
        "https://10.0.0.8:22/keys",
        "https://[::1]:8443/keys",
    ] {
        assert_eq!(refusal(&outbound, text).await.verdict().outcome, "forbidden", "{text}");
    }
    assert_eq!(server.connections.accepted(), 1);
}
