-- What OpenID Connect needs beyond the main road: requested claims, pushed requests, assertions, notifications of logout,
-- registered clients, recovery. Portable SQL, as in the first house.

-- The `claims` parameter of the request, as it was judged; '' without one.
ALTER TABLE grants ADD COLUMN claims_request TEXT NOT NULL DEFAULT '';

-- Whether the person has to choose a new password before anything else.
ALTER TABLE users ADD COLUMN must_change_password BOOLEAN NOT NULL DEFAULT FALSE;

-- For how long the tokens that a key signed may live, in milliseconds: it is shown at least that long after it stopped.
ALTER TABLE signing_keys ADD COLUMN token_life BIGINT NOT NULL DEFAULT 0;

-- By how many milliseconds the clock that redeemed_at and rotated_at are by was ahead of the database's, so that a replica whose
-- clock differs can hold its own against them.
ALTER TABLE grants ADD COLUMN clock_ahead BIGINT NOT NULL DEFAULT 0;

-- Pushed authorization requests (RFC 9126). The id is a digest of the request_uri; the row is deleted by the code that it
-- becomes. It outlives expires_at by the life of a marker, as expiry is judged when a visit begins.
CREATE TABLE pushed_requests (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    parameters TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pushed_requests_expires_at ON pushed_requests (expires_at);
CREATE INDEX pushed_requests_client_id ON pushed_requests (client_id);

-- Assertions that were accepted once (RFC 7523 §3 (7)); name is a digest of the client and its jti.
CREATE TABLE spent_jtis (
    name TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX spent_jtis_expires_at ON spent_jtis (expires_at);

-- Which apps took part in a session, and so hear of its end. The notice is the name that the news will have: the jti of the
-- logout token, however often it is sent.
CREATE TABLE session_clients (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    notice TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);

-- What has to be told to somebody else, in the transaction of the fact. kind: 'logout_token'. state: 'pending', 'delivered',
-- 'abandoned'. Whoever holds a row until held_until delivers it; after expires_at nobody tries any more. What is no secret
-- lies in facts; what is, in sealed, encrypted and bound to the row. Tokens are made when they are sent.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    recipient TEXT NOT NULL,
    facts TEXT NOT NULL,
    sealed BYTEA,
    request_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    done_at BIGINT,
    last_error TEXT NOT NULL
);
CREATE INDEX outbox_next_attempt_at ON outbox (state, kind, next_attempt_at);
CREATE INDEX outbox_done_at ON outbox (done_at);

-- Clients that registered themselves (RFC 7591). Their secrets and registration access tokens are kept as digests; no secret is an
-- empty one.
CREATE TABLE registered_clients (
    id TEXT NOT NULL PRIMARY KEY,
    metadata TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    registration_token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX registered_clients_used_at ON registered_clients (used_at);

-- Where the pages of public registered clients are, which may read this server's answers (CORS).
CREATE TABLE registered_origins (
    origin TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES registered_clients (id) ON DELETE CASCADE,
    PRIMARY KEY (origin, client_id)
);
CREATE INDEX registered_origins_client_id ON registered_origins (client_id);

-- Counters that replicas compare with what they hold in memory: 'registered_clients'.
CREATE TABLE versions (
    name TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

-- One-time links that are sent by mail; a person has one at most. The token follows from the seed by a key that the database does
-- not have, so that the same link can be sent again; it is spent by one guarded delete. mails counts those sent since there was
-- a day without any.
CREATE TABLE recovery_tokens (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL,
    seed BYTEA NOT NULL,
    mails BIGINT NOT NULL,
    mailed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX recovery_tokens_token_hash ON recovery_tokens (token_hash);
CREATE INDEX recovery_tokens_expires_at ON recovery_tokens (expires_at);

-- Random values that are made once and never change, such as that of pairwise subjects.
CREATE TABLE salts (
    name TEXT NOT NULL PRIMARY KEY,
    salt BYTEA NOT NULL
);
