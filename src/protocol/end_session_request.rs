//! The request to end a session (RP-Initiated Logout §2): what is asked, by whom and about whom, before anything of it is
//! believed. What it comes to is decided in `logout`.

use crate::protocol::parameters::Parameters;

/// What a client's logout request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndSessionRequest<'a> {
    /// `id_token_hint`: an ID token of the session that should end.
    pub id_token_hint: Option<&'a str>,
    /// `client_id`: who asks.
    pub client_id: Option<&'a str>,
    /// `post_logout_redirect_uri`: where the person should go afterwards.
    pub post_logout_redirect_uri: Option<&'a str>,
    /// `state`: comes back with the person, as it is.
    pub state: Option<&'a str>,
}

impl<'a> EndSessionRequest<'a> {
    /// Every parameter of the request; a page of ours hands on no other.
    pub const PARAMETERS: [&'static str; 6] =
        ["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

    /// Reads the parameters; `logout_hint` and `ui_locales` may be there and decide nothing here.
    pub fn read(parameters: &'a Parameters) -> Self {
        Self {
            id_token_hint: parameters.get("id_token_hint"),
            client_id: parameters.get("client_id"),
            post_logout_redirect_uri: parameters.get("post_logout_redirect_uri"),
            state: parameters.get("state"),
        }
    }
}
