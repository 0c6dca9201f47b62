//! The lint rules of clients.

use super::advice::{Advice, Places};
use super::reader::problem;
use super::tree::shown;
use super::{Config, Problem, Severity};
use crate::model::client::{AssertionAudience, Client, ClientSecret, ConsentPolicy, PkcePolicy};
use crate::protocol::grant_type::GrantType;
use crate::protocol::identifiers::ClientId;
use crate::protocol::redirect_uri::{ApplicationType, RedirectKind, RedirectUri};
use crate::protocol::server_metadata::FrontChannelLogout;
use std::collections::BTreeMap;

/// Looks at one client.
pub(super) fn advise(client: &Client, config: &Config, advice: &mut Advice<'_>) {
    let key = |member: &str| format!("client.{}.{member}", client.id);
    secrets(client, advice);
    redirects(client, config, advice);
    let metadata = &client.metadata;
    if client.pkce == PkcePolicy::Excused {
        advice.warn(
            ("pkce-not-required", Some("RFC 9700 §2.1.1")),
            &key("require_pkce"),
            "false",
            "true, as soon as the client can: without PKCE an injected code is accepted",
        );
    }
    if metadata.scope.is_empty() {
        advice.warn(
            ("client-without-scope", Some("RFC 7591 §2")),
            &key("scope"),
            "no scope",
            "the scopes that the client may ask for",
        );
    }
    let keeps = metadata.allows(GrantType::RefreshToken);
    if metadata.scope.contains("offline_access") && !keeps {
        advice.warn(
            ("offline-access-without-refresh", Some("OpenID Connect Core §11")),
            &key("scope"),
            "`offline_access` without the grant type refresh_token",
            "`refresh_token` among the grant_types",
        );
    }
    if client.assertion_audience == AssertionAudience::TokenEndpoint {
        advice.warn(
            ("assertion-audience", Some("draft-ietf-oauth-rfc7523bis §4")),
            &key("client_assertion_audience"),
            "`token_endpoint`",
            "`issuer`, as soon as the client can: another server can name this endpoint as its own and use what it is sent",
        );
    }
    if metadata.application_type == ApplicationType::Native
        && metadata.token_endpoint_auth_method.has_secret()
    {
        advice.warn(
            ("confidential-native-client", Some("RFC 8252 §8.5")),
            &key("token_endpoint_auth_method"),
            "a native application with a secret",
            "`none`: what is shipped to every device is no secret",
        );
    }
    if metadata.frontchannel_logout_uri.is_some() && config.front_channel_logout == FrontChannelLogout::Off {
        advice.inform(
            ("front-channel-logout-off", Some("Front-Channel Logout §3")),
            &key("frontchannel_logout_uri"),
            "a frontchannel_logout_uri that is never loaded",
            "`[front_channel_logout]` in the main file, or better a backchannel_logout_uri, which needs no browser",
        );
    }
    let only_service = metadata.grant_types == [GrantType::ClientCredentials];
    if only_service && !metadata.redirect_uris.is_empty() {
        advice.inform(
            ("redirect-uri-without-code", None),
            &key("redirect_uris"),
            "redirect URIs of a client without authorization_code",
            "none",
        );
    }
    if metadata.allows(GrantType::ClientCredentials) && metadata.allows(GrantType::AuthorizationCode) {
        advice.inform(
            ("service-and-person", Some("RFC 9700 §4.15")),
            &key("grant_types"),
            "client_credentials beside authorization_code",
            "two clients: a token then always tells whether a person stands behind it",
        );
    }
}

/// What is to be said of each client when one of its name has registered itself as well: the files win.
pub(super) fn clashes(config: &Config, places: &Places) -> BTreeMap<ClientId, Problem> {
    let said = |client: &Client| {
        let mut clash = problem(
            Severity::Warning,
            &places.site(&format!("client.{}.client_id", client.id)),
            "registered-client-shadowed",
            "the client_id of a client that registered itself; this entry takes its place".into(),
            "a client_id of its own, unless the registered client was taken over on purpose".into(),
        );
        clash.section = Some("RFC 7591 §3.2.1");
        (client.id.clone(), clash)
    };
    config.clients.iter().map(said).collect()
}

fn secrets(client: &Client, advice: &mut Advice<'_>) {
    let key = format!("client.{}.client_secrets", client.id);
    if client.secrets.len() > 2 {
        advice.warn(
            ("many-secrets", None),
            &key,
            format!("{} live secrets", client.secrets.len()),
            "two at most: the old one and its successor",
        );
    }
    for (index, secret) in client.secrets.iter().enumerate() {
        let key = format!("{key}[{index}]");
        match secret {
            ClientSecret::Argon2(phc) => {
                advice.warn(
                    ("slow-client-secret", None),
                    &key,
                    "an argon2id hash: each request of the client costs a hash of it",
                    "a generated secret and its SHA-256; `portreeve client secret` prints both",
                );
                if memory_of(phc).is_some_and(|memory| memory < 19 * 1024) {
                    advice.warn(
                        ("weak-argon2", None),
                        &key,
                        "argon2id with less than 19 MiB of memory",
                        "m=19456,t=2,p=1 or stronger",
                    );
                }
            }
            ClientSecret::Sha256(_) => {}
        }
    }
}

fn memory_of(phc: &str) -> Option<u32> {
    phc.split('$').nth(3)?.split(',').next()?.strip_prefix("m=")?.parse().ok()
}

fn redirects(client: &Client, config: &Config, advice: &mut Advice<'_>) {
    let metadata = &client.metadata;
    let first_party = client.consent == ConsentPolicy::FirstParty;
    if first_party
        && config.issuer.is_secure()
        && metadata.redirect_uris.iter().any(RedirectUri::is_spoofable)
    {
        advice.warn(
            ("first-party-spoofable", Some("RFC 8252 §8.6")),
            &format!("client.{}.first_party", client.id),
            "true, with a redirect URI that another program on the device could claim",
            "consent, or https redirect URIs only",
        );
    }
    for (index, origin) in client.allowed_origins.iter().enumerate() {
        let web = metadata.application_type == ApplicationType::Web;
        if origin.starts_with("http:") && config.issuer.is_secure() && web {
            advice.warn(
                ("loopback-origin", Some("RFC 8252 §8.3")),
                &format!("client.{}.allowed_origins[{index}]", client.id),
                shown(origin),
                "https origins only, beside an https issuer: anything on the person's device may listen there",
            );
        }
    }
    for (index, uri) in metadata.redirect_uris.iter().enumerate() {
        let key = format!("client.{}.redirect_uris[{index}]", client.id);
        if *uri.kind() == RedirectKind::Loopback
            && uri.as_str().starts_with("http://localhost")
            && metadata.application_type == ApplicationType::Native
        {
            advice.warn(
                ("localhost-redirect", Some("RFC 8252 §8.3")),
                &key,
                shown(uri.as_str()),
                "`http://127.0.0.1/…` or `http://[::1]/…`: localhost may resolve elsewhere, and its port is fixed",
            );
        }
    }
}
