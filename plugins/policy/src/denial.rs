//! Why a request was refused, named by outcome.

/// Every way in which a request is refused. Each has one status and one stable reason code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The request itself cannot be judged: no `:path`, an encoded slash, a malformed host.
    #[error("the request is malformed: {0}")]
    BadRequest(&'static str),
    /// No rule matches.
    #[error("the request does not match any rules")]
    NoRule,
    /// More than one rule matches; which one decides would be chance.
    #[error("the request matches multiple rules")]
    SeveralRules,
    /// The credentials are missing or bad.
    #[error("the credentials are missing or not valid: {0}")]
    Unauthorized(String),
    /// The caller is known and may not.
    #[error("access is forbidden: {0}")]
    Forbidden(String),
    /// Something on our side failed; refused because an error never allows.
    #[error("the request could not be decided: {0}")]
    Internal(String),
    /// The session store asked us to slow down.
    #[error("too many requests")]
    TooManyRequests {
        /// `Retry-After` and `X-RateLimit-*` as the store sent them.
        headers: Vec<(String, Vec<u8>)>,
    },
}

impl Denial {
    /// The HTTP status this refusal has before an error handler changes it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::NoRule => 404,
            Self::SeveralRules | Self::Internal(_) => 500,
            Self::Unauthorized(_) => 401,
            Self::Forbidden(_) => 403,
            Self::TooManyRequests { .. } => 429,
        }
    }
}
