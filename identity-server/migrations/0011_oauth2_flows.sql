-- Authorization requests on their way through the login and consent pages. `flow` is JSON; the columns beside it are what
-- rows are found by. `verifier` is a digest.
CREATE TABLE oauth2_flows (
    challenge TEXT NOT NULL PRIMARY KEY,
    consent_challenge TEXT UNIQUE,
    verifier TEXT UNIQUE,
    client_id TEXT NOT NULL REFERENCES oauth2_clients (id) ON DELETE CASCADE,
    flow TEXT NOT NULL,
    revision BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth2_flows_by_client ON oauth2_flows (client_id);
CREATE INDEX oauth2_flows_by_end ON oauth2_flows (expires_at);

-- Sign-ins that a browser remembers. `cookie` is a digest.
CREATE TABLE oauth2_login_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    cookie TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    identity_session_id TEXT,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth2_login_sessions_by_subject ON oauth2_login_sessions (subject);
CREATE INDEX oauth2_login_sessions_by_identity_session ON oauth2_login_sessions (identity_session_id);
CREATE INDEX oauth2_login_sessions_by_end ON oauth2_login_sessions (expires_at);
