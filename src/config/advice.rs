//! The lint rules: what may be served, but is unsafe, has no effect, or is worth knowing; each with its name, which never
//! changes, and its section.

use super::client_advice;
use super::problem::{Problem, Severity};
use super::reader::{Reader, Site, in_words, problem};
use super::tree::{Place, Source, shown};
use super::{Config, SecretKey};
use crate::model::client::PkcePolicy;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where each key stands that was typed.
pub(super) struct Places {
    file: Arc<Path>,
    places: BTreeMap<String, Place>,
}

impl Places {
    pub(super) fn new(file: &Arc<Path>, reader: &Reader<'_>) -> Self {
        Self { file: Arc::clone(file), places: reader.places.clone() }
    }

    /// Where `key` stands, or the nearest thing that holds it; the file's begin for a default.
    pub(super) fn site(&self, key: &str) -> Site {
        let mut holder = key;
        loop {
            if let Some(place) = self.places.get(holder) {
                return Site { place: place.clone(), key: key.to_owned() };
            }
            match holder.rsplit_once(['.', '[']) {
                Some((outer, _)) => holder = outer,
                None => {
                    let source = Source::File(Arc::clone(&self.file));
                    return Site { place: Place { source, line: 1, column: 1 }, key: key.to_owned() };
                }
            }
        }
    }

    fn is_typed(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }
}

/// What the rules have found so far.
pub(super) struct Advice<'a> {
    pub(super) places: &'a Places,
    findings: Vec<Problem>,
}

/// A rule: its name and, where there is one, the section behind it.
pub(super) type Rule = (&'static str, Option<&'static str>);

impl Advice<'_> {
    /// Notes a finding about `key`.
    pub(super) fn note(
        &mut self,
        severity: Severity,
        (rule, section): Rule,
        key: &str,
        found: impl Into<String>,
        better: impl Into<String>,
    ) {
        let mut finding = problem(severity, &self.places.site(key), rule, found.into(), better.into());
        finding.section = section;
        self.findings.push(finding);
    }

    /// Notes a warning about `key`.
    pub(super) fn warn(
        &mut self,
        rule: Rule,
        key: &str,
        found: impl Into<String>,
        better: impl Into<String>,
    ) {
        self.note(Severity::Warning, rule, key, found, better);
    }

    /// Notes something worth knowing about `key`.
    pub(super) fn inform(
        &mut self,
        rule: Rule,
        key: &str,
        found: impl Into<String>,
        better: impl Into<String>,
    ) {
        self.note(Severity::Info, rule, key, found, better);
    }
}

/// Looks at a whole configuration.
pub(super) fn advise(config: &Config, places: &Places) -> Vec<Problem> {
    let mut advice = Advice { places, findings: Vec::new() };
    network(config, &mut advice);
    keys(config, &mut advice);
    lifetimes(config, &mut advice);
    scopes(config, &mut advice);
    registration(config, &mut advice);
    for client in &config.clients {
        client_advice::advise(client, config, &mut advice);
    }
    advice.findings
}

fn network(config: &Config, advice: &mut Advice<'_>) {
    let listen = &config.listen;
    let open = !listen.address.ip().is_loopback();
    if open && listen.tls.is_none() && listen.trusted_proxies.is_empty() {
        advice.warn(
            ("plain-http-listener", Some("RFC 6749 §3.1")),
            "listen.address",
            format!("plain http on {}", listen.address),
            "listen.tls, or listen.trusted_proxies when a proxy ends TLS, or a loopback address",
        );
    }
    if open && !config.issuer.is_secure() {
        advice.warn(
            ("development-issuer-exposed", Some("RFC 8414 §2")),
            "issuer",
            format!("an http issuer on {}", listen.address),
            "a loopback listener for development, an https issuer for others",
        );
    }
    if listen.tls.is_some() && !config.issuer.is_secure() {
        advice.warn(
            ("tls-without-https-issuer", Some("RFC 8414 §2")),
            "issuer",
            "an http issuer behind listen.tls",
            "an https issuer: its URLs are what clients use",
        );
    }
    for (index, network) in listen.trusted_proxies.iter().enumerate() {
        if network.prefix_len() == 0 {
            advice.warn(
                ("every-proxy-trusted", Some("RFC 7239 §8")),
                &format!("listen.trusted_proxies[{index}]"),
                shown(&network.to_string()),
                "the addresses of the proxies: anyone may now say who they are",
            );
        }
    }
    for (index, authority) in config.outbound.allow_private.iter().enumerate() {
        if config.issuer.is_secure() {
            advice.warn(
                ("private-host-reachable", Some("RFC 9101 §10.4")),
                &format!("outbound.allow_private[{index}]"),
                shown(&authority.to_string()),
                "public hosts only: whoever names a URL for this server to ask may name this one",
            );
        }
    }
    if !config.operations.address.ip().is_loopback() {
        advice.inform(
            ("operations-exposed", None),
            "operations.address",
            config.operations.address.to_string(),
            "an address that only operators reach: health and metrics are told to whoever asks",
        );
    }
    if config.database.url.is_sqlite() && config.issuer.is_secure() {
        advice.inform(
            ("sqlite-in-production", None),
            "database.url",
            "the SQLite inside, with an https issuer",
            "PostgreSQL when more than one replica or a backup without a pause is wanted",
        );
    }
    let url = url::Url::parse(config.database.url.expose()).ok();
    if url.is_some_and(|url| url.password().is_some()) && advice.places.is_in_file("database.url") {
        advice.warn(
            ("database-password-in-file", None),
            "database.url",
            "a password in the configuration",
            "`url = { env = \"DATABASE_URL\" }` or `{ file = \"…\" }`",
        );
    }
}

impl Places {
    /// Whether the value of `key` stands in the file itself, as text.
    fn is_in_file(&self, key: &str) -> bool {
        let in_file =
            |key: &str| self.places.get(key).is_some_and(|place| matches!(place.source, Source::File(_)));
        in_file(key) && !self.is_typed(&format!("{key}.file")) && !self.is_typed(&format!("{key}.env"))
    }
}

fn keys(config: &Config, advice: &mut Advice<'_>) {
    let repeats = |key: &SecretKey| key.0.iter().all(|byte| *byte == key.0[0]);
    if repeats(&config.secret_keys.current) {
        advice.warn(
            ("secret-key-not-random", None),
            "secret_key",
            "one byte, again and again",
            "32 random bytes; `portreeve init` makes them",
        );
    }
    for (index, key) in config.secret_keys.previous.iter().enumerate() {
        if *key == config.secret_keys.current {
            advice.inform(
                ("previous-key-is-current", None),
                &format!("previous_secret_keys[{index}]"),
                "the current key",
                "the keys before it",
            );
        }
    }
}

fn lifetimes(config: &Config, advice: &mut Advice<'_>) {
    let lifetimes = &config.lifetimes;
    if lifetimes.authorization_code > Duration::from_secs(60) {
        advice.warn(
            ("long-authorization-code", Some("RFC 6749 §4.1.2")),
            "lifetimes.authorization_code",
            in_words(lifetimes.authorization_code),
            "60s: a code is spent within seconds, and one that leaked should be dead",
        );
    }
    if lifetimes.access_token > Duration::from_secs(3600) {
        advice.warn(
            ("long-access-token", Some("RFC 9700 §2.2")),
            "lifetimes.access_token",
            in_words(lifetimes.access_token),
            "1h at most: a resource server that only verifies signatures does not see a revocation",
        );
    }
    let pairs = [
        ("refresh_token_idle", "refresh_token_absolute", lifetimes.refresh_token_absolute),
        ("session_idle", "session_absolute", lifetimes.session_absolute),
    ];
    for (idle, absolute, limit) in pairs {
        let typed = advice.places.is_typed(&format!("lifetimes.{idle}"));
        let idle_now =
            if idle == "session_idle" { lifetimes.session_idle } else { lifetimes.refresh_token_idle };
        if typed && idle_now == limit && !advice.places.is_typed(&format!("lifetimes.{absolute}")) {
            advice.warn(
                ("idle-cut-by-absolute", None),
                &format!("lifetimes.{idle}"),
                format!("a time that {absolute}, which is {} by default, cuts short", in_words(limit)),
                format!("a shorter one, or {absolute} beside it"),
            );
        }
    }
}

fn registration(config: &Config, advice: &mut Advice<'_>) {
    let Some(registration) = &config.registration else { return };
    if registration.is_open() {
        advice.warn(
            ("open-registration", Some("RFC 7591 §5")),
            "registration.initial_access_tokens",
            "no initial access token: everybody may register clients",
            "`initial_access_tokens = [{ sha256 = \"…\" }]`; `portreeve client secret` prints a token and its hash",
        );
    }
    if registration.pkce == PkcePolicy::Excused {
        advice.warn(
            ("registration-without-pkce", Some("RFC 9700 §2.1.1")),
            "registration.require_pkce",
            "false",
            "true: without PKCE an injected code is accepted",
        );
    }
}

fn scopes(config: &Config, advice: &mut Advice<'_>) {
    let built_in = super::scopes::built_in();
    for name in config.scopes.keys().filter(|name| !built_in.contains_key(*name)) {
        let served = config.resources.iter().any(|resource| resource.scopes.contains(name));
        let offered =
            config.registration.as_ref().is_some_and(|registration| registration.scope.contains(name));
        let asked = offered || config.clients.iter().any(|client| client.metadata.scope.contains(name));
        if !served && !asked {
            advice.inform(
                ("unused-scope", None),
                &format!("scopes.{}.description", super::reader::quoted(name)),
                format!("{}, which no resource serves and no client may ask for", shown(name)),
                "a use for it",
            );
        }
    }
}
