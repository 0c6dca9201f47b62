//! RP-Initiated Logout: what a request to end the session comes to. It may end it at once only when it brings an ID token of
//! this very session; otherwise the person is asked (§2, §6; threat 171). Where they go afterwards is one of the client's
//! registered URIs, byte for byte, or nowhere (§3; threats 12, 176).

use crate::clients::registry::Registry;
use crate::config::Config;
use crate::keys::key_ring::KeyRing;
use crate::logout::error::LogoutError;
use crate::model::client::{Client, Provenance};
use crate::protocol::end_session_request::EndSessionRequest;
use crate::protocol::timestamp::Timestamp;
use crate::sessions::accounts::Accounts;
use crate::sessions::browser::SignedIn;
use crate::tokens::id_token_hint::{self, IdTokenHint};
use crate::tokens::subject::Subjects;
use std::sync::Arc;
use url::form_urlencoded;

/// What a judgement leans on: the snapshot of a request.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The clients.
    pub registry: &'a Registry,
    /// What hints verify with.
    pub ring: &'a KeyRing,
    /// The moment.
    pub now: Timestamp,
}

/// A request that may be carried out; only [`judge`] makes one.
#[derive(Clone, Debug)]
pub struct EndSession {
    client: Option<Arc<Client>>,
    target: Option<PostLogoutTarget>,
    hint: Option<IdTokenHint>,
}

/// Where the person goes afterwards: a registered URI of the client, and what it wants to hear again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLogoutTarget {
    uri: String,
    state: Option<String>,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The person is asked.
    Confirm(ConfirmReason),
    /// The session of this browser ends.
    End,
    /// Nobody is signed in here: there is nothing to end.
    Nothing(Onward),
}

/// Why the person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmReason {
    /// Nothing shows that the request is about this browser.
    NoHint,
    /// The hint is about another session than this browser's.
    OtherSession,
}

/// How the person goes on when there was nothing to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// At once: the hint shows that the client knew the person.
    AtOnce,
    /// By a button: anybody could have made the link.
    ByButton,
}

/// Judges the parameters of a request.
///
/// # Errors
/// Everything but `Unreadable`, `TooLong`, `FormForeign`, `Unavailable` and `Internal`.
pub fn judge(
    request: &EndSessionRequest<'_>,
    surroundings: Surroundings<'_>,
) -> Result<EndSession, LogoutError> {
    let Surroundings { config, registry, ring, now } = surroundings;
    let hint = match request.id_token_hint {
        // one that a key signed which is known no more says nothing: as good as none
        Some(hint) => id_token_hint::read(hint, config, ring, now).map_err(LogoutError::HintInvalid)?,
        None => None,
    };
    let named = match (&hint, request.client_id) {
        // §2: the OP must verify that client_id is whom the hint was issued to
        (Some(hint), Some(client_id)) if hint.client_id != client_id => {
            return Err(LogoutError::ClientMismatch);
        }
        (Some(hint), _) => Some(hint.client_id.as_str()),
        (None, client_id) => client_id,
    };
    let client = named.and_then(|client_id| registry.find_named(client_id)).cloned();
    if client.is_none() && request.client_id.is_some() {
        return Err(LogoutError::UnknownClient);
    }
    let target = match (request.post_logout_redirect_uri, &client) {
        (None, _) => None,
        (Some(_), None) if hint.is_some() => return Err(LogoutError::UnknownClient),
        (Some(_), None) => return Err(LogoutError::RedirectUriOfNobody),
        (Some(uri), Some(client)) => Some(target(uri, request.state, client)?),
    };
    Ok(EndSession { client, target, hint })
}

/// §3.1: simple string comparison, without the exception for the ports of native apps.
fn target(uri: &str, state: Option<&str>, client: &Client) -> Result<PostLogoutTarget, LogoutError> {
    let registered = &client.metadata.post_logout_redirect_uris;
    if !registered.iter().any(|known| known.as_str() == uri) {
        return Err(LogoutError::RedirectUriMismatch);
    }
    Ok(PostLogoutTarget { uri: uri.to_owned(), state: state.map(str::to_owned) })
}

impl EndSession {
    /// Who asks, when that is known.
    pub fn client(&self) -> Option<&Arc<Client>> {
        self.client.as_ref()
    }

    /// Where the person goes afterwards, if anywhere.
    pub fn target(&self) -> Option<&PostLogoutTarget> {
        self.target.as_ref()
    }

    /// Whose session it is about, of those who are signed in in this browser: the one that the hint names, else the active one's,
    /// else whoever is left.
    pub fn session<'a>(&self, accounts: &'a Accounts, subjects: Subjects<'_>) -> Option<&'a SignedIn> {
        let named = accounts.all().find(|one| self.names(one, subjects));
        named.or_else(|| accounts.all().next())
    }

    /// Whether the hint is about this session, by the name that its client knows it by.
    fn names(&self, signed_in: &SignedIn, subjects: Subjects<'_>) -> bool {
        let id = &signed_in.session.id;
        let sid = self.hint.as_ref().and_then(|hint| hint.sid.as_deref());
        sid.is_some_and(|sid| match &self.client {
            Some(client) => sid == subjects.session(client, id),
            None => sid == id.as_str(),
        })
    }

    fn is_vouched_for(&self) -> bool {
        self.client.as_ref().is_none_or(|client| client.provenance == Provenance::Configured)
    }

    /// Decides what happens next in a browser in which this person, or nobody, is signed in.
    pub fn next_step(&self, signed_in: Option<&SignedIn>, subjects: Subjects<'_>) -> NextStep {
        match (signed_in, &self.hint) {
            (None, Some(_)) if self.is_vouched_for() => NextStep::Nothing(Onward::AtOnce),
            // whoever registers a client has hints of it, and could send anybody anywhere
            (None, _) => NextStep::Nothing(Onward::ByButton),
            (Some(_), None) => NextStep::Confirm(ConfirmReason::NoHint),
            (Some(signed_in), Some(_)) if self.names(signed_in, subjects) => NextStep::End,
            (Some(_), Some(_)) => NextStep::Confirm(ConfirmReason::OtherSession),
        }
    }
}

impl PostLogoutTarget {
    /// The registered URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The URI with `state`, when there was one, and nothing else (§3).
    pub fn location(&self) -> String {
        let Some(state) = &self.state else { return self.uri.clone() };
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
        let joint = match self.uri.find('?') {
            None => "?",
            Some(at) if at + 1 == self.uri.len() => "",
            Some(_) => "&",
        };
        format!("{}{joint}{query}", self.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_the_registered_uri_with_the_state_and_nothing_else() {
        // threats 155, 176
        let location = |uri: &str, state: Option<&str>| {
            PostLogoutTarget { uri: uri.to_owned(), state: state.map(str::to_owned) }.location()
        };
        assert_eq!(location("https://a.example/out", None), "https://a.example/out");
        assert_eq!(location("https://a.example/out", Some("x")), "https://a.example/out?state=x");
        assert_eq!(location("https://a.example/out?b=1", Some("x")), "https://a.example/out?b=1&state=x");
        assert_eq!(location("https://a.example/out?", Some("x")), "https://a.example/out?state=x");
        let hostile = location("https://a.example/out", Some("a\r\nSet-Cookie: x&iss=y#é"));
        assert_eq!(hostile, "https://a.example/out?state=a%0D%0ASet-Cookie%3A+x%26iss%3Dy%23%C3%A9");
    }
}
