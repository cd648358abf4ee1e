//! Why a request was refused, named by outcome.

use std::sync::Arc;

use crate::challenge::{Challenge, ChallengeError, Scheme};

/// Every way in which a request is refused. Each has one status and one stable reason code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The request itself cannot be judged: no `:path`, an encoded slash, a malformed host.
    #[error("the request is malformed: {0}")]
    BadRequest(&'static str),
    /// Rules are missing that might forbid the request.
    #[error("the rules of `{0}` were not read yet")]
    NotReady(Arc<str>),
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
    /// The credentials are bad, or not enough, and it is known what would be accepted.
    #[error("{}: {reason}", if *is_forbidden { "access is forbidden" } else { "the credentials are missing or not valid" })]
    Challenged {
        /// Why, for logs.
        reason: String,
        /// What the client would have to present.
        challenge: Box<Challenge>,
        /// Whether it counts as forbidden (403) rather than unauthorized (401).
        is_forbidden: bool,
    },
    /// Something on our side failed; refused because an error never allows.
    #[error("the request could not be decided: {0}")]
    Internal(String),
    /// The session store asked us to slow down.
    #[error("too many requests")]
    TooManyRequests {
        /// `Retry-After` and `X-RateLimit-*` as the store sent them.
        headers: Vec<(&'static str, Vec<u8>)>,
    },
    /// A service that decides says that what was asked of it does not exist.
    #[error("the deciding service was not found: {0}")]
    NotFound(String),
    /// A service that decides cannot be asked for the moment.
    #[error("the deciding service is not available: {0}")]
    Unavailable(String),
    /// A service that decides says that it has waited in vain for another one.
    #[error("the deciding service did not answer in time: {0}")]
    Timeout(String),
}

/// What of a rate-limited answer is passed on to the client (`oathkeeper.md` 3.6).
const RATE_LIMIT_HEADERS: &[&str] = &[
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-type",
];

impl Denial {
    /// Whether it is about what the client has sent, and not about what failed meanwhile.
    pub(crate) const fn is_of_credentials(&self) -> bool {
        matches!(self, Self::Unauthorized(_) | Self::Challenged { .. })
    }

    /// The refusal that a rate-limited answer of a session store or token endpoint becomes.
    #[must_use]
    pub fn rate_limited(headers: &[(String, Vec<u8>)]) -> Self {
        let passed = |name: &str| {
            RATE_LIMIT_HEADERS
                .iter()
                .find(|passed| name.eq_ignore_ascii_case(passed))
        };
        Self::TooManyRequests {
            headers: headers
                .iter()
                .filter_map(|(name, value)| passed(name).map(|name| (*name, value.clone())))
                .collect(),
        }
    }

    /// The refusal of credentials that came under `scheme`.
    #[must_use]
    pub fn challenged(reason: String, scheme: Scheme, error: ChallengeError) -> Self {
        Self::Challenged {
            reason,
            challenge: Box::new(Challenge { scheme, error }),
            is_forbidden: false,
        }
    }

    /// A stable name for logs, metrics and tests.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::NotReady(_) => "not_ready",
            Self::NoRule => "no_rule_matched",
            Self::SeveralRules => "several_rules_matched",
            Self::Unauthorized(_)
            | Self::Challenged {
                is_forbidden: false,
                ..
            } => "unauthorized",
            Self::Forbidden(_) | Self::Challenged { .. } => "forbidden",
            Self::Internal(_) => "internal_error",
            Self::TooManyRequests { .. } => "rate_limited",
            Self::NotFound(_) => "service_not_found",
            Self::Unavailable(_) => "service_unavailable",
            Self::Timeout(_) => "service_timeout",
        }
    }

    /// The HTTP status this refusal has before an error handler changes it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::NotReady(_) | Self::Unavailable(_) => 503,
            Self::NoRule | Self::NotFound(_) => 404,
            Self::SeveralRules | Self::Internal(_) => 500,
            Self::Unauthorized(_)
            | Self::Challenged {
                is_forbidden: false,
                ..
            } => 401,
            Self::Forbidden(_) | Self::Challenged { .. } => 403,
            Self::TooManyRequests { .. } => 429,
            Self::Timeout(_) => 504,
        }
    }
}
