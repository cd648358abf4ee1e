-- OAuth 2.0 clients. `profile` is JSON with Hydra's field names; `name` and `owner` repeat two of its fields, to filter by.
CREATE TABLE oauth2_clients (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    profile TEXT NOT NULL,
    secret TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
