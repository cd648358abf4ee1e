-- Signing keys. Times are microseconds since the Unix epoch (UTC), durations microseconds.
CREATE TABLE signing_keys (
    id             TEXT   NOT NULL PRIMARY KEY,
    -- Which tokens it signs: `hydra.openid.id-token` or `hydra.jwt.access-token`.
    key_set        TEXT   NOT NULL,
    algorithm      TEXT   NOT NULL,
    -- The private key (PKCS#8), sealed under `secrets.system`, base64url.
    sealed_private TEXT   NOT NULL,
    -- The public members only, a JSON Web Key.
    public_jwk     TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    -- Published from creation, signs from here,
    activates_at   BIGINT NOT NULL,
    -- until here (null: until a successor is made),
    retires_at     BIGINT,
    -- and stays published for the lifespan of the longest-lived token it may have signed.
    token_lifespan BIGINT NOT NULL
);
