//! The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core §3.1.2.1): its parameters, each with its
//! meaning. What the client may ask for is judged in `authorization`.

use crate::protocol::claims_request::{ClaimsRequest, parse_locales};
use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::Parameters;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::prompt::Prompts;
use crate::protocol::resource::Resource;
use crate::protocol::response_mode::ResponseMode;
use crate::protocol::scope::Scopes;

/// A request whose parameters all mean something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// `scope`; `None` when it was left out.
    pub scope: Option<Scopes>,
    /// `resource`, as often as it was there (RFC 8707 §2.1).
    pub resources: Vec<Resource>,
    /// `code_challenge`, by S256.
    pub code_challenge: Option<CodeChallenge>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `prompt`.
    pub prompts: Prompts,
    /// `max_age` in seconds.
    pub max_age: Option<u64>,
    /// `login_hint`.
    pub login_hint: Option<String>,
    /// `id_token_hint`: an ID token of whoever should be signed in; not yet verified.
    pub id_token_hint: Option<String>,
    /// `acr_values`, best first.
    pub acr_values: Vec<String>,
    /// `claims`, and `claims_locales` with it.
    pub claims: ClaimsRequest,
    /// `ui_locales`, best first.
    pub ui_locales: Vec<String>,
}

/// Why a parameter means nothing: the code to answer with, and which section says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRequest {
    /// The code.
    pub code: ErrorCode,
    /// Why, in words that may be shown to the client.
    pub description: String,
    /// The section.
    pub section: &'static str,
}

/// The parameters that decide where an answer goes, and how; read before all others so that their failures can be redirected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedResponseMode {
    /// One that may carry a code.
    Lawful(ResponseMode),
    /// Another: the failure travels by the default mode.
    Refused,
}

impl AskedResponseMode {
    /// Reads `response_mode`; the query is a code's default (Multiple Response Types §2.1).
    pub fn of(parameters: &Parameters) -> Self {
        match parameters.get("response_mode") {
            None => Self::Lawful(ResponseMode::Query),
            Some(name) => ResponseMode::parse(name).map_or(Self::Refused, Self::Lawful),
        }
    }

    /// The mode in which a failure travels.
    pub fn of_failure(&self) -> ResponseMode {
        match self {
            Self::Lawful(mode) => *mode,
            Self::Refused => ResponseMode::Query,
        }
    }
}

impl AuthorizationRequest {
    /// Reads the parameters, in the order in which the standards would have their failures told.
    pub fn parse(parameters: &Parameters) -> Result<Self, MalformedRequest> {
        refuse_unsupported(parameters)?;
        check_response_type(parameters)?;
        if AskedResponseMode::of(parameters) == AskedResponseMode::Refused {
            let why = "response_mode must be query or form_post";
            return Err(invalid(why, "OAuth 2.0 Multiple Response Types §2.1"));
        }
        let scope = parameters.get("scope").map(Scopes::parse).transpose().map_err(|_| MalformedRequest {
            code: ErrorCode::InvalidScope,
            description: "scope holds a character that no scope may hold".to_owned(),
            section: "RFC 6749 §3.3",
        })?;
        let resources: Result<Vec<_>, _> = parameters.all("resource").map(Resource::parse).collect();
        let resources = resources.map_err(|_| MalformedRequest {
            code: ErrorCode::InvalidTarget,
            description: "resource must be an absolute URI without fragment".to_owned(),
            section: "RFC 8707 §2",
        })?;
        let prompts = Prompts::parse(parameters.get("prompt").unwrap_or_default())
            .map_err(|why| invalid(why.to_string(), "OpenID Connect Core §3.1.2.1"))?;
        Ok(Self {
            scope,
            resources,
            code_challenge: code_challenge(parameters)?,
            nonce: parameters.get("nonce").map(str::to_owned),
            prompts,
            max_age: max_age(parameters)?,
            login_hint: parameters.get("login_hint").map(str::to_owned),
            id_token_hint: parameters.get("id_token_hint").map(str::to_owned),
            acr_values: words(parameters.get("acr_values")),
            claims: claims(parameters)?,
            ui_locales: parse_locales(parameters.get("ui_locales").unwrap_or_default()),
        })
    }
}

/// What this server does not support is refused by its own code, never ignored (OpenID Connect Core §3.1.2.6, §6).
fn refuse_unsupported(parameters: &Parameters) -> Result<(), MalformedRequest> {
    // `request` and `request_uri` were replaced by what they stand for before anything is read here
    for name in ["request", "request_uri"] {
        if parameters.get(name).is_some() {
            return Err(invalid(format!("{name} stands within a request object"), "RFC 9101 §4"));
        }
    }
    if parameters.get("registration").is_some() {
        return Err(MalformedRequest {
            code: ErrorCode::RegistrationNotSupported,
            description: "registration is not supported".to_owned(),
            section: "OpenID Connect Core §3.1.2.6",
        });
    }
    Ok(())
}

fn check_response_type(parameters: &Parameters) -> Result<(), MalformedRequest> {
    match parameters.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(MalformedRequest {
            code: ErrorCode::UnsupportedResponseType,
            description: "response_type must be code".to_owned(),
            section: "RFC 6749 §4.1.2.1, RFC 9700 §2.1.2",
        }),
        None => Err(invalid("response_type is missing; it must be code", "RFC 6749 §4.1.1")),
    }
}

fn code_challenge(parameters: &Parameters) -> Result<Option<CodeChallenge>, MalformedRequest> {
    let method = parameters.get("code_challenge_method");
    match parameters.get("code_challenge") {
        Some(challenge) => CodeChallenge::parse(challenge, method)
            .map(Some)
            .map_err(|why| invalid(why.to_string(), "RFC 7636 §4.3, RFC 9700 §2.1.1")),
        None if method.is_some() => {
            Err(invalid("code_challenge_method stands without code_challenge", "RFC 7636 §4.3"))
        }
        None => Ok(None),
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn claims(parameters: &Parameters) -> Result<ClaimsRequest, MalformedRequest> {
    let claims = match parameters.get("claims") {
        None => ClaimsRequest::default(),
        Some(text) => {
            ClaimsRequest::parse(text).map_err(|why| invalid(why.to_string(), "OpenID Connect Core §5.5"))?
        }
    };
    let locales = parse_locales(parameters.get("claims_locales").unwrap_or_default());
    Ok(ClaimsRequest { locales, ..claims })
}

fn max_age(parameters: &Parameters) -> Result<Option<u64>, MalformedRequest> {
    let Some(text) = parameters.get("max_age") else { return Ok(None) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(seconds) if digits => Ok(Some(seconds)),
        _ => Err(invalid("max_age must be whole seconds", "OpenID Connect Core §3.1.2.1")),
    }
}

fn invalid(description: impl Into<String>, section: &'static str) -> MalformedRequest {
    MalformedRequest { code: ErrorCode::InvalidRequest, description: description.into(), section }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<AuthorizationRequest, ErrorCode> {
        let parameters = Parameters::parse(query.as_bytes()).expect("well-formed");
        AuthorizationRequest::parse(&parameters).map_err(|why| why.code)
    }

    #[test]
    fn a_malformed_parameter_is_refused_and_never_ignored() {
        // threats 24, 25, 34, 126, 127, 196
        for (query, code) in [
            ("", ErrorCode::InvalidRequest),
            ("response_type=token", ErrorCode::UnsupportedResponseType),
            ("response_type=code+token", ErrorCode::UnsupportedResponseType),
            ("response_type=id_token", ErrorCode::UnsupportedResponseType),
            ("response_type=code&response_mode=fragment", ErrorCode::InvalidRequest),
            ("response_type=code&response_mode=web_message", ErrorCode::InvalidRequest),
            ("response_type=code&scope=a%22b", ErrorCode::InvalidScope),
            ("response_type=code&resource=x", ErrorCode::InvalidTarget),
            ("response_type=code&prompt=none+login", ErrorCode::InvalidRequest),
            ("response_type=code&prompt=x", ErrorCode::InvalidRequest),
            ("response_type=code&max_age=-1", ErrorCode::InvalidRequest),
            ("response_type=code&max_age=abc", ErrorCode::InvalidRequest),
            ("response_type=code&max_age=%2B1", ErrorCode::InvalidRequest),
            ("response_type=code&max_age=99999999999999999999999", ErrorCode::InvalidRequest),
            ("response_type=code&max_age=1e9", ErrorCode::InvalidRequest),
            ("response_type=code&code_challenge=x&code_challenge_method=S256", ErrorCode::InvalidRequest),
            ("response_type=code&code_challenge_method=S256", ErrorCode::InvalidRequest),
            ("response_type=code&claims=x", ErrorCode::InvalidRequest),
            ("response_type=code&claims=%7B%22id_token%22%3A1%7D", ErrorCode::InvalidRequest),
            ("response_type=code&request=x", ErrorCode::InvalidRequest),
            ("response_type=code&request_uri=x", ErrorCode::InvalidRequest),
            ("response_type=code&registration=x", ErrorCode::RegistrationNotSupported),
        ] {
            assert_eq!(read(query), Err(code), "{query}");
        }
        assert_eq!(
            read("response_type=code&max_age=9223372036854775808").map(|r| r.max_age),
            Ok(Some(1 << 63))
        );
        assert!(
            read(
                "response_type=code&extra=foobar&display=popup&ui_locales=se&claims_locales=se&acr_values=1+2"
            )
            .is_ok()
        );
    }
}
