-- What was granted, and what was issued because of it. Codes and tokens are stored as digests only.
CREATE TABLE oauth2_grants (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES oauth2_clients (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    session_id TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    remember BIGINT NOT NULL,
    remember_until BIGINT,
    revoked_at BIGINT
);

CREATE INDEX oauth2_grants_by_subject ON oauth2_grants (subject, client_id);
CREATE INDEX oauth2_grants_by_client ON oauth2_grants (client_id);
CREATE INDEX oauth2_grants_by_session ON oauth2_grants (session_id);
CREATE INDEX oauth2_grants_by_end ON oauth2_grants (ends_at);

CREATE TABLE oauth2_codes (
    digest TEXT NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES oauth2_grants (id) ON DELETE CASCADE,
    redirect_uri TEXT,
    challenge TEXT,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX oauth2_codes_by_grant ON oauth2_codes (grant_id);

CREATE TABLE oauth2_access_tokens (
    digest TEXT NOT NULL PRIMARY KEY,
    grant_id TEXT REFERENCES oauth2_grants (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth2_clients (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    extra TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth2_access_tokens_by_grant ON oauth2_access_tokens (grant_id);
CREATE INDEX oauth2_access_tokens_by_client ON oauth2_access_tokens (client_id);
CREATE INDEX oauth2_access_tokens_by_end ON oauth2_access_tokens (expires_at);

-- `successor` and `sealed_successor` are set, with `rotated_at`, when the token is exchanged.
CREATE TABLE oauth2_refresh_tokens (
    digest TEXT NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES oauth2_grants (id) ON DELETE CASCADE,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    rotated_at BIGINT,
    successor TEXT,
    sealed_successor TEXT
);

CREATE INDEX oauth2_refresh_tokens_by_grant ON oauth2_refresh_tokens (grant_id);
CREATE INDEX oauth2_refresh_tokens_by_end ON oauth2_refresh_tokens (expires_at);
