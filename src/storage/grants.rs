//! The table of grants: codes and generations of refresh tokens are states of one row, and each step of its life is one
//! guarded write that names every binding. Which answer a failed step deserves is for the rules to say.

use crate::model::grant::{Access, Grant, GrantState, RedirectUriInRequest, RefreshState};
use crate::model::session::Authentication;
use crate::model::user::User;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::identifiers::{ClientId, GrantId, RequestId, SessionId, UserId};
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::resource::Resource;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all, fetch_optional};
use crate::storage::error::StorageError;
pub use crate::storage::grant_ends::{
    revoke, revoke_given, revoke_holding, revoke_of_client, revoke_of_session, revoke_of_user,
    revoke_of_user_elsewhere, sweep, sweep_idle,
};
use crate::storage::row::{column, digest, of_row, resources, resources_text, scopes};
use crate::storage::users::UserRow;

/// The columns of a grant, qualified so that they stand in a join and in RETURNING alike.
macro_rules! grant_columns {
    () => {
        "grants.id AS grant_id, state, client_id, grants.user_id AS owner_id, session_id, scopes, resources, redirect_uri,
         redirect_uri_repeat, code_challenge, nonce, claims_request, authenticated_at, acr, amr, offline, request_id, issued_at,
         code_until, expires_at, redeemed_at, salt_hash, generation, rotated_at, used_at, idle_until"
    };
}

/// The person may still be somebody's: not disabled.
macro_rules! person_lives {
    () => {
        "EXISTS (SELECT 1 FROM users WHERE users.id = grants.user_id AND users.disabled_at IS NULL)"
    };
}

/// The session that the grant was given in goes on, at the moment $1.
macro_rules! session_lives {
    () => {
        "EXISTS (SELECT 1 FROM sessions WHERE sessions.id = grants.session_id AND sessions.ended_at IS NULL
                 AND sessions.idle_until > $1 AND sessions.absolute_until > $1)"
    };
}

/// The resource $5 is one of the grant's; none is asked for only where there is no choice (RFC 8707 §2.2).
macro_rules! resource_granted {
    () => {
        "(($5 = '' AND resources NOT LIKE '% %')
          OR ($5 <> '' AND replace(' ' || resources || ' ', ' ' || $5 || ' ', '') <> ' ' || resources || ' '))"
    };
}

#[derive(sqlx::FromRow)]
struct GrantRow {
    grant_id: String,
    state: String,
    client_id: String,
    owner_id: String,
    session_id: String,
    scopes: String,
    resources: String,
    redirect_uri: String,
    redirect_uri_repeat: String,
    code_challenge: String,
    nonce: String,
    claims_request: String,
    authenticated_at: i64,
    acr: String,
    amr: String,
    offline: bool,
    request_id: String,
    issued_at: i64,
    code_until: i64,
    expires_at: i64,
    redeemed_at: Option<i64>,
    salt_hash: Option<Vec<u8>>,
    generation: i64,
    rotated_at: Option<i64>,
    used_at: Option<i64>,
    idle_until: Option<i64>,
}

const TABLE: &str = "grants";

impl GrantRow {
    fn refresh(&self) -> Result<Option<RefreshState>, StorageError> {
        let Some(salt_hash) = self.salt_hash.clone() else { return Ok(None) };
        let moment =
            |name, value: Option<i64>| column(TABLE, name, value.map(Timestamp::from_millis).ok_or(()));
        Ok(Some(RefreshState {
            generation: column(TABLE, "generation", u32::try_from(self.generation))?,
            rotated_at: moment("rotated_at", self.rotated_at)?,
            used_at: moment("used_at", self.used_at)?,
            idle_until: moment("idle_until", self.idle_until)?,
            salt_hash: digest(TABLE, "salt_hash", salt_hash)?,
        }))
    }

    fn state(&self) -> Result<GrantState, StorageError> {
        let redeemed_at = self.redeemed_at.map(Timestamp::from_millis);
        match self.state.as_str() {
            "code" => Ok(GrantState::CodeIssued { until: Timestamp::from_millis(self.code_until) }),
            "active" => Ok(GrantState::Active {
                redeemed_at: column(TABLE, "redeemed_at", redeemed_at.ok_or(()))?,
                refresh: self.refresh()?,
            }),
            "revoked" => Ok(GrantState::Revoked { redeemed_at }),
            _ => column(TABLE, "state", Err(())),
        }
    }
}

impl TryFrom<GrantRow> for Grant {
    type Error = StorageError;

    fn try_from(row: GrantRow) -> Result<Self, StorageError> {
        let id = row.grant_id.clone();
        of_row(&id, row.grant())
    }
}

impl GrantRow {
    fn grant(self) -> Result<Grant, StorageError> {
        let row = self;
        let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Grant {
            id: column(TABLE, "id", GrantId::parse(&row.grant_id))?,
            client_id: column(TABLE, "client_id", ClientId::parse(&row.client_id))?,
            user_id: column(TABLE, "user_id", UserId::parse(&row.owner_id))?,
            session_id: column(TABLE, "session_id", SessionId::parse(&row.session_id))?,
            scopes: scopes(TABLE, &row.scopes)?,
            resources: resources(TABLE, &row.resources)?,
            redirect_uri_in_request: match row.redirect_uri_repeat.is_empty() {
                true => RedirectUriInRequest::Absent,
                false => RedirectUriInRequest::Present,
            },
            code_challenge: present(&row.code_challenge)
                .map(|challenge| {
                    column(TABLE, "code_challenge", CodeChallenge::parse(&challenge, Some("S256")))
                })
                .transpose()?,
            nonce: present(&row.nonce),
            claims: column(TABLE, "claims_request", ClaimsRequest::from_text(&row.claims_request))?,
            authentication: Authentication {
                at: Timestamp::from_millis(row.authenticated_at),
                acr: row.acr.clone(),
                amr: row.amr.split(' ').map(str::to_owned).collect(),
            },
            access: if row.offline { Access::Offline } else { Access::Session },
            request_id: column(TABLE, "request_id", RequestId::parse(&row.request_id))?,
            issued_at: Timestamp::from_millis(row.issued_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            state: row.state()?,
            redirect_uri: row.redirect_uri,
        })
    }
}

/// Inserts a grant with its code; the caller has decided everything about it.
pub async fn insert_code(
    connection: &mut Connection,
    grant: &Grant,
    until: Timestamp,
) -> Result<(), StorageError> {
    let repeat = match grant.redirect_uri_in_request {
        RedirectUriInRequest::Present => grant.redirect_uri.as_str(),
        RedirectUriInRequest::Absent => "",
    };
    execute!(
        connection,
        "INSERT INTO grants (id, state, client_id, user_id, session_id, scopes, resources, redirect_uri,
                             redirect_uri_repeat, code_challenge, nonce, authenticated_at, acr, amr, offline, request_id,
                             issued_at, code_until, expires_at, claims_request, generation)
         VALUES ($1, 'code', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0)",
        grant.id.as_str(),
        grant.client_id.as_str(),
        grant.user_id.as_str(),
        grant.session_id.as_str(),
        grant.scopes.to_string(),
        resources_text(&grant.resources),
        &grant.redirect_uri,
        repeat,
        grant.code_challenge.as_ref().map_or("", CodeChallenge::as_str),
        grant.nonce.as_deref().unwrap_or_default(),
        grant.authentication.at.millis(),
        &grant.authentication.acr,
        grant.authentication.amr.join(" "),
        grant.access == Access::Offline,
        grant.request_id.as_str(),
        grant.issued_at.millis(),
        until.millis(),
        grant.expires_at.millis(),
        grant.claims.to_text(),
    )
    .map(drop)
}

/// What a redemption presents: every binding of the code, absent ones as `''` (RFC 6749 §4.1.3, RFC 7636 §4.6).
#[derive(Clone, Debug)]
pub struct RedemptionAttempt {
    /// The digest of the presented code.
    pub id: GrantId,
    /// Who authenticated.
    pub client_id: ClientId,
    /// The presented `redirect_uri`, or nothing.
    pub redirect_uri: String,
    /// The challenge of the presented verifier, or nothing.
    pub code_challenge: String,
    /// The presented `resource`, or nothing.
    pub resource: String,
    /// When.
    pub now: Timestamp,
    /// When the opened grant is over.
    pub expires_at: Timestamp,
    /// By how many milliseconds the clock that says so is ahead of the database's.
    pub clock_ahead: i64,
    /// The digest of the first refresh token's salt, and when it must have been used; without them there is none.
    pub refresh: Option<([u8; 32], Timestamp)>,
}

/// Spends the code and opens its grant: one guarded UPDATE. `None` when any binding fails, and nothing has changed then.
pub async fn redeem(
    connection: &mut Connection,
    attempt: &RedemptionAttempt,
) -> Result<Option<Grant>, StorageError> {
    let row = fetch_optional!(
        connection,
        GrantRow,
        concat!(
            "UPDATE grants SET state = 'active', redeemed_at = $1, expires_at = $6, salt_hash = $7, rotated_at = $1,
                               used_at = $1, idle_until = $8, clock_ahead = $10
             WHERE id = $2 AND state = 'code' AND client_id = $3 AND code_challenge = $4 AND code_until > $1
               AND (redirect_uri_repeat = $9 OR (redirect_uri_repeat = '' AND redirect_uri = $9)) AND ",
            resource_granted!(),
            " AND ",
            person_lives!(),
            " AND ",
            session_lives!(),
            " RETURNING ",
            grant_columns!()
        ),
        attempt.now.millis(),
        attempt.id.as_str(),
        attempt.client_id.as_str(),
        &attempt.code_challenge,
        &attempt.resource,
        attempt.expires_at.millis(),
        attempt.refresh.as_ref().map(|(salt_hash, _)| salt_hash.to_vec()),
        attempt.refresh.as_ref().map(|(_, idle_until)| idle_until.millis()),
        &attempt.redirect_uri,
        attempt.clock_ahead,
    )?;
    row.map(TryFrom::try_from).transpose()
}

/// What a rotation presents.
#[derive(Clone, Debug)]
pub struct RotationAttempt {
    /// The grant that the token names.
    pub id: GrantId,
    /// Who authenticated.
    pub client_id: ClientId,
    /// The generation that the token names.
    pub generation: u32,
    /// The digest of the salt that the token carries.
    pub salt_hash: [u8; 32],
    /// The presented `resource`, or nothing.
    pub resource: String,
    /// When.
    pub now: Timestamp,
    /// When the successor must have been used.
    pub idle_until: Timestamp,
    /// By how many milliseconds the clock that says so is ahead of the database's.
    pub clock_ahead: i64,
}

/// Makes the next generation the fresh one: one guarded UPDATE. `None` when any binding fails, and nothing has changed then.
pub async fn rotate(
    connection: &mut Connection,
    attempt: &RotationAttempt,
) -> Result<Option<Grant>, StorageError> {
    let row = fetch_optional!(
        connection,
        GrantRow,
        concat!(
            "UPDATE grants SET generation = generation + 1, rotated_at = $1, used_at = $1, idle_until = $6, clock_ahead = $8
             WHERE id = $2 AND state = 'active' AND client_id = $3 AND generation = $4 AND salt_hash = $7
               AND idle_until > $1 AND expires_at > $1 AND ",
            resource_granted!(),
            " AND ",
            person_lives!(),
            " AND (offline OR ",
            session_lives!(),
            ") RETURNING ",
            grant_columns!()
        ),
        attempt.now.millis(),
        attempt.id.as_str(),
        attempt.client_id.as_str(),
        i64::from(attempt.generation),
        &attempt.resource,
        attempt.idle_until.millis(),
        &attempt.salt_hash[..],
        attempt.clock_ahead,
    )?;
    row.map(TryFrom::try_from).transpose()
}

/// Notes a use that rotates nothing, which puts the idle end off.
pub async fn stamp_use(
    connection: &mut Connection,
    id: &GrantId,
    now: Timestamp,
    idle_until: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        connection,
        "UPDATE grants SET used_at = $2, idle_until = $3 WHERE id = $1 AND state = 'active' AND used_at < $2",
        id.as_str(),
        now.millis(),
        idle_until.millis(),
    )
    .map(drop)
}

/// A grant with all that decides whether it still counts.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The grant.
    pub grant: Grant,
    /// Its person, disabled or not.
    pub user: User,
    /// Whether its session goes on.
    pub session: SessionStanding,
    /// Whether the one access token that was asked about was revoked.
    pub token: TokenStanding,
    /// By how many milliseconds the clock that its redemption or last rotation is by was ahead of the database's.
    pub clock_ahead: i64,
}

/// Whether a grant's session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStanding {
    /// It does.
    Living,
    /// It ended, by itself or otherwise.
    Ended,
}

/// Whether an access token was revoked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStanding {
    /// It was not.
    NotRevoked,
    /// It was.
    Revoked,
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    #[sqlx(flatten)]
    grant: GrantRow,
    #[sqlx(flatten)]
    user: UserRow,
    session_living: i64,
    token_revoked: i64,
    clock_ahead: i64,
}

/// The grant with this id, its person, and how its session and the access token `jti` stand at `now`: one read.
pub async fn find_standing(
    connection: &mut Connection,
    id: &GrantId,
    jti: &str,
    now: Timestamp,
) -> Result<Option<Standing>, StorageError> {
    let row = fetch_optional!(
        connection,
        StandingRow,
        concat!(
            "SELECT ",
            grant_columns!(),
            ", users.id AS user_id, username, verified_email, password_hash, claims, users.created_at AS user_created_at,
               users.updated_at AS user_updated_at, disabled_at, must_change_password,
               CAST(CASE WHEN ",
            session_lives!(),
            " THEN 1 ELSE 0 END AS BIGINT) AS session_living, clock_ahead,
               CAST(CASE WHEN EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = $3) THEN 1 ELSE 0 END AS BIGINT) AS token_revoked
             FROM grants JOIN users ON users.id = grants.user_id WHERE grants.id = $2"
        ),
        now.millis(),
        id.as_str(),
        jti,
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Standing {
        grant: row.grant.try_into()?,
        user: row.user.try_into()?,
        session: if row.session_living == 1 { SessionStanding::Living } else { SessionStanding::Ended },
        token: if row.token_revoked == 1 { TokenStanding::Revoked } else { TokenStanding::NotRevoked },
        clock_ahead: row.clock_ahead,
    }))
}

impl Standing {
    /// `now`, by a clock that is `clock_ahead` of the database's, as the clock that the stored moments are by would have shown it.
    pub fn by_its_clock(&self, now: Timestamp, clock_ahead: i64) -> Timestamp {
        Timestamp::from_millis(now.millis().saturating_sub(clock_ahead).saturating_add(self.clock_ahead))
    }
}

/// The living grants of a person, newest first.
pub async fn active_of_user(connection: &mut Connection, user: &UserId) -> Result<Vec<Grant>, StorageError> {
    let rows = fetch_all!(
        connection,
        GrantRow,
        concat!(
            "SELECT ",
            grant_columns!(),
            " FROM grants WHERE user_id = $1 AND state = 'active' ORDER BY issued_at DESC LIMIT 500"
        ),
        user.as_str(),
    )?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// Whether `resource` is among a grant's; the same rule as the guarded writes have in SQL.
pub fn resource_is_granted(granted: &[Resource], asked: &str) -> bool {
    if asked.is_empty() {
        granted.len() < 2
    } else {
        granted.iter().any(|resource| resource.as_str() == asked)
    }
}
