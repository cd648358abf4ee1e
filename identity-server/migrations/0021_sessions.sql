-- Who is signed in.
CREATE TABLE sessions (
    id               TEXT   NOT NULL PRIMARY KEY,
    identity_id      TEXT   NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    -- base64url of the SHA-256 of the cookie value or API token, which itself is not stored.
    token_digest     TEXT   NOT NULL UNIQUE,
    -- 0 once it was revoked
    active           BIGINT NOT NULL,
    -- `aal1` or `aal2`
    aal              TEXT   NOT NULL,
    -- How its owner proved who they are, and from where; JSON lists.
    methods          TEXT   NOT NULL,
    devices          TEXT   NOT NULL,
    issued_at        BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX sessions_by_identity ON sessions (identity_id, issued_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
