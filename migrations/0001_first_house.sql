-- The first house. Portable SQL: BIGINT is milliseconds since the epoch, BYTEA a digest or ciphertext, TEXT everything else;
-- an absent binding is '' so that one guarded UPDATE can name it. Identifiers are random, so keys spread.

-- People. The canonical name is what sign-in compares; e-mail counts only once verified.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    verified_email TEXT,
    password_hash TEXT,
    claims TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE UNIQUE INDEX users_username ON users (username);
CREATE UNIQUE INDEX users_verified_email ON users (verified_email);

-- A browser and the person signed in there. The cookie's secret is kept as a digest and changes at every sign-in;
-- the id is the `sid` and stays while the same person signs in again.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    secret_hash BYTEA NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    selected_at BIGINT NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    idle_until BIGINT NOT NULL,
    absolute_until BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX sessions_secret_hash ON sessions (secret_hash);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_absolute_until ON sessions (absolute_until);

-- What a person agreed to: scopes for a client and a set of resources.
CREATE TABLE consents (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    resources TEXT NOT NULL,
    scopes TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id, resources)
);

-- A grant is born with its code, in one row. The id is a digest of the code. state: 'code', 'active', 'revoked'.
-- No index holds a column that redemption or rotation changes, and no foreign key binds it to a session.
CREATE TABLE grants (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_repeat TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    nonce TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    offline BOOLEAN NOT NULL,
    request_id TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    code_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT,
    salt_hash BYTEA,
    generation BIGINT NOT NULL,
    rotated_at BIGINT,
    used_at BIGINT,
    idle_until BIGINT,
    revoked_at BIGINT,
    revocation_reason TEXT
);
CREATE INDEX grants_user_id ON grants (user_id, client_id);
CREATE INDEX grants_client_id ON grants (client_id);
CREATE INDEX grants_session_id ON grants (session_id);
CREATE INDEX grants_expires_at ON grants (expires_at);

-- Access tokens revoked one by one, until they would have expired anyway.
CREATE TABLE revoked_tokens (
    jti TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_expires_at ON revoked_tokens (expires_at);

-- "Nothing issued before": held against tokens that no grant stands behind. name is 'client:ID' or 'user:ID'.
CREATE TABLE not_before (
    name TEXT NOT NULL PRIMARY KEY,
    moment BIGINT NOT NULL
);

-- The keys this server signs with; the private half is sealed with the secret key and bound to its row.
-- One key for an algorithm and a generation, whoever makes it.
CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    generation BIGINT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private_key BYTEA NOT NULL,
    announced_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE UNIQUE INDEX signing_keys_generation ON signing_keys (algorithm, generation);

-- Who may do a periodic task now.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    held_until BIGINT NOT NULL
);

-- What was decided, in the transaction of the fact.
CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    occurred_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    request_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    section TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_events_request_id ON audit_events (request_id);
CREATE INDEX audit_events_occurred_at ON audit_events (occurred_at);

-- Refusals of strangers: as above, but the table is capped, and written in batches off the request's path.
CREATE TABLE refusals (
    id TEXT NOT NULL PRIMARY KEY,
    occurred_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    request_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    section TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX refusals_request_id ON refusals (request_id);
CREATE INDEX refusals_occurred_at ON refusals (occurred_at);
