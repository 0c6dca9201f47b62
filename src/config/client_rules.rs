//! What the operator decides about a client beside the standards' members, and the rules that tie a client to the rest of
//! the configuration.

use super::client_secrets::client_secrets;
use super::clients::Surroundings;
use super::reader::{Reader, Section, Site};
use super::scopes::{readable, undeclared};
use super::tree::{Node, Table, Typed, shown};
use crate::model::client::{
    AssertionAudience, Client, ClientSecret, ConsentPolicy, PkcePolicy, Provenance, RefreshTokenRotation,
    SignatureKeys,
};
use crate::protocol::client_authentication_method::ClientAuthenticationMethod;
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::grant_type::GrantType;
use crate::protocol::identifiers::ClientId;
use crate::protocol::scope::{BUILT_IN, Scopes};
use crate::protocol::signing_algorithm::SigningAlgorithm;
use url::{Host, Url};

/// What a client's table says, as far as it can be told although something else in it is wrong: so that one mistake does
/// not hide another.
pub(super) struct Typing<'t> {
    table: &'t Table,
    /// `None` when the method is none that exists.
    pub(super) method: Option<ClientAuthenticationMethod>,
    pub(super) grant_types: Vec<GrantType>,
}

impl<'t> Typing<'t> {
    pub(super) fn of(table: &'t Table) -> Self {
        let node = |key: &str| table.entries.get(key).map(|entry| &entry.node);
        let method = match node("token_endpoint_auth_method") {
            None => Some(ClientAuthenticationMethod::ClientSecretBasic),
            Some(node) => node.as_text().and_then(ClientAuthenticationMethod::parse),
        };
        let grant_types = match node("grant_types").map(|node| &node.typed) {
            None => vec![GrantType::AuthorizationCode],
            Some(Typed::Array(elements)) => {
                elements.iter().filter_map(Node::as_text).filter_map(GrantType::parse).collect()
            }
            Some(_) => Vec::new(),
        };
        Self { table, method, grant_types }
    }

    fn text(&self, key: &str) -> Option<(&'t str, &'t Node)> {
        let node = &self.table.entries.get(key)?.node;
        Some((node.as_text()?, node))
    }

    fn is_public(&self) -> bool {
        self.method == Some(ClientAuthenticationMethod::None)
    }

    /// Whether no person ever stands behind the client's tokens.
    fn is_service(&self) -> bool {
        self.grant_types == [GrantType::ClientCredentials]
    }
}

/// The operator's own settings of a client.
pub(super) struct OwnSettings {
    secrets: Vec<ClientSecret>,
    pkce: PkcePolicy,
    consent: ConsentPolicy,
    allowed_groups: Vec<String>,
    rotation: Option<bool>,
    assertion_audience: AssertionAudience,
    allowed_origins: Option<Vec<String>>,
}

impl OwnSettings {
    /// The client that these settings and its metadata make.
    pub(super) fn client(self, id: ClientId, metadata: ClientMetadata, keys: SignatureKeys) -> Client {
        let rotate = self.rotation.unwrap_or(metadata.is_public());
        let allowed_origins = match self.allowed_origins {
            Some(origins) => origins,
            None if metadata.is_public() => Client::origins_of(&metadata),
            None => Vec::new(),
        };
        Client {
            id,
            metadata,
            keys,
            secrets: self.secrets,
            pkce: self.pkce,
            consent: self.consent,
            allowed_groups: self.allowed_groups,
            refresh_token_rotation: if rotate {
                RefreshTokenRotation::EveryUse
            } else {
                RefreshTokenRotation::Never
            },
            assertion_audience: self.assertion_audience,
            allowed_origins,
            provenance: Provenance::Configured,
        }
    }
}

/// Reads the keys that are this server's own.
pub(super) fn own_settings(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    typing: &Typing<'_>,
) -> OwnSettings {
    let secrets = client_secrets(reader, section);
    agree_on_secrets(reader, section, typing);
    let require_pkce = reader.boolean(section, "require_pkce");
    if let Some((false, site)) = &require_pkce
        && typing.is_public()
    {
        let expected = "true: a public client has nothing else that binds a code to it";
        reader.refuse(site, "public-without-pkce", "false", expected).section = Some("RFC 9700 §2.1.1");
    }
    let rotation = reader.boolean(section, "refresh_token_rotation");
    if let Some((false, site)) = &rotation
        && typing.is_public()
    {
        let expected = "true: a public client's refresh tokens are replaced at every use";
        reader.refuse(site, "public-without-rotation", "false", expected).section = Some("RFC 9700 §2.2.2");
    }
    let first_party = reader.boolean(section, "first_party").is_some_and(|(first_party, _)| first_party);
    OwnSettings {
        secrets,
        pkce: match require_pkce {
            Some((false, _)) => PkcePolicy::Excused,
            _ => PkcePolicy::Required,
        },
        consent: if first_party { ConsentPolicy::FirstParty } else { ConsentPolicy::Asked },
        allowed_groups: allowed_groups(reader, section),
        rotation: rotation.map(|(rotate, _)| rotate),
        assertion_audience: assertion_audience(reader, section),
        allowed_origins: allowed_origins(reader, section),
    }
}

fn assertion_audience(reader: &mut Reader<'_>, section: &mut Section<'_>) -> AssertionAudience {
    let Some((text, site)) = reader.text(section, "client_assertion_audience") else {
        return AssertionAudience::default();
    };
    AssertionAudience::parse(&text).unwrap_or_else(|| {
        let expected = format!("one of {}", AssertionAudience::ALL.map(AssertionAudience::as_str).join(", "));
        reader.refuse(&site, "invalid-value", shown(&text), expected).section = Some("RFC 7523 §3");
        AssertionAudience::default()
    })
}

/// RFC 6749 §2.3: a client whose method needs a secret has one, any other has none.
fn agree_on_secrets(reader: &mut Reader<'_>, section: &mut Section<'_>, typing: &Typing<'_>) {
    let typed = section.get("client_secrets");
    let none = match &typed {
        None => true,
        Some((node, _)) => matches!(&node.typed, Typed::Array(elements) if elements.is_empty()),
    };
    match typing.method {
        Some(ClientAuthenticationMethod::None) => {
            if let Some((_, site)) = typed.filter(|_| !none) {
                let expected = "none: a client with token_endpoint_auth_method = \"none\" is public";
                reader.refuse(&site, "public-with-secret", "secrets", expected).section =
                    Some("RFC 6749 §2.1");
            }
        }
        Some(ClientAuthenticationMethod::PrivateKeyJwt) => {
            if let Some((_, site)) = typed.filter(|_| !none) {
                let expected =
                    "none: a client with token_endpoint_auth_method = \"private_key_jwt\" signs with its key";
                reader.refuse(&site, "secret-without-use", "secrets", expected).section =
                    Some("OpenID Connect Core §9");
            }
        }
        Some(method) if none => {
            let place = typed.map_or(section.site.place.clone(), |(_, site)| site.place);
            let site = Site { place, key: section.path("client_secrets") };
            let expected = format!("at least one, for the method {}", method.as_str());
            let problem = reader.refuse(&site, "missing-key", "no secret", expected);
            problem.hint =
                "`portreeve client secret` prints a new secret and the line to paste; a public client says \
                            token_endpoint_auth_method = \"none\""
                    .into();
            problem.section = Some("RFC 6749 §2.3");
        }
        _ => {}
    }
}

fn allowed_groups(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<String> {
    let Some(typed) = reader.texts(section, "allowed_groups") else { return Vec::new() };
    if typed.is_empty()
        && let Some((node, site)) = section.get("allowed_groups")
        && matches!(&node.typed, Typed::Array(elements) if elements.is_empty())
    {
        let expected = "at least one group; leave the key out to admit everyone";
        reader.refuse(&site, "invalid-value", "no group", expected);
    }
    for (group, site) in &typed {
        if !readable(group, 200) {
            reader.refuse(site, "invalid-value", shown(group), "the name of a group, 1 to 200 characters");
        }
    }
    typed.into_iter().map(|(group, _)| group).collect()
}

fn allowed_origins(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Vec<String>> {
    let typed = reader.texts(section, "allowed_origins")?;
    let mut origins = Vec::new();
    for (text, site) in typed {
        if is_origin(&text) {
            origins.push(text);
        } else {
            let expected = "an exact origin without a path, such as \"https://app.example.com\"; http only on the \
                            loopback";
            reader.refuse(&site, "invalid-origin", shown(&text), expected).section = Some("RFC 6454 §6.2");
        }
    }
    Some(origins)
}

/// Whether a text is what a browser sends as `Origin`.
fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let scheme_fits = match url.scheme() {
        "https" => true,
        "http" => loopback,
        _ => false,
    };
    scheme_fits && !text.contains('*') && url.origin().ascii_serialization() == text
}

/// The rules that tie a client to the scopes and the keys of the configuration.
pub(super) fn check(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    typing: &Typing<'_>,
    surroundings: &Surroundings<'_>,
) {
    if let Some((text, node)) = typing.text("scope")
        && let Ok(scopes) = Scopes::parse(text)
    {
        let site = Site { place: node.place.clone(), key: section.path("scope") };
        for scope in scopes.iter().map(|scope| scope.as_str()) {
            if let Some(declared) = surroundings.scopes
                && !declared.contains_key(scope)
            {
                undeclared(reader, &site, scope, declared);
            } else if typing.is_service() && BUILT_IN.contains(&scope) {
                let expected = "scopes of a service: there is no person behind client_credentials";
                let problem = reader.refuse(&site, "service-with-person-scope", shown(scope), expected);
                problem.section = Some("RFC 6749 §4.4");
            }
        }
    }
    // What this server signs for the client needs a key of that algorithm.
    for member in
        ["id_token_signed_response_alg", "userinfo_signed_response_alg", "introspection_signed_response_alg"]
    {
        if let Some((text, node)) = typing.text(member)
            && let Some(algorithm) = SigningAlgorithm::parse(text)
            && let Some(algorithms) = surroundings.algorithms
            && !algorithms.contains(&algorithm)
        {
            let site = Site { place: node.place.clone(), key: section.path(member) };
            let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
            let expected = format!("one of signing_keys.algorithms: {}", names.join(", "));
            reader.refuse(&site, "algorithm-without-key", shown(text), expected).section =
                Some("OpenID Connect Registration §2");
        }
    }
}
