-- Self-service flows under way. What a flow holds depends on its kind and grows with the methods, so it is one
-- JSON document; what is searched for has columns. No password and no CSRF secret is in it.
CREATE TABLE self_service_flows (
    id         TEXT   NOT NULL PRIMARY KEY,
    -- `login`, `registration`
    kind       TEXT   NOT NULL,
    document   TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX self_service_flows_by_expiry ON self_service_flows (expires_at);

-- Errors that a browser was sent to the error page for.
CREATE TABLE self_service_errors (
    id         TEXT   NOT NULL PRIMARY KEY,
    document   TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX self_service_errors_by_age ON self_service_errors (created_at);
