//! Client metadata (RFC 7591 §2, OpenID Connect Registration §2): one type, one set of rules, for the files of the
//! operator and whatever else may describe a client. It parses a JSON object and reports every problem at once.

use crate::protocol::client_authentication_method::ClientAuthenticationMethod;
use crate::protocol::grant_type::GrantType;
use crate::protocol::redirect_uri::{ApplicationType, Deployment, RedirectUri};
use crate::protocol::scope::Scopes;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::{Map, Value};
use url::Url;

/// What a client says of itself, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `client_name`: what people read; the client identifier when absent.
    pub client_name: Option<String>,
    /// `client_uri`.
    pub client_uri: Option<String>,
    /// `policy_uri`.
    pub policy_uri: Option<String>,
    /// `tos_uri`.
    pub tos_uri: Option<String>,
    /// `contacts`.
    pub contacts: Vec<String>,
    /// `application_type`.
    pub application_type: ApplicationType,
    /// `redirect_uris`.
    pub redirect_uris: Vec<RedirectUri>,
    /// `post_logout_redirect_uris` (RP-Initiated Logout §3.1).
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `grant_types`; `response_types` follows from it: `code`, or none.
    pub grant_types: Vec<GrantType>,
    /// `token_endpoint_auth_method`.
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// `scope`: the most that this client may ask for.
    pub scope: Scopes,
    /// `id_token_signed_response_alg`.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// `default_max_age`, in seconds.
    pub default_max_age: Option<u64>,
    /// `require_auth_time`: `auth_time` is always there, so this changes nothing.
    pub require_auth_time: bool,
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
    /// Every member this type knows.
    pub const MEMBERS: [&'static str; 16] = [
        "client_name",
        "client_uri",
        "policy_uri",
        "tos_uri",
        "contacts",
        "application_type",
        "redirect_uris",
        "post_logout_redirect_uris",
        "grant_types",
        "response_types",
        "token_endpoint_auth_method",
        "scope",
        "id_token_signed_response_alg",
        "default_max_age",
        "require_auth_time",
        "subject_type",
    ];

    /// Reads the members that this type knows and leaves the others to the caller; reports every problem at once.
    pub fn from_members(
        members: &Map<String, Value>,
        deployment: Deployment,
    ) -> Result<Self, Vec<MetadataProblem>> {
        let mut reader = Reader { members, problems: Vec::new() };
        let application_type = match reader.text("application_type").as_deref() {
            None | Some("web") => ApplicationType::Web,
            Some("native") => ApplicationType::Native,
            Some(other) => {
                reader.problem("application_type", None, other, "`web` or `native`");
                ApplicationType::Web
            }
        };
        let grant_types = reader.grant_types();
        let metadata = Self {
            client_name: reader.name("client_name"),
            client_uri: reader.web_page("client_uri"),
            policy_uri: reader.web_page("policy_uri"),
            tos_uri: reader.web_page("tos_uri"),
            contacts: reader.list("contacts"),
            application_type,
            redirect_uris: reader.redirect_uris("redirect_uris", application_type, deployment),
            post_logout_redirect_uris: reader.redirect_uris(
                "post_logout_redirect_uris",
                application_type,
                deployment,
            ),
            token_endpoint_auth_method: reader.method(),
            scope: reader.scope(),
            id_token_signed_response_alg: reader.algorithm("id_token_signed_response_alg"),
            default_max_age: reader.seconds("default_max_age"),
            require_auth_time: reader.flag("require_auth_time"),
            grant_types,
        };
        reader.response_types(&metadata);
        reader.agreement(&metadata);
        if reader.problems.is_empty() { Ok(metadata) } else { Err(reader.problems) }
    }

    /// Whether the client may use `grant_type`.
    pub fn allows(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether the client can keep no secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == ClientAuthenticationMethod::None
    }
}

struct Reader<'a> {
    members: &'a Map<String, Value>,
    problems: Vec<MetadataProblem>,
}

impl Reader<'_> {
    fn problem(&mut self, member: &str, index: Option<usize>, found: impl ToString, expected: impl ToString) {
        let found = found.to_string();
        self.problems.push(MetadataProblem {
            member: member.to_owned(),
            index,
            found,
            expected: expected.to_string(),
        });
    }

    fn text(&mut self, member: &str) -> Option<String> {
        match self.members.get(member)? {
            Value::String(text) => Some(text.clone()),
            other => {
                self.problem(member, None, other, "text");
                None
            }
        }
    }

    fn flag(&mut self, member: &str) -> bool {
        match self.members.get(member) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.problem(member, None, other, "true or false");
                false
            }
        }
    }

    fn seconds(&mut self, member: &str) -> Option<u64> {
        let value = self.members.get(member)?;
        let seconds = value.as_u64().filter(|seconds| *seconds <= 10 * 366 * 86_400);
        if seconds.is_none() {
            self.problem(member, None, value, "whole seconds, ten years at most");
        }
        seconds
    }

    fn list(&mut self, member: &str) -> Vec<String> {
        let Some(value) = self.members.get(member) else { return Vec::new() };
        let Value::Array(elements) = value else {
            self.problem(member, None, value, "an array of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            match element {
                Value::String(text) => texts.push(text.clone()),
                other => self.problem(member, Some(index), other, "text"),
            }
        }
        texts
    }

    /// A name that people read: no control, direction or invisible characters, 80 characters at most (threat 116).
    fn name(&mut self, member: &str) -> Option<String> {
        let name = self.text(member)?;
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        };
        if name.trim().is_empty() || name.chars().count() > 80 || name.chars().any(hidden) {
            let expected = "1 to 80 characters, none of them a control, direction or invisible one";
            self.problem(member, None, name.escape_debug(), expected);
            return None;
        }
        Some(name)
    }

    fn web_page(&mut self, member: &str) -> Option<String> {
        let text = self.text(member)?;
        let visible = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        match Url::parse(&text) {
            Ok(url)
                if url.scheme() == "https"
                    && visible
                    && url.username().is_empty()
                    && url.password().is_none() =>
            {
                Some(text)
            }
            _ => {
                self.problem(member, None, text.escape_debug(), "an https URL");
                None
            }
        }
    }

    fn redirect_uris(
        &mut self,
        member: &str,
        kind: ApplicationType,
        deployment: Deployment,
    ) -> Vec<RedirectUri> {
        let mut uris: Vec<RedirectUri> = Vec::new();
        for (index, text) in self.list(member).iter().enumerate() {
            match RedirectUri::register(text, kind, deployment) {
                Ok(uri) if uris.contains(&uri) => self.problem(member, Some(index), text, "each URI once"),
                Ok(uri) => uris.push(uri),
                Err(why) => self.problem(
                    member,
                    Some(index),
                    text.escape_debug(),
                    format!("a URI that is not so: it {why}"),
                ),
            }
        }
        uris
    }

    /// RFC 7591 §2: `authorization_code` when left out.
    fn grant_types(&mut self) -> Vec<GrantType> {
        if !self.members.contains_key("grant_types") {
            return vec![GrantType::AuthorizationCode];
        }
        let mut grant_types = Vec::new();
        for (index, name) in self.list("grant_types").iter().enumerate() {
            match GrantType::parse(name) {
                Some(grant_type) if !grant_types.contains(&grant_type) => grant_types.push(grant_type),
                Some(_) => {}
                None => self.problem(
                    "grant_types",
                    Some(index),
                    name,
                    one_of(GrantType::ALL.map(GrantType::as_str)),
                ),
            }
        }
        grant_types
    }

    /// RFC 7591 §2: `client_secret_basic` when left out.
    fn method(&mut self) -> ClientAuthenticationMethod {
        let member = "token_endpoint_auth_method";
        let Some(name) = self.text(member) else { return ClientAuthenticationMethod::ClientSecretBasic };
        ClientAuthenticationMethod::parse(&name).unwrap_or_else(|| {
            let all = ClientAuthenticationMethod::ALL.map(ClientAuthenticationMethod::as_str);
            self.problem(member, None, &name, one_of(all));
            ClientAuthenticationMethod::ClientSecretBasic
        })
    }

    fn scope(&mut self) -> Scopes {
        let text = self.text("scope").unwrap_or_default();
        Scopes::parse(&text).unwrap_or_else(|why| {
            self.problem("scope", None, &text, why);
            Scopes::default()
        })
    }

    /// OpenID Connect Registration §2: RS256 when left out.
    fn algorithm(&mut self, member: &str) -> SigningAlgorithm {
        let Some(name) = self.text(member) else { return SigningAlgorithm::Rs256 };
        SigningAlgorithm::parse(&name).unwrap_or_else(|| {
            self.problem(member, None, &name, one_of(SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)));
            SigningAlgorithm::Rs256
        })
    }

    fn response_types(&mut self, metadata: &ClientMetadata) {
        for (index, name) in self.list("response_types").iter().enumerate() {
            if name != "code" || !metadata.allows(GrantType::AuthorizationCode) {
                self.problem(
                    "response_types",
                    Some(index),
                    name,
                    "`code`, with the grant type authorization_code",
                );
            }
        }
        if let Some(name) = self.text("subject_type").filter(|name| name != "public") {
            self.problem("subject_type", None, name, "`public`");
        }
    }

    /// What the members must mean together.
    fn agreement(&mut self, metadata: &ClientMetadata) {
        let code = metadata.allows(GrantType::AuthorizationCode);
        if code && metadata.redirect_uris.is_empty() && self.list("redirect_uris").is_empty() {
            self.problem(
                "redirect_uris",
                None,
                "none",
                "at least one, for the grant type authorization_code",
            );
        }
        if metadata.allows(GrantType::RefreshToken) && !code {
            self.problem(
                "grant_types",
                None,
                "refresh_token alone",
                "authorization_code beside refresh_token",
            );
        }
        if metadata.allows(GrantType::ClientCredentials) && metadata.is_public() {
            let expected = "a method that proves who the client is, for client_credentials (RFC 6749 §4.4)";
            self.problem("token_endpoint_auth_method", None, "none", expected);
        }
        if metadata.grant_types.is_empty() && self.list("grant_types").is_empty() {
            self.problem("grant_types", None, "none", one_of(GrantType::ALL.map(GrantType::as_str)));
        }
    }
}

fn one_of<const N: usize>(names: [&str; N]) -> String {
    format!("one of {}", names.join(", "))
}

#[cfg(test)]
#[path = "client_metadata_tests.rs"]
mod tests;
