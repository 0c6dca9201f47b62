//! A grant: what a person allowed a client, born with its code in one row.
//!
//! `CodeIssued → Active { generation } → Revoked`. A refresh token names grant and generation; there is no row for it.

use crate::model::session::Authentication;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::identifiers::{ClientId, GrantId, RequestId, SessionId, UserId};
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use std::time::Duration;

/// A grant, whatever its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name: a digest of the code.
    pub id: GrantId,
    /// Whom it was given to.
    pub client_id: ClientId,
    /// Who gave it.
    pub user_id: UserId,
    /// In which session.
    pub session_id: SessionId,
    /// What it allows.
    pub scopes: Scopes,
    /// Where (RFC 8707); none asked for is none.
    pub resources: Vec<Resource>,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// Whether the token request must repeat it (RFC 6749 §4.1.3).
    pub redirect_uri_in_request: RedirectUriInRequest,
    /// The PKCE challenge, if any (RFC 7636).
    pub code_challenge: Option<CodeChallenge>,
    /// The `nonce` of the request.
    pub nonce: Option<String>,
    /// What single claims the request asked for and may have (OpenID Connect Core §5.5).
    pub claims: ClaimsRequest,
    /// How and when the person signed in.
    pub authentication: Authentication,
    /// Whether it outlives its session.
    pub access: Access,
    /// The request that it came from.
    pub request_id: RequestId,
    /// When its code was issued.
    pub issued_at: Timestamp,
    /// When nothing of it is valid any more, whatever else.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: GrantState,
}

/// Whether the authorization request named its redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriInRequest {
    /// It did: the token request repeats it, byte for byte.
    Present,
    /// It left it to the registration.
    Absent,
}

/// Whether a grant outlives the session it was given in (OpenID Connect Core §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `offline_access` was granted.
    Offline,
    /// It ends with the session.
    Session,
}

/// Where a grant stands; each state carries what is true in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// A code is out.
    CodeIssued {
        /// Until when it may be redeemed.
        until: Timestamp,
    },
    /// The code was redeemed.
    Active {
        /// When.
        redeemed_at: Timestamp,
        /// The refresh token's side, when the client gets one.
        refresh: Option<RefreshState>,
    },
    /// Over, for good.
    Revoked {
        /// When its code was redeemed, if ever.
        redeemed_at: Option<Timestamp>,
    },
}

/// What a row knows of its refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshState {
    /// The generation that is fresh.
    pub generation: u32,
    /// When it became so.
    pub rotated_at: Timestamp,
    /// When the grant was last used, give or take an hour.
    pub used_at: Timestamp,
    /// Until when it must be used again.
    pub idle_until: Timestamp,
    /// The digest of the salt that its tokens carry.
    pub salt_hash: [u8; 32],
}

/// How soon after the first a second redemption of a code counts as a browser's double submit and revokes nothing.
pub const DOUBLE_SUBMIT_WINDOW: Duration = Duration::from_millis(500);
/// How long after a rotation its predecessor still gets the same successor, as long as that was never presented.
pub const LOST_ANSWER_WINDOW: Duration = Duration::from_secs(60);
/// How long the row of a grant that has ended is kept: a replay is told from nonsense that long.
pub const KEPT_AFTER_ITS_END: Duration = Duration::from_secs(86_400);
/// How often a refresh that rotates nothing is noted in the row.
pub const USE_STAMP_EVERY: Duration = Duration::from_secs(3600);

/// Why a grant ended, as its row says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    /// Its code was redeemed again.
    CodeReplayed,
    /// An old refresh token was presented.
    RefreshTokenReplayed,
    /// The client revoked it (RFC 7009).
    RevokedByClient,
    /// The person signed out.
    SignedOut,
    /// The person unticked a scope that it held.
    ScopeTakenBack,
    /// The person took back what they had given the client.
    ConsentTakenBack,
    /// The person may no longer use the client.
    AccessDenied,
    /// An operator revoked it.
    Administration,
    /// The person's password was changed.
    PasswordChanged,
    /// The person was disabled.
    UserDisabled,
    /// The client's registration became one that knows people by other subjects.
    SubjectChanged,
}

impl RevocationReason {
    /// The word in the row and in the audit trail; never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::RefreshTokenReplayed => "refresh_token_replayed",
            Self::RevokedByClient => "revoked_by_client",
            Self::SignedOut => "signed_out",
            Self::ScopeTakenBack => "scope_taken_back",
            Self::ConsentTakenBack => "consent_taken_back",
            Self::AccessDenied => "access_denied",
            Self::Administration => "administration",
            Self::PasswordChanged => "password_changed",
            Self::UserDisabled => "user_disabled",
            Self::SubjectChanged => "subject_changed",
        }
    }
}

/// What a presented generation means beside the row's (product.md, refresh tokens).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The fresh one.
    Fresh,
    /// The one before, within the window, its successor never presented: the same successor again.
    LostAnswer,
    /// An older one, or the one before after the window: somebody else has it.
    Replayed,
    /// Later than the row's: a commit was lost.
    FromTheFuture,
}

impl RefreshState {
    /// Judges a presented generation at `now`.
    pub fn judge(&self, presented: u32, now: Timestamp) -> Presented {
        if presented == self.generation {
            Presented::Fresh
        } else if presented > self.generation {
            Presented::FromTheFuture
        } else if presented.checked_add(1) == Some(self.generation)
            && now.since(self.rotated_at) <= LOST_ANSWER_WINDOW
        {
            Presented::LostAnswer
        } else {
            Presented::Replayed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_predecessor_gets_its_successor_again_and_only_within_the_window() {
        // threats 38–41
        let start = Timestamp::from_seconds(1_000);
        let state = RefreshState {
            generation: 5,
            rotated_at: start,
            used_at: start,
            idle_until: start,
            salt_hash: [0; 32],
        };
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        assert_eq!(state.judge(5, at(9_999)), Presented::Fresh);
        assert_eq!(state.judge(4, at(60)), Presented::LostAnswer);
        assert_eq!(state.judge(4, at(61)), Presented::Replayed);
        assert_eq!(state.judge(3, at(0)), Presented::Replayed);
        assert_eq!(state.judge(6, at(0)), Presented::FromTheFuture);
        assert_eq!(state.judge(u32::MAX, at(0)), Presented::FromTheFuture);
    }
}
