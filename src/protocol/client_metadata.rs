//! Client metadata (RFC 7591 §2, OpenID Connect Registration §2): one type, one set of rules, for the files of the
//! operator and whatever else may describe a client. It parses a JSON object and reports every problem at once.

use crate::protocol::client_authentication_method::ClientAuthenticationMethod;
use crate::protocol::grant_type::GrantType;
use crate::protocol::localized::Localized;
use crate::protocol::metadata_reader::Reader;
use crate::protocol::redirect_uri::{ApplicationType, Deployment, RedirectUri};
use crate::protocol::scope::Scopes;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use serde_json::{Map, Value};
use url::Url;

/// What a client says of itself, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `client_name`: what people read; the client identifier when absent.
    pub client_name: Localized,
    /// `client_uri`.
    pub client_uri: Localized,
    /// `logo_uri`: fetched by this server, never loaded from a page.
    pub logo_uri: Localized,
    /// `policy_uri`.
    pub policy_uri: Localized,
    /// `tos_uri`.
    pub tos_uri: Localized,
    /// `contacts`.
    pub contacts: Vec<String>,
    /// `software_id`.
    pub software_id: Option<String>,
    /// `software_version`.
    pub software_version: Option<String>,
    /// `application_type`.
    pub application_type: ApplicationType,
    /// `redirect_uris`.
    pub redirect_uris: Vec<RedirectUri>,
    /// `post_logout_redirect_uris` (RP-Initiated Logout §3.1).
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `initiate_login_uri` (OpenID Connect Core §4).
    pub initiate_login_uri: Option<String>,
    /// `grant_types`; `response_types` follows from it: `code`, or none.
    pub grant_types: Vec<GrantType>,
    /// `token_endpoint_auth_method`.
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// `token_endpoint_auth_signing_alg`: what assertions are signed with; any that its keys allow when absent.
    pub token_endpoint_auth_signing_alg: Option<VerificationAlgorithm>,
    /// `jwks` or `jwks_uri`: what its signatures verify with.
    pub keys: ClientKeys,
    /// `scope`: the most that this client may ask for.
    pub scope: Scopes,
    /// `subject_type`.
    pub subject_type: SubjectType,
    /// `sector_identifier_uri` (OpenID Connect Core §8.1).
    pub sector_identifier_uri: Option<String>,
    /// `id_token_signed_response_alg`.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// `userinfo_signed_response_alg`: plain JSON when absent.
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// `introspection_signed_response_alg` (RFC 9701 §6).
    pub introspection_signed_response_alg: Option<SigningAlgorithm>,
    /// `request_object_signing_alg`: what request objects are signed with; any that its keys allow when absent.
    pub request_object_signing_alg: Option<VerificationAlgorithm>,
    /// `require_signed_request_object` (RFC 9101 §10.5).
    pub require_signed_request_object: bool,
    /// `request_uris`: where its request objects may be fetched, fragments included.
    pub request_uris: Vec<String>,
    /// `require_pushed_authorization_requests` (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// `default_max_age`, in seconds.
    pub default_max_age: Option<u64>,
    /// `require_auth_time`: `auth_time` is always there, so this changes nothing.
    pub require_auth_time: bool,
    /// `default_acr_values`: what the client prefers. There is one way to sign in and one `acr`, so that it changes nothing.
    pub default_acr_values: Vec<String>,
    /// `backchannel_logout_uri` (Back-Channel Logout §2.2).
    pub backchannel_logout_uri: Option<String>,
    /// `backchannel_logout_session_required`: `sid` is always there, so this changes nothing.
    pub backchannel_logout_session_required: bool,
    /// `frontchannel_logout_uri` (Front-Channel Logout §2).
    pub frontchannel_logout_uri: Option<String>,
    /// `frontchannel_logout_session_required`: whether `iss` and `sid` are added to it.
    pub frontchannel_logout_session_required: bool,
}

/// Where a client's public keys are (RFC 7591 §2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientKeys {
    /// It has none.
    #[default]
    None,
    /// `jwks`: a JWK set (RFC 7517 §5), its form checked.
    ByValue(Value),
    /// `jwks_uri`.
    ByReference(String),
}

/// How a client knows people (OpenID Connect Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectType {
    /// By the same `sub` as every other client.
    #[default]
    Public,
    /// By a `sub` of its sector's own.
    Pairwise,
}

impl SubjectType {
    /// Every one; metadata and registration follow from this list.
    pub const ALL: [Self; 2] = [Self::Public, Self::Pairwise];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }

    /// The one that `name` is, exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// One thing that is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataProblem {
    /// The member.
    pub member: String,
    /// Which element of it, when it is an array.
    pub index: Option<usize>,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: String,
}

impl ClientMetadata {
    /// The host that clients share when they may know that a person is the same (OpenID Connect Core §8.1): that of
    /// `sector_identifier_uri`, else that of the redirect URIs, which is one. None for a client without either, or with redirect
    /// URIs that name no host of the web: it is a sector of its own.
    pub fn sector_host(&self) -> Option<String> {
        let first = self.redirect_uris.first().map(|uri| uri.as_str());
        self.sector_identifier_uri.as_deref().or(first).and_then(sector_host)
    }

    /// Whether its redirect URIs lead to several hosts, or to programs that have none.
    pub fn leads_to_several_hosts(&self) -> bool {
        let mut hosts = self.redirect_uris.iter().map(|uri| sector_host(uri.as_str()));
        let first = hosts.next().flatten();
        hosts.any(|host| host != first)
    }

    /// Every member this type knows.
    pub const MEMBERS: [&'static str; 35] = [
        "client_name",
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "contacts",
        "software_id",
        "software_version",
        "application_type",
        "redirect_uris",
        "post_logout_redirect_uris",
        "initiate_login_uri",
        "grant_types",
        "response_types",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg",
        "jwks",
        "jwks_uri",
        "scope",
        "subject_type",
        "sector_identifier_uri",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "introspection_signed_response_alg",
        "request_object_signing_alg",
        "require_signed_request_object",
        "request_uris",
        "require_pushed_authorization_requests",
        "default_max_age",
        "require_auth_time",
        "default_acr_values",
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "frontchannel_logout_uri",
        "frontchannel_logout_session_required",
    ];

    /// Members that the standards register and this version does not act on: ignoring one would be unsafe.
    pub const UNSUPPORTED: [&'static str; 13] = [
        "software_statement",
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
        "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc",
        "request_object_encryption_alg",
        "request_object_encryption_enc",
        "introspection_encrypted_response_alg",
        "introspection_encrypted_response_enc",
        "dpop_bound_access_tokens",
        "tls_client_auth_subject_dn",
        "tls_client_certificate_bound_access_tokens",
        "authorization_details_types",
    ];

    /// The members that may have variants by language: `client_name#de` (RFC 7591 §2.2).
    pub const LOCALIZED: [&'static str; 5] =
        ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"];

    /// Whether this type knows `member`, as it stands or as a variant by language.
    pub fn knows(member: &str) -> bool {
        match member.split_once('#') {
            None => Self::MEMBERS.contains(&member),
            Some((name, _)) => Self::LOCALIZED.contains(&name),
        }
    }

    /// Reads the members that this type knows and leaves the others to the caller; reports every problem at once.
    pub fn from_members(
        members: &Map<String, Value>,
        deployment: Deployment,
    ) -> Result<Self, Vec<MetadataProblem>> {
        let mut reader = Reader { members, problems: Vec::new() };
        let application_type = reader.application_type();
        let metadata = Self {
            client_name: reader.localized("client_name", Reader::name),
            client_uri: reader.localized("client_uri", Reader::secure_url),
            logo_uri: reader.localized("logo_uri", Reader::secure_url),
            policy_uri: reader.localized("policy_uri", Reader::secure_url),
            tos_uri: reader.localized("tos_uri", Reader::secure_url),
            contacts: reader.contacts(),
            software_id: reader.short_text("software_id"),
            software_version: reader.short_text("software_version"),
            application_type,
            redirect_uris: reader.redirect_uris("redirect_uris", application_type, deployment),
            post_logout_redirect_uris: reader.redirect_uris(
                "post_logout_redirect_uris",
                application_type,
                deployment,
            ),
            initiate_login_uri: reader.secure_url("initiate_login_uri"),
            grant_types: reader.grant_types(),
            token_endpoint_auth_method: reader.method(),
            token_endpoint_auth_signing_alg: reader
                .algorithm_of_the_client("token_endpoint_auth_signing_alg"),
            keys: reader.keys(),
            scope: reader.scope(),
            subject_type: reader.subject_type(),
            sector_identifier_uri: reader.secure_url("sector_identifier_uri"),
            // OpenID Connect Registration §2: RS256 when left out.
            id_token_signed_response_alg: reader
                .algorithm("id_token_signed_response_alg")
                .unwrap_or(SigningAlgorithm::Rs256),
            userinfo_signed_response_alg: reader.algorithm("userinfo_signed_response_alg"),
            introspection_signed_response_alg: reader.algorithm("introspection_signed_response_alg"),
            request_object_signing_alg: reader.algorithm_of_the_client("request_object_signing_alg"),
            require_signed_request_object: reader.flag("require_signed_request_object"),
            request_uris: reader.request_uris(),
            require_pushed_authorization_requests: reader.flag("require_pushed_authorization_requests"),
            default_max_age: reader.seconds("default_max_age"),
            require_auth_time: reader.flag("require_auth_time"),
            default_acr_values: reader.acr_values(),
            backchannel_logout_uri: reader.secure_url("backchannel_logout_uri"),
            backchannel_logout_session_required: reader.flag("backchannel_logout_session_required"),
            frontchannel_logout_uri: reader.secure_url("frontchannel_logout_uri"),
            frontchannel_logout_session_required: reader.flag("frontchannel_logout_session_required"),
        };
        reader.response_types(&metadata);
        reader.agreement(&metadata);
        if reader.problems.is_empty() { Ok(metadata) } else { Err(reader.problems) }
    }

    /// Whether the client may use `grant_type`.
    pub fn allows(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether the client has keys that its signatures verify with.
    pub fn has_keys(&self) -> bool {
        self.keys != ClientKeys::None
    }

    /// Whether the client can keep no secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == ClientAuthenticationMethod::None
    }
}

/// The host of an https URL, which is what people trust and what sectors are made of.
pub(super) fn sector_host(uri: &str) -> Option<String> {
    Url::parse(uri).ok().filter(|url| url.scheme() == "https")?.host_str().map(str::to_owned)
}

#[cfg(test)]
#[path = "client_metadata_tests.rs"]
mod tests;
