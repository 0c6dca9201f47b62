//! What reads the wire never panics, reads back what was written, and accepts nothing that another parser would take for
//! something else (security.md §3.3, targets 1–6, 14–16; target 20 is tested beside the code).

use super::hold;
use crate::support::server::basic;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::IpNet;
use portreeve::http::client_address::{ClientAddress, client_address};
use portreeve::protocol::authorization_request::{AskedResponseMode, AuthorizationRequest};
use portreeve::protocol::basic_credentials;
use portreeve::protocol::identifiers::{ClientId, GrantId};
use portreeve::protocol::issuer::Issuer;
use portreeve::protocol::parameters::Parameters;
use portreeve::protocol::pkce::CodeChallenge;
use portreeve::protocol::prompt::{Prompt, Prompts};
use portreeve::protocol::redirect_uri::{ApplicationType, Deployment, RedirectUri};
use portreeve::protocol::refresh_token::RefreshToken;
use portreeve::protocol::resource::Resource;
use portreeve::protocol::scope::Scopes;
use portreeve::sessions::cookies::{Cookie, CookieJar};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use url::{Url, form_urlencoded};

const CASES: u32 = 512;

/// Bytes that look like a form often enough to get past its first letter.
fn form_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "(response_type|client_id|redirect_uri|scope|state|prompt|max_age|resource|code_challenge|code_challenge_method|response_mode|nonce)".prop_map(String::into_bytes),
        4 => "(code|S256|openid|none|login|query|form_post|fragment|0|-1|99999999999999999999|E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM|https%3A%2F%2Fa.example)".prop_map(String::into_bytes),
        6 => "[=&;+%]".prop_map(String::into_bytes),
        2 => "%[0-9a-fA-F]{2}".prop_map(String::into_bytes),
        1 => "\\PC{0,6}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Targets 1, 4 and 5: whatever is accepted means the same to the parser that browsers' pages use.
#[test]
fn parameters_are_refused_or_read_as_everybody_else_reads_them() {
    hold(CASES * 4, &form_like(), |bytes| {
        let Ok(parameters) = Parameters::parse(&bytes) else { return Ok(()) };
        for (name, value) in form_urlencoded::parse(&bytes) {
            prop_assert!(!name.contains('\0') && !value.contains('\0'));
            if value.is_empty() {
                continue;
            }
            match name.as_ref() {
                "resource" => prop_assert!(parameters.all(&name).any(|one| one == value)),
                _ => prop_assert_eq!(parameters.all(&name).collect::<Vec<_>>(), vec![value.as_ref()]),
            }
        }
        prop_assert_eq!(&Parameters::parse(parameters.encode().as_bytes()).unwrap(), &parameters);
        if let Ok(request) = AuthorizationRequest::parse(&parameters) {
            prop_assert_eq!(parameters.get("response_type"), Some("code"));
            prop_assert!(AskedResponseMode::of(&parameters) != AskedResponseMode::Refused);
            prop_assert_eq!(request.code_challenge.is_some(), parameters.get("code_challenge").is_some());
            prop_assert_eq!(request.max_age.is_some(), parameters.get("max_age").is_some());
            prop_assert_eq!(request.resources.len(), parameters.all("resource").count());
        }
        Ok(())
    });
}

const REGISTERED: [(&str, ApplicationType); 6] = [
    ("http://127.0.0.1/callback", ApplicationType::Native),
    ("http://127.0.0.1:8080/callback?x=1", ApplicationType::Native),
    ("http://[::1]/callback", ApplicationType::Native),
    ("com.example.app:/callback", ApplicationType::Native),
    ("https://app.example.com/callback", ApplicationType::Native),
    ("https://app.example.com/callback", ApplicationType::Web),
];

fn registered() -> impl Strategy<Value = (RedirectUri, ApplicationType)> {
    proptest::sample::select(REGISTERED.to_vec()).prop_map(|(text, application_type)| {
        let uri = RedirectUri::register(text, application_type, Deployment::Production);
        (uri.expect("may be registered"), application_type)
    })
}

/// Target 2, threats 1–7: equal bytes, or the loopback rule; what matches leads a browser to the same place but for the port.
#[test]
fn a_redirect_uri_matches_its_own_bytes_or_a_loopback_port_and_nothing_else() {
    let trick = "(\\.|/|%2e|%2f|@|:|:[0-9]{1,6}|#|\\?|\\\\|;|//|\\.\\./|%00|\\t|é|@evil\\.example|\\.evil\\.example|:80@evil\\.example|[a-zA-Z0-9])";
    let mutated = (registered(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), trick);
    hold(CASES * 8, &mutated, |((uri, application_type), from, to, trick)| {
        let text = uri.as_str();
        let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
        let presented = format!("{}{trick}{}", &text[..from], &text[from.max(to)..]);
        if presented == text || !uri.matches(&presented) {
            prop_assert_eq!(uri.matches(&presented), presented == text);
            return Ok(());
        }
        prop_assert_eq!(application_type, ApplicationType::Native);
        let without_port = |text: &str| {
            let mut url = Url::parse(text).expect("a browser can read it");
            url.set_port(None).expect("it has a host");
            url
        };
        let led = without_port(&presented);
        prop_assert_eq!(&led, &without_port(text), "{}", presented);
        prop_assert!(led.scheme() == "http" && led.username().is_empty() && led.fragment().is_none());
        Ok(())
    });
}

/// Threat 7, RFC 8252 §7.3: every port there is, and only for native applications.
#[test]
fn every_port_of_a_native_loopback_address_matches() {
    hold(CASES, &(1..=u16::MAX), |port| {
        for host in ["127.0.0.1", "[::1]"] {
            let registered = format!("http://{host}/callback");
            let register = |application_type, deployment| {
                RedirectUri::register(&registered, application_type, deployment).expect("may be registered")
            };
            let presented = format!("http://{host}:{port}/callback");
            prop_assert!(register(ApplicationType::Native, Deployment::Production).matches(&presented));
            prop_assert!(!register(ApplicationType::Web, Deployment::Development).matches(&presented));
        }
        Ok(())
    });
}

/// Target 3, threat 55.
#[test]
fn basic_credentials_read_back_and_nothing_else_is_taken_for_some() {
    hold(CASES, &("[^\0]{1,24}", "[^\0]{0,24}"), |(id, secret)| {
        let header = basic(&id, &secret);
        prop_assert_eq!(basic_credentials::parse(&header).and_then(Result::ok), Some((id, secret)));
        Ok(())
    });
    let strange = "([Bb]asic|Bearer|)( |  |\t|)([A-Za-z0-9+/]{0,16}={0,3}|\\PC{0,12})";
    hold(CASES * 2, &strange, |header| {
        if let Some(Ok((id, secret))) = basic_credentials::parse(&header) {
            prop_assert!(header[..6].eq_ignore_ascii_case("basic "));
            prop_assert_eq!(
                basic_credentials::parse(&basic(&id, &secret)).and_then(Result::ok),
                Some((id, secret))
            );
        }
        Ok(())
    });
}

/// Target 5.
#[test]
fn scopes_prompts_resources_and_names_read_back() {
    hold(
        CASES * 2,
        &"[a-zA-Z:./ _\"\\\\é-]{0,40}|(openid|none|login|consent|select_account| )*|https?://\\PC{0,20}",
        |text| {
            if let Ok(scopes) = Scopes::parse(&text) {
                prop_assert_eq!(Scopes::parse(&scopes.to_string()), Ok(scopes.clone()));
                prop_assert!(
                    scopes.is_subset(&scopes) && scopes.is_empty() == text.trim_matches(' ').is_empty()
                );
            }
            if let Ok(prompts) = Prompts::parse(&text) {
                let others = [Prompt::Login, Prompt::Consent, Prompt::SelectAccount];
                let beside = others.iter().any(|other| prompts.contains(*other));
                prop_assert!(!(prompts.contains(Prompt::None) && beside));
            }
            if let Ok(resource) = Resource::parse(&text) {
                prop_assert!(resource.as_str() == text && !text.contains(['#', ' ']));
            }
            if let Ok(id) = ClientId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
            }
            if let Ok(id) = GrantId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
            }
            if let Ok(issuer) = Issuer::parse(&text) {
                let local = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}"));
                prop_assert!(
                    text.starts_with("https://") || local.iter().any(|prefix| text.starts_with(prefix))
                );
                prop_assert_eq!(issuer.as_str(), &text);
                prop_assert!(Url::parse(&issuer.endpoint("/token")).is_ok_and(|url| url.query().is_none()));
            }
            Ok(())
        },
    );
}

/// Target 6, RFC 7636 §4.1, §4.6; threat 35: a verifier has one challenge, and another verifier another.
#[test]
fn a_verifier_has_its_own_challenge_and_no_other() {
    let verifier = || "[A-Za-z0-9._~-]{43,128}";
    hold(CASES, &(verifier(), verifier(), "\\PC{0,140}"), |(verifier, other, strange)| {
        let challenge = CodeChallenge::of_verifier(&verifier).expect("lawful");
        prop_assert_eq!(challenge.as_str(), URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)));
        prop_assert_eq!(CodeChallenge::parse(challenge.as_str(), Some("S256")), Ok(challenge.clone()));
        prop_assert_eq!(CodeChallenge::of_verifier(&other) == Ok(challenge), verifier == other);
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let lawful = (43..=128).contains(&strange.len()) && strange.bytes().all(unreserved);
        prop_assert_eq!(CodeChallenge::of_verifier(&strange).is_ok(), lawful);
        Ok(())
    });
}

/// Target 14, threat 132.
#[test]
fn a_cookie_is_read_when_it_is_there_once_and_has_our_form() {
    let jar = CookieJar::of(&Issuer::parse("https://auth.example.com").unwrap());
    let name = jar.name(Cookie::Session);
    let ours = "[A-Za-z0-9_-]{43}";
    let others = proptest::collection::vec("[a-z]{1,6}=[ -~]{0,8}|\\PC{0,8}|=|;;", 0..4);
    hold(CASES, &(ours, others, 0..3_usize), |(value, others, times)| {
        let own = std::iter::repeat_n(format!("{name}={value}"), times);
        let header = others.iter().cloned().chain(own).collect::<Vec<_>>().join("; ");
        let read = jar.read(std::iter::once(header.as_str()), Cookie::Session);
        prop_assert_eq!(read, (times == 1).then_some(value.as_str()));
        prop_assert_eq!(jar.read(std::iter::once(header.as_str()), Cookie::Browser), None);
        Ok(())
    });
}

/// Target 15, threat 50: a token has one spelling.
#[test]
fn a_refresh_token_has_one_spelling() {
    hold(CASES, &proptest::collection::vec(any::<u8>(), 76), |bytes| {
        let text = format!("prt_{}", URL_SAFE_NO_PAD.encode(&bytes));
        prop_assert_eq!(RefreshToken::parse(&text).map(|token| token.encode()), Some(text));
        Ok(())
    });
    let nearly = "(prt_|PRT_|prt|)[A-Za-z0-9_+/=-]{0,104}";
    hold(CASES * 2, &nearly, |text| {
        prop_assert!(RefreshToken::parse(&text).is_none_or(|token| token.encode() == text));
        Ok(())
    });
}

/// Target 16, threats 142, 162: only a trusted peer is believed, and only about addresses that it named.
#[test]
fn the_clients_address_is_the_peers_or_one_that_a_trusted_peer_named() {
    let hop = "(for=|For=|by=|)(\"?\\[?[0-9a-f:.]{2,20}\\]?(:[0-9]{1,5})?\"?|unknown|_hidden|[ -~]{0,10})";
    let line = proptest::collection::vec(hop, 0..4).prop_map(|hops| hops.join(", "));
    let addresses = ["10.0.0.1", "192.0.2.7", "2001:db8::1"].map(|text| text.parse::<IpAddr>().unwrap());
    let peer = proptest::sample::select(addresses.to_vec());
    let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
    hold(CASES * 2, &(peer, line.clone(), line), |(peer, forwarded, x_forwarded_for)| {
        let mut headers = HeaderMap::new();
        let lines = [(header::FORWARDED.as_str(), &forwarded), ("x-forwarded-for", &x_forwarded_for)];
        for (name, value) in lines {
            headers.insert(name, HeaderValue::from_str(value).expect("visible"));
        }
        let ClientAddress(client) = client_address(peer, &headers, &trusted);
        if !trusted[0].contains(&peer) {
            prop_assert_eq!(client, peer);
        } else if client != peer {
            let named = |text: &str| {
                let split = |c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.');
                text.split(split).any(|word| {
                    let ported = word.rsplit_once(':').and_then(|(host, _)| host.parse::<IpAddr>().ok());
                    [word.parse().ok(), ported]
                        .into_iter()
                        .flatten()
                        .any(|one: IpAddr| one.to_canonical() == client)
                })
            };
            prop_assert!(
                named(&forwarded) || named(&x_forwarded_for),
                "{client}: {forwarded} {x_forwarded_for}"
            );
        }
        prop_assert_eq!(client_address(peer, &HeaderMap::new(), &trusted), ClientAddress(peer));
        Ok(())
    });
}
