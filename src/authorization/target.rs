//! Where an authorization response goes: a value made only from a registered client and an exact match, so that nothing
//! else is ever redirected to (threats 1–10, 24–26).

use crate::authorization::error::AuthorizationError;
use crate::model::client::{Client, Provenance};
use crate::model::grant::RedirectUriInRequest;
use crate::protocol::authorization_request::AskedResponseMode;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::Parameters;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::response_mode::ResponseMode;
use url::form_urlencoded;

/// A redirect URI that is known good, and how the response travels there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTarget {
    uri: String,
    registered: RedirectUri,
    in_request: RedirectUriInRequest,
    response_mode: ResponseMode,
    state: Option<String>,
    assent: Assent,
}

/// Whether an error may lead a person to the client at once (threat 14, RFC 9700 §4.11.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assent {
    /// An operator vouches for the client, the person agreed to it once, or the app asked for no page at all.
    Given,
    /// The person is asked first: anyone can register a client, and make its requests fail.
    Needed,
}

/// A response on its way to the client (RFC 6749 §4.1.2, RFC 9207 §2).
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// Where it goes.
    pub uri: String,
    /// How.
    pub response_mode: ResponseMode,
    /// What it says, `state` and `iss` included.
    pub parameters: Vec<(&'static str, String)>,
}

impl RedirectTarget {
    /// The target that the request means.
    pub fn of(client: &Client, parameters: &Parameters) -> Result<Self, AuthorizationError> {
        let registered = &client.metadata.redirect_uris;
        let (uri, registered, in_request) = match parameters.get("redirect_uri") {
            Some(presented) => {
                let matching = registered.iter().find(|registered| registered.matches(presented));
                let matching = matching.ok_or(AuthorizationError::RedirectUriMismatch)?;
                (presented.to_owned(), matching.clone(), RedirectUriInRequest::Present)
            }
            None => {
                let openid =
                    parameters.get("scope").is_some_and(|scope| scope.split(' ').any(|one| one == "openid"));
                match registered.as_slice() {
                    [only] if !openid => {
                        (only.as_str().to_owned(), only.clone(), RedirectUriInRequest::Absent)
                    }
                    _ => return Err(AuthorizationError::RedirectUriMissing),
                }
            }
        };
        let response_mode = AskedResponseMode::of(parameters).of_failure();
        let state = parameters.get("state").map(str::to_owned);
        let assent = match client.provenance {
            Provenance::Configured => Assent::Given,
            Provenance::Registered if parameters.get("prompt") == Some("none") => Assent::Given,
            Provenance::Registered => Assent::Needed,
        };
        Ok(Self { uri, registered, in_request, response_mode, state, assent })
    }

    /// The URI that the response goes to.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The registered URI that it matched.
    pub fn registered(&self) -> &RedirectUri {
        &self.registered
    }

    /// Whether the request named it.
    pub fn in_request(&self) -> RedirectUriInRequest {
        self.in_request
    }

    /// How the response travels.
    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// Whether an error may lead there at once.
    pub fn assent(&self) -> Assent {
        self.assent
    }

    /// The target, after the person has decided about the client.
    pub fn assented(self) -> Self {
        Self { assent: Assent::Given, ..self }
    }

    /// A success.
    pub fn success(&self, code: String, issuer: &str) -> AuthorizationResponse {
        self.response(vec![("code", code)], issuer)
    }

    /// A failure.
    pub fn failure(&self, code: ErrorCode, description: String, issuer: &str) -> AuthorizationResponse {
        self.response(vec![("error", code.as_str().to_owned()), ("error_description", description)], issuer)
    }

    fn response(&self, mut parameters: Vec<(&'static str, String)>, issuer: &str) -> AuthorizationResponse {
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", issuer.to_owned()));
        AuthorizationResponse { uri: self.uri.clone(), response_mode: self.response_mode, parameters }
    }
}

impl AuthorizationResponse {
    /// The URI with the response in its query; what was registered there stays (RFC 6749 §3.1.2). It ends in a fragment of
    /// its own, an empty one: without any, a browser would carry over that of the address it comes from (threat 5, RFC 9110
    /// §10.2.2).
    pub fn location(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
        let joint = match self.uri.find('?') {
            None => "?",
            Some(at) if at + 1 == self.uri.len() => "",
            Some(_) => "&",
        };
        format!("{}{joint}{query}#", self.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_query_is_kept_and_the_response_is_encoded() {
        // threats 10, 155
        let response = |uri: &str| AuthorizationResponse {
            uri: uri.to_owned(),
            response_mode: ResponseMode::Query,
            parameters: vec![("code", "c".to_owned()), ("state", "a\r\nSet-Cookie: x&code=y#é".to_owned())],
        };
        let encoded = "code=c&state=a%0D%0ASet-Cookie%3A+x%26code%3Dy%23%C3%A9";
        assert_eq!(response("https://a.example/cb").location(), format!("https://a.example/cb?{encoded}#"));
        assert_eq!(response("https://a.example/cb?").location(), format!("https://a.example/cb?{encoded}#"));
        assert_eq!(
            response("https://a.example/cb?x=1").location(),
            format!("https://a.example/cb?x=1&{encoded}#")
        );
        assert_eq!(response("com.example:/cb").location(), format!("com.example:/cb?{encoded}#"));
    }
}
