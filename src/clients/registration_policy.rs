//! What a client that registers itself may be: lawful metadata (one type for all clients), within what the operator allows.
//! More than that is refused, not silently cut down (RFC 7591 §3.2.2): whoever registers should know what it has.

use crate::clients::registration_error::RegistrationError;
use crate::config::{Config, Registration};
use crate::model::client::{
    Client, ClientSecret, ConsentPolicy, PkcePolicy, Provenance, RefreshTokenRotation, SignatureKeys,
};
use crate::model::registered_client::RegisteredClient;
use crate::outbound::{Expected, Outbound, OutboundUrl, Purpose};
use crate::protocol::client_metadata::{ClientKeys, ClientMetadata, MetadataProblem};
use crate::protocol::grant_type::GrantType;
use crate::protocol::localized::Localized;
use crate::protocol::scope::BUILT_IN;
use serde_json::{Map, Value};

/// What metadata is judged by.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What it says of registration.
    pub registration: &'a Registration,
    /// What fetches the documents that metadata names.
    pub outbound: &'a Outbound,
}

/// What a `sector_identifier_uri` has to be (OpenID Connect Registration §5).
const SECTOR: Expected =
    Expected { purpose: Purpose::SectorIdentifier, media_types: &["application/json"], largest: 64 * 1024 };

/// Whether this client and this server share a secret.
pub fn has_secret(metadata: &ClientMetadata) -> bool {
    metadata.token_endpoint_auth_method.has_secret()
}

/// What a registration says under this configuration: of scopes and grants no more than it allows today. Nothing when it is
/// not lawful any more.
pub fn metadata_of(stored: &RegisteredClient, config: &Config) -> Option<ClientMetadata> {
    let policy = config.registration.as_ref()?;
    let mut metadata = ClientMetadata::from_members(&stored.members, config.deployment()).ok()?;
    metadata.scope = metadata.scope.retain(|scope| policy.scope.contains(scope));
    metadata.grant_types.retain(|grant_type| policy.grant_types.contains(grant_type));
    (has_secret(&metadata) == stored.secret_hash.is_some()).then_some(metadata)
}

/// The client that a registration makes under this configuration.
pub fn client_of(stored: &RegisteredClient, config: &Config) -> Option<Client> {
    let policy = config.registration.as_ref()?;
    let metadata = metadata_of(stored, config)?;
    let public = metadata.is_public();
    Some(Client {
        keys: SignatureKeys::of(&metadata.keys).ok()?,
        id: stored.id.clone(),
        secrets: stored.secret_hash.map(ClientSecret::Sha256).into_iter().collect(),
        pkce: if public { PkcePolicy::Required } else { policy.pkce },
        consent: ConsentPolicy::Asked,
        allowed_groups: Vec::new(),
        refresh_token_rotation: match public {
            true => RefreshTokenRotation::EveryUse,
            false => RefreshTokenRotation::Never,
        },
        assertion_audience: policy.assertion_audience,
        allowed_origins: origins_of(&metadata),
        provenance: Provenance::Registered,
        metadata,
    })
}

/// Where the client's own pages are, when they are all there is of it.
pub fn origins_of(metadata: &ClientMetadata) -> Vec<String> {
    if metadata.is_public() { Client::origins_of(metadata) } else { Vec::new() }
}

impl Policy<'_> {
    /// Judges the members of a request. Those that nobody knows are ignored (RFC 7591 §2), and null is as nothing (RFC 7592
    /// §2.2).
    pub async fn judge(&self, mut members: Map<String, Value>) -> Result<ClientMetadata, RegistrationError> {
        members.retain(|_, value| !value.is_null());
        refuse_unsupported(&members)?;
        members.retain(|name, _| ClientMetadata::knows(name));
        let metadata = ClientMetadata::from_members(&members, self.config.deployment());
        let mut metadata = metadata.map_err(|problems| refusal(&problems))?;
        self.allow(&mut metadata, members.contains_key("scope"))?;
        self.admit_keys(&metadata)?;
        self.admit_urls(&metadata)?;
        self.admit_sector(&metadata).await?;
        Ok(metadata)
    }

    /// Scopes, grants and algorithms within what there is; no scope means all that it may have.
    fn allow(&self, metadata: &mut ClientMetadata, says_scope: bool) -> Result<(), RegistrationError> {
        let policy = self.registration;
        for grant_type in &metadata.grant_types {
            if !policy.grant_types.contains(grant_type) {
                let name = grant_type.as_str();
                return Err(RegistrationError::Metadata(format!(
                    "grant_types: {name} is not for clients that register themselves"
                )));
            }
        }
        let service = metadata.grant_types == [GrantType::ClientCredentials];
        let fits = |scope: &str| policy.scope.contains(scope) && !(service && BUILT_IN.contains(&scope));
        if !says_scope {
            metadata.scope = policy.scope.retain(fits);
        }
        if let Some(scope) = metadata.scope.iter().find(|scope| !fits(scope.as_str())) {
            return Err(RegistrationError::Metadata(format!(
                "scope: {scope} is not for clients of this kind that register themselves"
            )));
        }
        let signed = [
            ("id_token_signed_response_alg", Some(metadata.id_token_signed_response_alg)),
            ("userinfo_signed_response_alg", metadata.userinfo_signed_response_alg),
            ("introspection_signed_response_alg", metadata.introspection_signed_response_alg),
        ];
        for (member, algorithm) in signed {
            if algorithm.is_some_and(|one| !self.config.signing_keys.algorithms.contains(&one)) {
                return Err(RegistrationError::Metadata(format!(
                    "{member}: this server has no key of that algorithm"
                )));
            }
        }
        Ok(())
    }

    /// Keys by value are held to the policy for keys (threat 73).
    fn admit_keys(&self, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
        let keys = SignatureKeys::of(&metadata.keys);
        keys.map(drop).map_err(|why| RegistrationError::Metadata(format!("jwks: {why}")))
    }

    /// What this server would be asked to fetch is somewhere that it may ask (threats 87, 93).
    fn admit_urls(&self, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
        let keys = match &metadata.keys {
            ClientKeys::ByReference(uri) => Some(uri),
            _ => None,
        };
        let one = [
            ("jwks_uri", keys),
            ("sector_identifier_uri", metadata.sector_identifier_uri.as_ref()),
            ("backchannel_logout_uri", metadata.backchannel_logout_uri.as_ref()),
        ];
        let one = one.into_iter().filter_map(|(member, uri)| Some((member, uri?)));
        let many = metadata.request_uris.iter().map(|uri| ("request_uris", uri));
        let logos = urls(&metadata.logo_uri).map(|uri| ("logo_uri", uri));
        for (member, uri) in one.chain(many).chain(logos) {
            let url = OutboundUrl::parse(uri)
                .map_err(|why| RegistrationError::Metadata(format!("{member}: the URL {why}")))?;
            if let Err(why) = self.outbound.may_reach(&url) {
                tracing::info!(member, reason = %why, "a registration names a URL that is not asked");
                return Err(RegistrationError::Metadata(format!("{member}: {}", why.told())));
            }
        }
        Ok(())
    }

    /// OpenID Connect Registration §5: the document lists every redirect URI of the client, at every registration and update
    /// (threat 92).
    async fn admit_sector(&self, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
        let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
        let refuse = |why: &str| Err(RegistrationError::Metadata(format!("sector_identifier_uri: {why}")));
        let Ok(url) = OutboundUrl::parse(uri) else { return refuse("it is no URL that can be asked") };
        let document = match self.outbound.for_strangers().get(&url, SECTOR).await {
            Ok(document) => document,
            Err(why) => return refuse(why.told()),
        };
        let Ok(listed) = serde_json::from_slice::<Vec<String>>(&document.bytes) else {
            return refuse("the document is not an array of texts");
        };
        if metadata.redirect_uris.iter().all(|uri| listed.iter().any(|one| one == uri.as_str())) {
            Ok(())
        } else {
            refuse("the document does not list every redirect URI")
        }
    }
}

/// A text in every language.
fn urls(localized: &Localized) -> impl Iterator<Item = &String> {
    localized.default.iter().chain(localized.by_language.values())
}

/// Members that this version does not act on, when they ask for anything.
fn refuse_unsupported(members: &Map<String, Value>) -> Result<(), RegistrationError> {
    if let Some(statement) = members.get("software_statement") {
        let is_token = statement.as_str().is_some_and(|text| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            text.split('.').count() == 3 && text.bytes().all(fits) && !text.starts_with('.')
        });
        return Err(match is_token {
            true => RegistrationError::SoftwareStatementUnapproved,
            false => RegistrationError::SoftwareStatementMalformed,
        });
    }
    for member in ClientMetadata::UNSUPPORTED {
        let asks_nothing = match members.get(member) {
            None | Some(Value::Bool(false)) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(_) => false,
        };
        if !asks_nothing {
            return Err(RegistrationError::Metadata(format!("{member}: this server does not support it")));
        }
    }
    Ok(())
}

/// The first problem in words; a redirect URI's before any other.
fn refusal(problems: &[MetadataProblem]) -> RegistrationError {
    let of_uris = |problem: &&MetadataProblem| problem.member == "redirect_uris";
    let words = |problem: &MetadataProblem| {
        let index = problem.index.map(|index| format!("[{index}]")).unwrap_or_default();
        let member: String = problem.member.chars().take(80).collect();
        format!("{member}{index}: expected {}", problem.expected)
    };
    match (problems.iter().find(of_uris), problems.first()) {
        (Some(problem), _) => RegistrationError::RedirectUri(words(problem)),
        (None, Some(problem)) => RegistrationError::Metadata(words(problem)),
        (None, None) => RegistrationError::Metadata("the metadata is not lawful".into()),
    }
}
