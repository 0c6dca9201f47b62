//! What was decided, by whom, about whom and why: one record for a security decision.

use crate::protocol::identifiers::{ClientId, EventId, GrantId, RequestId, SessionId, UserId};
use crate::protocol::timestamp::Timestamp;

macro_rules! event_names {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// What happened. The names never change: people search for them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventName { $($(#[$doc])* $name),* }

        impl EventName {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in the log and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

event_names! {
    /// A person signed in.
    SignedIn = "session.signed_in",
    /// A sign-in failed.
    SignInRefused = "session.sign_in_refused",
    /// A sign-in was put off by the throttle.
    SignInThrottled = "session.sign_in_throttled",
    /// A person signed out.
    SignedOut = "session.signed_out",
    /// A request to sign a person out was refused.
    LogoutRefused = "session.logout_refused",
    /// An app took the news that a session is over.
    LogoutTokenDelivered = "logout_token.delivered",
    /// An app did not take it, and is told no more.
    LogoutTokenAbandoned = "logout_token.abandoned",
    /// A person agreed.
    ConsentGiven = "consent.given",
    /// A person took back what they had agreed to, and with it what the app got by it.
    ConsentTakenBack = "consent.taken_back",
    /// A person said no.
    ConsentDenied = "consent.denied",
    /// An authorization request was refused.
    AuthorizationRefused = "authorization.refused",
    /// A code was issued.
    CodeIssued = "grant.code_issued",
    /// A code was redeemed.
    CodeRedeemed = "grant.code_redeemed",
    /// A complete and correct code came again.
    CodeReplayed = "grant.code_replayed",
    /// A refresh token was used.
    Refreshed = "grant.refreshed",
    /// A refresh token of an earlier generation came again.
    RefreshTokenReplayed = "grant.refresh_token_replayed",
    /// A refresh token came whose generation the store has not reached: a commit was lost.
    RefreshTokenFromTheFuture = "grant.refresh_token_from_the_future",
    /// A grant ended.
    GrantRevoked = "grant.revoked",
    /// A token request was refused.
    TokenRefused = "token.refused",
    /// A service got a token.
    ServiceTokenIssued = "token.issued_to_service",
    /// One access token was revoked.
    AccessTokenRevoked = "token.revoked",
    /// A client did not prove who it is.
    ClientAuthenticationFailed = "client.authentication_failed",
    /// A client registered itself.
    ClientRegistered = "client.registered",
    /// A client changed its registration.
    ClientUpdated = "client.updated",
    /// A client that had registered itself is gone.
    ClientDeleted = "client.deleted",
    /// A registration, or its management, was refused.
    RegistrationRefused = "client.registration_refused",
    /// A person was added.
    UserAdded = "user.added",
    /// A person's claims or names changed.
    UserChanged = "user.changed",
    /// A person's password was set.
    PasswordSet = "user.password_set",
    /// A person changed their password, the old one at hand.
    PasswordChanged = "user.password_changed",
    /// A change of a password, or of somebody's account, was refused.
    AccountChangeRefused = "user.change_refused",
    /// A person asked for a link, having forgotten their password.
    RecoveryRequested = "user.recovery_requested",
    /// Somebody asked for a link, and none is sent.
    RecoveryRefused = "user.recovery_refused",
    /// A person set a password by a link.
    PasswordRecovered = "user.password_recovered",
    /// A mail left.
    MailSent = "mail.sent",
    /// A mail could not be sent, and is tried no more.
    MailAbandoned = "mail.abandoned",
    /// A person was disabled.
    UserDisabled = "user.disabled",
    /// A person was enabled again.
    UserEnabled = "user.enabled",
    /// A person was deleted.
    UserDeleted = "user.deleted",
    /// An operator revoked.
    AdministrationRevoked = "administration.revoked",
    /// A signing key was announced.
    KeyAnnounced = "key.announced",
    /// A signing key was taken out.
    KeyRemoved = "key.removed",
    /// The configuration was loaded anew.
    ConfigurationReloaded = "configuration.reloaded",
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Its own name.
    pub id: EventId,
    /// When.
    pub occurred_at: Timestamp,
    /// What.
    pub event: EventName,
    /// The request it belongs to, as the log and the error page name it.
    pub request_id: RequestId,
    /// Why, for operators.
    pub reason: String,
    /// The section that demands it.
    pub section: &'static str,
    /// About whom and what.
    pub about: About,
    /// The address of the client, when a request came over the network.
    pub address: String,
}

/// What an event is about; absent where it does not apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// The client.
    pub client_id: Option<ClientId>,
    /// The person.
    pub user_id: Option<UserId>,
    /// The session.
    pub session_id: Option<SessionId>,
    /// The grant.
    pub grant_id: Option<GrantId>,
}
