//! What may be asked, and what is not even a question (threat 93).

use super::*;

fn refusal(text: &str) -> OutboundUrlError {
    match OutboundUrl::parse(text) {
        Ok(url) => panic!("accepted: {text} as {url:?}"),
        Err(why) => why,
    }
}

#[test]
fn only_https_is_asked() {
    for text in [
        "http://app.example/keys",
        "ftp://app.example/keys",
        "file:///etc/passwd",
        "gopher://app.example:70/_x",
        "unix:/run/docker.sock",
        "data:application/json,[]",
        "ws://app.example/",
        "javascript:alert(1)",
        "urn:ietf:params:oauth:request_uri:x",
    ] {
        assert_eq!(refusal(text), OutboundUrlError::NotHttps, "{text}");
    }
}

#[test]
fn what_is_no_absolute_url_is_refused() {
    for text in [
        "",
        "/keys",
        "app.example/keys",
        "https:app.example",
        "https:/app.example",
        "https://",
        "//app.example/",
    ] {
        assert_eq!(refusal(text), OutboundUrlError::NotAUrl, "{text}");
    }
}

#[test]
fn user_information_is_refused() {
    for text in [
        "https://ada@app.example/",
        "https://ada:secret@app.example/",
        "https://@app.example/",
        "https://app.example:443@127.0.0.1/",
    ] {
        assert_eq!(refusal(text), OutboundUrlError::UserInformation, "{text}");
    }
}

#[test]
fn characters_that_split_a_request_are_refused() {
    for text in [
        "https://app.example/\r\nHost: 127.0.0.1",
        "https://app.example/a b",
        "https://app.example\\@127.0.0.1/",
        "https://app.example/\0",
        "https://app.exämple/",
        "https://app\u{3002}example/",
        " https://app.example/",
        "https://app.example/\t",
    ] {
        assert_eq!(refusal(text), OutboundUrlError::Character, "{text:?}");
    }
}

// threat 87: decimal, octal, hexadecimal and short addresses, zone ids
#[test]
fn a_host_that_is_read_otherwise_than_it_is_written_is_refused() {
    for text in [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0x8.8.8.8/",
        "https://127.0.0.1./",
        "https://app.example./",
        "https://app%2eexample/",
        "https://*.example/",
        "https://a..example/",
        "https://.example/",
        "https://app.example;x/",
        "https://%31%32%37.0.0.1/",
        "https://app.example:/",
        "https://app.example:0/",
    ] {
        assert_eq!(refusal(text), OutboundUrlError::NotPlain, "{text}");
    }
    for text in [
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://app.example:70000/",
        "https://app.example:x/",
        "https://[::1/",
    ] {
        assert_eq!(refusal(text), OutboundUrlError::NotAUrl, "{text}");
    }
    assert_eq!(refusal(&format!("https://app.example/{}", "a".repeat(2000))), OutboundUrlError::TooLong);
}

#[test]
fn a_fragment_is_kept_for_comparison_and_not_sent() {
    let url = OutboundUrl::parse("https://App.example:8443/a/../keys?set=1#digest").expect("valid");
    assert_eq!(url.as_str(), "https://App.example:8443/a/../keys?set=1#digest");
    assert_eq!(url.path_and_query(), "/keys?set=1");
    assert_eq!(url.authority().to_string(), "app.example:8443");
    assert_eq!(url.authority().as_header(), "app.example:8443");
    let url = OutboundUrl::parse("https://app.example?x").expect("valid");
    assert_eq!((url.path_and_query(), url.authority().as_header().as_str()), ("/?x", "app.example"));
}

// threat 179
#[test]
fn the_query_is_in_no_log() {
    let url = OutboundUrl::parse("https://app.example/request?token=hunter2#x").expect("valid");
    assert_eq!(url.without_query(), "https://app.example:443/request");
    assert!(!format!("{url:?}").contains("hunter2"));
}

#[test]
fn a_host_and_port_are_read_whole_or_not_at_all() {
    for text in ["localhost:8443", "10.0.0.7:443", "[::1]:8443", "intranet.example:1"] {
        assert_eq!(Authority::parse(text).map(|authority| authority.to_string()).as_deref(), Some(text));
    }
    assert_eq!(Authority::parse("[0:0::1]:443"), Authority::parse("[::1]:443"));
    for text in [
        "",
        "localhost",
        "localhost:",
        ":8443",
        "localhost:0",
        "localhost:65536",
        "localhost:+1",
        "::1:8443",
        "[::1]",
        "https://localhost:8443",
        "localhost:8443/",
        "*.example:443",
        "10.0.0.0/8:443",
        "ada@localhost:1",
        "127.1:443",
        "localhost:8443 ",
        "localhost:8443,localhost:8444",
    ] {
        assert_eq!(Authority::parse(text), None, "{text}");
    }
}
