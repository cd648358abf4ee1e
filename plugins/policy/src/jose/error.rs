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
}
