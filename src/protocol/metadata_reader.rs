//! Reads the members of client metadata one by one; the rules are those of RFC 7591 §2 and OpenID Connect Registration §2,
//! and every problem is kept.

use crate::protocol::client_authentication_method::ClientAuthenticationMethod;
use crate::protocol::client_metadata::{
    ClientKeys, ClientMetadata, MetadataProblem, SubjectType, sector_host,
};
use crate::protocol::grant_type::GrantType;
use crate::protocol::localized::{Localized, is_language_tag};
use crate::protocol::outbound_url::OutboundUrl;
use crate::protocol::redirect_uri::{ApplicationType, Deployment, RedirectUri};
use crate::protocol::scope::Scopes;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use url::Url;

/// Reads members, and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) members: &'a Map<String, Value>,
    pub(super) problems: Vec<MetadataProblem>,
}

impl Reader<'_> {
    pub(super) fn problem(
        &mut self,
        member: &str,
        index: Option<usize>,
        found: impl ToString,
        expected: impl ToString,
    ) {
        let found = found.to_string();
        self.problems.push(MetadataProblem {
            member: member.to_owned(),
            index,
            found,
            expected: expected.to_string(),
        });
    }

    pub(super) fn text(&mut self, member: &str) -> Option<String> {
        match self.members.get(member)? {
            Value::String(text) => Some(text.clone()),
            other => {
                self.problem(member, None, other, "text");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, member: &str) -> bool {
        match self.members.get(member) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.problem(member, None, other, "true or false");
                false
            }
        }
    }

    pub(super) fn seconds(&mut self, member: &str) -> Option<u64> {
        let value = self.members.get(member)?;
        let seconds = value.as_u64().filter(|seconds| *seconds <= 10 * 366 * 86_400);
        if seconds.is_none() {
            self.problem(member, None, value, "whole seconds, ten years at most");
        }
        seconds
    }

    pub(super) fn list(&mut self, member: &str) -> Vec<String> {
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
    pub(super) fn name(&mut self, member: &str) -> Option<String> {
        // what looks the same is the same (NFKC)
        let name: String = self.text(member)?.nfkc().collect();
        let shows = name.chars().any(|c| !c.is_whitespace() && !is_combining_mark(c) && !is_unseen(c));
        let hidden = |c: char| c.is_control() || is_unseen(c);
        if !shows || name.chars().count() > 80 || name.chars().any(hidden) {
            let expected = "1 to 80 characters, none of them a control, direction or invisible one";
            self.problem(member, None, name.escape_debug(), expected);
            return None;
        }
        Some(name)
    }

    /// An https URL without userinfo and fragment, of visible ASCII characters (threats 8, 87, 93).
    pub(super) fn secure_url(&mut self, member: &str) -> Option<String> {
        let text = self.text(member)?;
        if is_secure_url(&text) && !text.contains('#') {
            return Some(text);
        }
        self.problem(member, None, text.escape_debug(), "an https URL without userinfo and fragment");
        None
    }

    /// A text and its variants by language.
    pub(super) fn localized(
        &mut self,
        member: &str,
        mut read: impl FnMut(&mut Self, &str) -> Option<String>,
    ) -> Localized {
        let mut localized = Localized { default: read(self, member), ..Localized::default() };
        let prefix = format!("{member}#");
        for name in self.members.keys() {
            let Some(tag) = name.strip_prefix(&prefix) else { continue };
            if !is_language_tag(tag) {
                self.problem(name, None, tag.escape_debug(), "a language tag after the `#` (RFC 5646)");
            } else if let Some(text) = read(self, name)
                && localized.by_language.insert(tag.to_ascii_lowercase(), text).is_some()
            {
                self.problem(name, None, tag.escape_debug(), "each language once (RFC 5646 §2.1.1)");
            }
        }
        localized
    }

    pub(super) fn application_type(&mut self) -> ApplicationType {
        match self.text("application_type").as_deref() {
            None | Some("web") => ApplicationType::Web,
            Some("native") => ApplicationType::Native,
            Some(other) => {
                self.problem("application_type", None, other, "`web` or `native`");
                ApplicationType::Web
            }
        }
    }

    pub(super) fn contacts(&mut self) -> Vec<String> {
        let contacts = self.list("contacts");
        if contacts.len() > 10 || contacts.iter().any(|contact| !is_short(contact)) {
            self.problem("contacts", None, "others", "at most 10, of 1 to 200 visible characters each");
        }
        contacts
    }

    pub(super) fn acr_values(&mut self) -> Vec<String> {
        let values = self.list("default_acr_values");
        if values.len() > 20 || values.iter().any(|value| !is_short(value)) {
            let expected = "at most 20, of 1 to 200 visible characters each";
            self.problem("default_acr_values", None, "others", expected);
        }
        values
    }

    pub(super) fn short_text(&mut self, member: &str) -> Option<String> {
        let text = self.text(member)?;
        if is_short(&text) {
            return Some(text);
        }
        self.problem(member, None, text.escape_debug(), "1 to 200 visible characters");
        None
    }

    pub(super) fn subject_type(&mut self) -> SubjectType {
        let Some(name) = self.text("subject_type") else { return SubjectType::Public };
        SubjectType::parse(&name).unwrap_or_else(|| {
            self.problem("subject_type", None, &name, one_of(SubjectType::ALL.map(SubjectType::as_str)));
            SubjectType::Public
        })
    }

    /// RFC 7591 §2: `jwks` and `jwks_uri` exclude one another.
    pub(super) fn keys(&mut self) -> ClientKeys {
        let by_reference = self.secure_url("jwks_uri");
        if let Some(uri) = &by_reference
            && let Err(why) = OutboundUrl::parse(uri)
        {
            let expected = format!("a URL that this server can ask; this one {why}");
            self.problem("jwks_uri", None, uri.escape_debug(), expected);
        }
        let Some(set) = self.members.get("jwks") else {
            return by_reference.map_or(ClientKeys::None, ClientKeys::ByReference);
        };
        if self.members.contains_key("jwks_uri") {
            self.problem("jwks", None, "jwks beside jwks_uri", "one of them");
        }
        let keys = set.get("keys").and_then(Value::as_array);
        if !keys.is_some_and(|keys| !keys.is_empty() && keys.iter().all(Value::is_object)) {
            self.problem("jwks", None, "something else", "a JWK set with at least one key (RFC 7517 §5)");
        }
        ClientKeys::ByValue(set.clone())
    }

    /// Where request objects may be fetched: https, a fragment is part of the comparison (OpenID Connect Core §6.2).
    pub(super) fn request_uris(&mut self) -> Vec<String> {
        let uris = self.list("request_uris");
        for (index, uri) in uris.iter().enumerate() {
            if !is_secure_url(uri) {
                self.problem(
                    "request_uris",
                    Some(index),
                    uri.escape_debug(),
                    "an https URL without userinfo",
                );
            }
        }
        if uris.len() > 20 {
            self.problem("request_uris", None, uris.len(), "at most 20");
        }
        uris
    }

    pub(super) fn redirect_uris(
        &mut self,
        member: &str,
        kind: ApplicationType,
        deployment: Deployment,
    ) -> Vec<RedirectUri> {
        let mut uris: Vec<RedirectUri> = Vec::new();
        let list = self.list(member);
        if list.len() > MOST_URIS {
            self.problem(member, None, list.len(), format!("at most {MOST_URIS}"));
            return uris;
        }
        for (index, text) in list.iter().enumerate() {
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
    pub(super) fn grant_types(&mut self) -> Vec<GrantType> {
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
    pub(super) fn method(&mut self) -> ClientAuthenticationMethod {
        let member = "token_endpoint_auth_method";
        let Some(name) = self.text(member) else { return ClientAuthenticationMethod::ClientSecretBasic };
        ClientAuthenticationMethod::parse(&name).unwrap_or_else(|| {
            let all = ClientAuthenticationMethod::ALL.map(ClientAuthenticationMethod::as_str);
            self.problem(member, None, &name, one_of(all));
            ClientAuthenticationMethod::ClientSecretBasic
        })
    }

    pub(super) fn scope(&mut self) -> Scopes {
        let text = self.text("scope").unwrap_or_default();
        Scopes::parse(&text).unwrap_or_else(|why| {
            self.problem("scope", None, &text, why);
            Scopes::default()
        })
    }

    pub(super) fn algorithm(&mut self, member: &str) -> Option<SigningAlgorithm> {
        let name = self.text(member)?;
        let algorithm = SigningAlgorithm::parse(&name);
        if algorithm.is_none() {
            self.problem(member, None, &name, one_of(SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)));
        }
        algorithm
    }

    /// An algorithm that the client signs with: there are more than this server signs with.
    pub(super) fn algorithm_of_the_client(&mut self, member: &str) -> Option<VerificationAlgorithm> {
        let name = self.text(member)?;
        let algorithm = VerificationAlgorithm::parse(&name);
        if algorithm.is_none() {
            let all = VerificationAlgorithm::ALL.map(VerificationAlgorithm::as_str);
            self.problem(member, None, &name, one_of(all));
        }
        algorithm
    }

    pub(super) fn response_types(&mut self, metadata: &ClientMetadata) {
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
    }

    /// What the members must mean together.
    pub(super) fn agreement(&mut self, metadata: &ClientMetadata) {
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
        self.keys_agree(metadata);
        self.sectors_agree(metadata);
        self.logout_agrees(metadata);
    }

    /// What is signed needs keys that it verifies with.
    fn keys_agree(&mut self, metadata: &ClientMetadata) {
        if metadata.has_keys() || self.members.contains_key("jwks") || self.members.contains_key("jwks_uri") {
            return;
        }
        if metadata.token_endpoint_auth_method == ClientAuthenticationMethod::PrivateKeyJwt {
            let expected =
                "`jwks` or `jwks_uri`: the keys that its assertions verify with (OpenID Connect Core §9)";
            self.problem("jwks", None, "none", expected);
            return;
        }
        let signs = metadata.request_object_signing_alg.is_some()
            || metadata.require_signed_request_object
            || !metadata.request_uris.is_empty();
        if signs {
            let expected = "`jwks` or `jwks_uri`: the keys that request objects verify with (RFC 9101 §6.2)";
            self.problem("jwks", None, "none", expected);
        }
    }

    /// OpenID Connect Core §8.1: several hosts make no sector by themselves.
    fn sectors_agree(&mut self, metadata: &ClientMetadata) {
        if metadata.subject_type != SubjectType::Pairwise || metadata.sector_identifier_uri.is_some() {
            return;
        }
        let mut hosts: Vec<Option<String>> =
            metadata.redirect_uris.iter().map(|uri| sector_host(uri.as_str())).collect();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.len() > 1 {
            let expected = "an https URL, as the redirect URIs have several hosts (OpenID Connect Core §8.1)";
            self.problem("sector_identifier_uri", None, "none", expected);
        }
    }

    /// Back-Channel Logout §2.2: a URI that this server may ask. Front-Channel Logout §2: scheme, host and port are those of
    /// a redirect URI.
    fn logout_agrees(&mut self, metadata: &ClientMetadata) {
        if let Some(uri) = &metadata.backchannel_logout_uri
            && let Err(why) = OutboundUrl::parse(uri)
        {
            let expected = format!("a URL that this server can ask; this one {why}");
            self.problem("backchannel_logout_uri", None, uri.escape_debug(), expected);
        }
        let Some(uri) = &metadata.frontchannel_logout_uri else { return };
        let origin = |uri: &str| Url::parse(uri).ok().map(|url| url.origin());
        if !metadata.redirect_uris.iter().any(|redirect| origin(redirect.as_str()) == origin(uri)) {
            let expected = "a URI with the scheme, host and port of a redirect URI (Front-Channel Logout §2)";
            self.problem("frontchannel_logout_uri", None, uri.escape_debug(), expected);
        }
    }
}

/// No client needs more redirect URIs.
const MOST_URIS: usize = 100;

fn is_secure_url(text: &str) -> bool {
    let visible = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) && !text.contains('\\');
    visible
        && text.len() <= 2000
        && Url::parse(text).is_ok_and(|url| {
            url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none()
        })
}

/// What nobody sees: the default ignorable code points (Unicode §5.21), line and paragraph ends, annotations, and the blank
/// of Braille.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_short(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn one_of<const N: usize>(names: [&str; N]) -> String {
    format!("one of {}", names.join(", "))
}
