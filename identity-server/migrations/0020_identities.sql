-- Who can sign in. JSON documents are text; times are microseconds since the Unix epoch (UTC).
CREATE TABLE identities (
    id               TEXT   NOT NULL PRIMARY KEY,
    schema_id        TEXT   NOT NULL,
    -- `active` or `inactive`
    state            TEXT   NOT NULL,
    state_changed_at BIGINT NOT NULL,
    traits           TEXT   NOT NULL,
    metadata_public  TEXT,
    metadata_admin   TEXT,
    external_id      TEXT UNIQUE,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);

CREATE TABLE identity_credentials (
    identity_id TEXT   NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    -- `password`, later others
    kind        TEXT   NOT NULL,
    -- What the proof is checked against; for a password its argon2 hash.
    config      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (identity_id, kind)
);

CREATE TABLE identity_identifiers (
    kind        TEXT NOT NULL,
    -- In canonical form, so that two spellings of one address cannot both be inserted.
    identifier  TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    PRIMARY KEY (kind, identifier),
    FOREIGN KEY (identity_id, kind) REFERENCES identity_credentials (identity_id, kind) ON DELETE CASCADE
);
CREATE INDEX identity_identifiers_by_identity ON identity_identifiers (identity_id, kind);
CREATE INDEX identity_identifiers_by_identifier ON identity_identifiers (identifier);
