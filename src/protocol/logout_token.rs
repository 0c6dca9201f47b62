//! The claims of a logout token (Back-Channel Logout §2.4): whose session is over, told to one client.

use serde::Serialize;
use std::time::Duration;

/// What a logout token says. There is no `nonce`, so that it never passes as an ID token.
#[derive(Debug, Serialize)]
pub struct LogoutTokenClaims<'a> {
    /// This server.
    pub iss: &'a str,
    /// The person, as the client knows them.
    pub sub: &'a str,
    /// The client, one string.
    pub aud: &'a str,
    /// When this token was made, in seconds.
    pub iat: i64,
    /// Until when it counts, in seconds.
    pub exp: i64,
    /// The name of the news, the same at every attempt.
    pub jti: &'a str,
    /// The session, as the client's ID tokens name it.
    pub sid: &'a str,
    /// What happened.
    pub events: Events,
}

/// Exactly one event, and nothing more to say of it.
#[derive(Debug, Default, Serialize)]
pub struct Events {
    /// The event that Back-Channel Logout §2.4 names.
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    pub back_channel_logout: Empty,
}

/// The JSON object `{}`.
#[derive(Debug, Default, Serialize)]
pub struct Empty {}

/// How long a logout token counts at most (§2.4: two minutes).
pub const LOGOUT_TOKEN_LIFE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_logout_token_has_one_event_with_nothing_in_it_and_no_nonce() {
        // threat 172
        let claims = LogoutTokenClaims {
            iss: "https://auth.example.com",
            sub: "usr_a",
            aud: "app",
            iat: 1,
            exp: 121,
            jti: "j",
            sid: "s",
            events: Events::default(),
        };
        let expected = json!({
            "iss": "https://auth.example.com", "sub": "usr_a", "aud": "app", "iat": 1, "exp": 121, "jti": "j", "sid": "s",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        assert_eq!(serde_json::to_value(&claims).expect("JSON"), expected);
    }
}
