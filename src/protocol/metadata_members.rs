//! Client metadata as JSON members again (RFC 7591 §3.2.1): what `from_members` reads back to the same value (threat 115).

use crate::protocol::client_metadata::{ClientKeys, ClientMetadata};
use crate::protocol::grant_type::GrantType;
use crate::protocol::localized::{Localized, canonical_case};
use crate::protocol::redirect_uri::{ApplicationType, RedirectUri};
use serde_json::{Map, Value, json};

impl ClientMetadata {
    /// The members that say what this value is, defaults spelt out, in the order of [`ClientMetadata::MEMBERS`].
    pub fn to_members(&self) -> Map<String, Value> {
        let mut all = Map::new();
        for name in Self::MEMBERS {
            for (member, value) in self.member(name) {
                all.insert(member, value);
            }
        }
        all
    }

    /// One member with its variants by language; nothing for what the client does not have.
    fn member(&self, name: &'static str) -> Vec<(String, Value)> {
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let flag = |flag: bool| flag.then_some(Value::Bool(true));
        let list = |list: &[String]| (!list.is_empty()).then(|| json!(list));
        let uris = |uris: &[RedirectUri]| -> Option<Value> {
            (!uris.is_empty()).then(|| uris.iter().map(RedirectUri::as_str).collect())
        };
        let value = match name {
            "client_name" => return localized(name, &self.client_name),
            "client_uri" => return localized(name, &self.client_uri),
            "logo_uri" => return localized(name, &self.logo_uri),
            "policy_uri" => return localized(name, &self.policy_uri),
            "tos_uri" => return localized(name, &self.tos_uri),
            "contacts" => list(&self.contacts),
            "software_id" => text(&self.software_id),
            "software_version" => text(&self.software_version),
            "application_type" => Some(json!(match self.application_type {
                ApplicationType::Web => "web",
                ApplicationType::Native => "native",
            })),
            "redirect_uris" => uris(&self.redirect_uris),
            "post_logout_redirect_uris" => uris(&self.post_logout_redirect_uris),
            "initiate_login_uri" => text(&self.initiate_login_uri),
            "grant_types" => Some(self.grant_types.iter().map(|one| one.as_str()).collect()),
            "response_types" => self.allows(GrantType::AuthorizationCode).then(|| json!(["code"])),
            "token_endpoint_auth_method" => Some(json!(self.token_endpoint_auth_method.as_str())),
            "token_endpoint_auth_signing_alg" => {
                self.token_endpoint_auth_signing_alg.map(|one| json!(one.as_str()))
            }
            "jwks" => match &self.keys {
                ClientKeys::ByValue(set) => Some(set.clone()),
                _ => None,
            },
            "jwks_uri" => match &self.keys {
                ClientKeys::ByReference(uri) => Some(json!(uri)),
                _ => None,
            },
            "scope" => Some(json!(self.scope.to_string())),
            "subject_type" => Some(json!(self.subject_type.as_str())),
            "sector_identifier_uri" => text(&self.sector_identifier_uri),
            "id_token_signed_response_alg" => Some(json!(self.id_token_signed_response_alg.as_str())),
            "userinfo_signed_response_alg" => {
                self.userinfo_signed_response_alg.map(|one| json!(one.as_str()))
            }
            "introspection_signed_response_alg" => {
                self.introspection_signed_response_alg.map(|one| json!(one.as_str()))
            }
            "request_object_signing_alg" => self.request_object_signing_alg.map(|one| json!(one.as_str())),
            "require_signed_request_object" => flag(self.require_signed_request_object),
            "request_uris" => list(&self.request_uris),
            "require_pushed_authorization_requests" => flag(self.require_pushed_authorization_requests),
            "default_max_age" => self.default_max_age.map(|seconds| json!(seconds)),
            "require_auth_time" => flag(self.require_auth_time),
            "default_acr_values" => list(&self.default_acr_values),
            "backchannel_logout_uri" => text(&self.backchannel_logout_uri),
            "backchannel_logout_session_required" => flag(self.backchannel_logout_session_required),
            "frontchannel_logout_uri" => text(&self.frontchannel_logout_uri),
            "frontchannel_logout_session_required" => flag(self.frontchannel_logout_session_required),
            _ => None,
        };
        value.map(|value| (name.to_owned(), value)).into_iter().collect()
    }
}

fn localized(name: &str, text: &Localized) -> Vec<(String, Value)> {
    let default = text.default.iter().map(|text| (name.to_owned(), json!(text)));
    let variants =
        text.by_language.iter().map(|(tag, text)| (format!("{name}#{}", canonical_case(tag)), json!(text)));
    default.chain(variants).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::redirect_uri::Deployment;

    #[test]
    fn what_is_written_reads_back_to_the_same() {
        // threat 115
        let said = json!({
            "client_name": "Photos",
            "client_name#de": "Bilder",
            "client_uri": "https://app.example/",
            "logo_uri": "https://app.example/logo.png",
            "policy_uri": "https://app.example/policy",
            "tos_uri": "https://app.example/terms",
            "tos_uri#ja": "https://app.example/terms/ja",
            "contacts": ["ada@app.example"],
            "software_id": "photos",
            "software_version": "2",
            "application_type": "web",
            "redirect_uris": ["https://app.example/cb", "https://app.example/cb?x=1"],
            "post_logout_redirect_uris": ["https://app.example/"],
            "initiate_login_uri": "https://app.example/login",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_post",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": {"keys": [{"kty": "EC"}]},
            "scope": "openid profile",
            "subject_type": "pairwise",
            "sector_identifier_uri": "https://app.example/sector.json",
            "id_token_signed_response_alg": "EdDSA",
            "userinfo_signed_response_alg": "RS256",
            "introspection_signed_response_alg": "ES256",
            "request_object_signing_alg": "RS256",
            "require_signed_request_object": true,
            "request_uris": ["https://app.example/request#digest"],
            "require_pushed_authorization_requests": true,
            "default_max_age": 60,
            "require_auth_time": true,
            "default_acr_values": ["urn:example:silver"],
            "backchannel_logout_uri": "https://app.example/logout",
            "backchannel_logout_session_required": true,
            "frontchannel_logout_uri": "https://app.example/logout",
            "frontchannel_logout_session_required": true,
        });
        let Value::Object(said) = said else { unreachable!() };
        let read = ClientMetadata::from_members(&said, Deployment::Production).expect("valid");
        let written = read.to_members();
        assert_eq!(ClientMetadata::from_members(&written, Deployment::Production), Ok(read));
        assert_eq!(Value::Object(written), Value::Object(said));
    }
}
