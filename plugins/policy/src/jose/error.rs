use super::ProofError;

/// Why a token is not accepted, by fault. Says nothing of what the token holds: a rejected token's
/// claims are nobody's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token that is looked at.
    #[error("the token is too long")]
    TooLong,
    /// Not a JWS in compact serialization, or its header or claims are not what RFC 7515 and
    /// RFC 7519 require.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// Signed with an algorithm that the handler does not list, `none` among them.
    #[error("the token's signature algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// The header names no key.
    #[error("the token's header has no `kid`")]
    MissingKeyId,
    /// No key set of the handler has the key that the header names.
    #[error("no key set has the token's key")]
    UnknownKey,
    /// The key that the header names is not for signatures of this algorithm.
    #[error("the token's key is not meant for its algorithm")]
    UnfitKey,
    /// A key set that might have the key was never fetched, or is too old to be trusted.
    #[error("the key set could not be fetched")]
    KeysUnavailable,
    /// The signature does not belong to this token and key.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// `exp` has passed (RFC 7519 section 4.1.4).
    #[error("the token has expired")]
    Expired,
    /// `nbf` is still to come (RFC 7519 section 4.1.5).
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` is still to come (RFC 7519 section 4.1.6).
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// `iss` is missing or not among the trusted issuers.
    #[error("the token's issuer is not trusted")]
    WrongIssuer,
    /// `aud` lacks a required audience.
    #[error("the token is not meant for this audience")]
    WrongAudience,
    /// A required scope was not granted.
    #[error("the token lacks a required scope")]
    MissingScope,
    /// The header's `typ` is not the one that the handler demands (RFC 8725 section 3.11).
    #[error("the token is not of the required type")]
    WrongType,
    /// There is no `exp`, though the handler demands one.
    #[error("the token has no `exp`")]
    NoExpiry,
    /// `exp` is further from `iat` than the handler allows, or one of them is missing.
    #[error("the token is good for longer than is allowed")]
    TooLongLived,
    /// `acr` is none of those that the handler demands (RFC 9470).
    #[error("the caller's sign-in was not strong enough")]
    WeakAuthentication,
    /// `auth_time` is missing, or longer ago than the handler allows (RFC 9470).
    #[error("the caller's sign-in is too long ago")]
    OldAuthentication,
    /// `cnf` binds the token to a key, and nothing proves that the caller holds it.
    #[error("the token is bound to a key, and nothing proves that the caller holds it")]
    BoundToKey,
    /// `cnf` binds the token to a certificate that the connection does not have.
    #[error("the token is bound to another client certificate than the connection's")]
    BoundToCertificate,
    /// `cnf` binds the token in a way that is not supported (RFC 7800 section 3.1).
    #[error("the token is bound to its holder in a way that cannot be checked")]
    UnknownBinding,
    /// The token is a bearer token, though the handler demands one that is bound to its holder.
    #[error("the token is not bound to its holder")]
    NotBound,
    /// The proof that came with the token is not accepted (RFC 9449 section 4.3).
    #[error("the DPoP proof is not accepted: {0}")]
    Proof(#[from] ProofError),
}
