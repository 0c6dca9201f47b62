//! The metadata document (RFC 8414 §2, OpenID Discovery §3, RFC 9207 §3): says what the server enforces, and nothing
//! else (threat 170). Lists follow from the `ALL` of each type; what the operator decides is handed in. Where the
//! document is served, and how long it may be kept, is decided in `http`.

use crate::protocol::client_authentication_method::ClientAuthenticationMethod;
use crate::protocol::client_metadata::SubjectType;
use crate::protocol::display::Display;
use crate::protocol::grant_type::GrantType;
use crate::protocol::issuer::Issuer;
use crate::protocol::prompt::Prompt;
use crate::protocol::response_mode::ResponseMode;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use serde::Serialize;

/// What the operator and the running server decide about the document.
#[derive(Clone, Debug)]
pub struct Advertised<'a> {
    /// Who this server is; every URL derives from it.
    pub issuer: &'a Issuer,
    /// Every scope that a client may have.
    pub scopes: Vec<&'a str>,
    /// Every claim that a person's ID token or userinfo may hold.
    pub claims: Vec<&'a str>,
    /// What ID tokens, userinfo and introspection answers may be signed with.
    pub signing_alg_values: &'a [SigningAlgorithm],
    /// The authentication context classes that a sign-in may reach.
    pub acr_values: Vec<&'a str>,
    /// The languages of the pages, by their tags in canonical case.
    pub ui_locales: Vec<&'a str>,
    /// Whether the logged-out page loads the apps' own.
    pub front_channel_logout: FrontChannelLogout,
    /// Whether clients may register themselves.
    pub registration: DynamicRegistration,
}

/// Whether Front-Channel Logout is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrontChannelLogout {
    /// It is not.
    #[default]
    Off,
    /// It is.
    On,
}

/// Whether clients may register themselves (RFC 7591).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DynamicRegistration {
    /// They may not.
    #[default]
    Off,
    /// They may.
    On,
}

/// The document, its members in the order in which they are written.
#[derive(Clone, Debug, Serialize)]
pub struct ServerMetadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    pushed_authorization_request_endpoint: String,
    end_session_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    scopes_supported: Vec<&'a str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    introspection_signing_alg_values_supported: Vec<&'static str>,
    claims_supported: Vec<&'a str>,
    claim_types_supported: [&'static str; 1],
    acr_values_supported: Vec<&'a str>,
    prompt_values_supported: Vec<&'static str>,
    display_values_supported: Vec<&'static str>,
    ui_locales_supported: Vec<&'a str>,
    authorization_response_iss_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    frontchannel_logout_supported: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frontchannel_logout_session_supported: Option<bool>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    require_request_uri_registration: bool,
    request_object_signing_alg_values_supported: Vec<&'static str>,
    require_pushed_authorization_requests: bool,
}

impl<'a> ServerMetadata<'a> {
    /// The document of a server that does what is `advertised`.
    pub fn of(advertised: Advertised<'a>) -> Self {
        let Advertised {
            issuer,
            scopes,
            claims,
            signing_alg_values,
            acr_values,
            ui_locales,
            front_channel_logout,
            registration,
        } = advertised;
        let front_channel = (front_channel_logout == FrontChannelLogout::On).then_some(true);
        let registers = registration == DynamicRegistration::On;
        let methods = |fits: fn(ClientAuthenticationMethod) -> bool| -> Vec<&'static str> {
            let known = ClientAuthenticationMethod::ALL.into_iter();
            known.filter(|method| fits(*method)).map(ClientAuthenticationMethod::as_str).collect()
        };
        let algorithms: Vec<_> = signing_alg_values.iter().map(|algorithm| algorithm.as_str()).collect();
        let of_clients = VerificationAlgorithm::ALL.map(VerificationAlgorithm::as_str).to_vec();
        Self {
            issuer: issuer.as_str(),
            authorization_endpoint: issuer.endpoint(path::AUTHORIZATION),
            token_endpoint: issuer.endpoint(path::TOKEN),
            jwks_uri: issuer.endpoint(path::JWKS),
            userinfo_endpoint: issuer.endpoint(path::USERINFO),
            revocation_endpoint: issuer.endpoint(path::REVOCATION),
            introspection_endpoint: issuer.endpoint(path::INTROSPECTION),
            pushed_authorization_request_endpoint: issuer.endpoint(path::PUSHED_AUTHORIZATION_REQUEST),
            end_session_endpoint: issuer.endpoint(path::END_SESSION),
            registration_endpoint: registers.then(|| issuer.endpoint(path::REGISTRATION)),
            scopes_supported: scopes,
            response_types_supported: ["code"],
            response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str).to_vec(),
            grant_types_supported: GrantType::ALL.map(GrantType::as_str).to_vec(),
            token_endpoint_auth_methods_supported: methods(|_| true),
            token_endpoint_auth_signing_alg_values_supported: of_clients.clone(),
            revocation_endpoint_auth_methods_supported: methods(|_| true),
            revocation_endpoint_auth_signing_alg_values_supported: of_clients.clone(),
            // RFC 7662 §2.1: whoever asks about tokens proves who they are, so a public client cannot
            introspection_endpoint_auth_methods_supported: methods(|method| {
                method != ClientAuthenticationMethod::None
            }),
            introspection_endpoint_auth_signing_alg_values_supported: of_clients.clone(),
            code_challenge_methods_supported: ["S256"],
            subject_types_supported: SubjectType::ALL.map(SubjectType::as_str).to_vec(),
            id_token_signing_alg_values_supported: algorithms.clone(),
            userinfo_signing_alg_values_supported: algorithms.clone(),
            introspection_signing_alg_values_supported: algorithms,
            claims_supported: claims,
            claim_types_supported: ["normal"],
            acr_values_supported: acr_values,
            prompt_values_supported: Prompt::ALL.map(Prompt::as_str).to_vec(),
            display_values_supported: Display::ALL.map(Display::as_str).to_vec(),
            ui_locales_supported: ui_locales,
            authorization_response_iss_parameter_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: front_channel,
            frontchannel_logout_session_supported: front_channel,
            claims_parameter_supported: true,
            request_parameter_supported: true,
            request_uri_parameter_supported: true,
            require_request_uri_registration: true,
            request_object_signing_alg_values_supported: of_clients,
            require_pushed_authorization_requests: false,
        }
    }

    /// The document's JSON; the same bytes for the same configuration, whatever a request says (threat 163).
    pub fn to_json(&self) -> String {
        // strings and lists of them: there is nothing that serde_json could refuse
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Where the endpoints are, below the issuer.
pub mod path {
    /// RFC 6749 §3.1.
    pub const AUTHORIZATION: &str = "/authorize";
    /// RFC 6749 §3.2.
    pub const TOKEN: &str = "/token";
    /// RFC 9126 §2.
    pub const PUSHED_AUTHORIZATION_REQUEST: &str = "/par";
    /// RFC 7517 §5.
    pub const JWKS: &str = "/.well-known/jwks.json";
    /// OpenID Connect Core §5.3.
    pub const USERINFO: &str = "/userinfo";
    /// RFC 7009.
    pub const REVOCATION: &str = "/revoke";
    /// RFC 7662.
    pub const INTROSPECTION: &str = "/introspect";
    /// RFC 7591 §3.
    pub const REGISTRATION: &str = "/register";
    /// RP-Initiated Logout §2.
    pub const END_SESSION: &str = "/logout";
    /// OpenID Discovery §4: below the issuer's own path.
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    /// RFC 8414 §3: before the issuer's own path.
    pub const OAUTH_AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
}

#[cfg(test)]
#[path = "server_metadata_tests.rs"]
mod tests;
