//! One authorization request on its way through the login and consent pages.
//!
//! The row behind a challenge. Its [`Stage`] says what is being waited for; each transition takes the flow and gives
//! back the next one, or says that the moment has passed. Challenges are identifiers and may be seen by pages and
//! logs; *verifiers*, which carry a page's decision back through the browser, are secrets: they work once, and only in
//! the browser that started the flow (its cookie's digest is in the row), or an attacker could finish his own login in
//! somebody else's browser.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::serde::timestamp::microseconds;

use super::authorize::request::AuthorizationRequest;
use super::error::OAuthError;

/// An authorization request under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The login challenge; also the id of the flow.
    pub challenge: String,
    /// The consent challenge, once somebody has signed in.
    pub consent_challenge: Option<String>,
    /// Digest of the verifier that is under way through the browser, if one is.
    pub verifier: Option<String>,
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// The request as it came, to start again from.
    pub request_url: String,
    /// Digest of the cookie of the browser that started it.
    pub browser: String,
    /// The `sid` that its tokens will carry.
    pub session_id: String,
    /// The sign-in that this browser remembers, if it will do for this request.
    pub remembered: Option<RememberedLogin>,
    /// When the client asked.
    #[serde(with = "microseconds")]
    pub requested_at: OffsetDateTime,
    /// When it is too late to go on.
    #[serde(with = "microseconds")]
    pub expires_at: OffsetDateTime,
    /// What is being waited for.
    pub stage: Stage,
    /// How often the row has changed; guards against two changes at once.
    #[serde(skip)]
    pub revision: i64,
}

/// What a flow waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The login page.
    Login,
    /// The browser, bringing the login page's decision.
    LoginDecided(Decision<Login>),
    /// The consent page.
    Consent(Box<ConsentStage>),
    /// The browser, bringing the consent page's decision.
    ConsentDecided(Box<ConsentStage>, Decision<Consent>),
    /// Nothing: the client has its answer.
    Done,
}

/// Somebody has signed in and may now be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsentStage {
    /// Who, and how.
    pub login: Login,
    /// Whether nobody needs to be asked: agreed before, or the client is trusted.
    pub skip: bool,
    /// `consent_request_id`; becomes the id of the grant.
    pub consent_request_id: String,
}

/// What a page decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision<T> {
    /// Go on, with this.
    Accepted(T),
    /// Stop, and tell the client this.
    Rejected(Rejection),
}

/// A sign-in that a browser remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedLogin {
    /// Who.
    pub subject: String,
    /// When they last proved it.
    #[serde(with = "microseconds")]
    pub authenticated_at: OffsetDateTime,
}

/// An accepted sign-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// Who: the `sub` of the tokens.
    pub subject: String,
    /// When they last proved it: `auth_time`.
    #[serde(with = "microseconds")]
    pub authenticated_at: OffsetDateTime,
    /// Whether the page did not have to ask.
    pub skipped: bool,
    /// Whether the browser shall remember it.
    pub remember: bool,
    /// For how many seconds; 0 for `ttl.authentication_session`.
    pub remember_for: i64,
    /// Whether a skipped sign-in renews the memory.
    pub extend_session_lifespan: bool,
    /// How strong the sign-in was.
    pub acr: Option<String>,
    /// By which means.
    pub amr: Vec<String>,
    /// What the login page wants the consent page to know.
    pub context: Value,
    /// The session of our own login page, or of another identity provider, that stands behind it.
    pub identity_session_id: Option<String>,
}

/// An accepted consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    /// A subset of the scopes asked for.
    pub scope: Vec<String>,
    /// A subset of the audiences asked for.
    pub audience: Vec<String>,
    /// Claims for the tokens.
    pub claims: SessionClaims,
    /// Whether to skip the question next time.
    pub remember: bool,
    /// For how many seconds; 0 for ever.
    pub remember_for: i64,
    /// The page's own notes.
    pub context: Value,
}

/// What the consent page puts into tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionClaims {
    /// Into the access token (`ext`).
    #[serde(deserialize_with = "null_is_empty")]
    pub access_token: Map<String, Value>,
    /// Into the ID token and userinfo.
    #[serde(deserialize_with = "null_is_empty")]
    pub id_token: Map<String, Value>,
}

/// Why a page refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The code for the client.
    pub error: String,
    /// The explanation for the client.
    pub description: String,
}

impl From<Rejection> for OAuthError {
    fn from(rejection: Rejection) -> Self {
        match rejection.error.as_str() {
            "access_denied" => Self::AccessDenied(rejection.description),
            "login_required" => Self::LoginRequired(rejection.description),
            "consent_required" => Self::ConsentRequired(rejection.description),
            "interaction_required" => Self::InteractionRequired(rejection.description),
            _ => Self::Custom {
                code: rejection.error,
                description: rejection.description,
            },
        }
    }
}

/// The step was taken already, or its turn has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfTurn;

impl Flow {
    /// Whether it is too late.
    #[must_use]
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        now >= self.expires_at
    }

    /// Whether a sign-in made at `authenticated_at` will do, or the person must sign in again: `prompt=login` asks for
    /// one made after the request, `max_age` for a recent one.
    #[must_use]
    pub fn is_satisfied_by(&self, authenticated_at: OffsetDateTime, now: OffsetDateTime) -> bool {
        let after_request = authenticated_at.unix_timestamp() >= self.requested_at.unix_timestamp();
        (!self.request.prompt.login || after_request)
            && self
                .request
                .max_age
                .is_none_or(|max_age| after_request || is_recent(authenticated_at, max_age, now))
    }

    /// The login page has decided. It may decide again until the browser has brought the decision back: people press
    /// buttons twice.
    ///
    /// # Errors
    /// [`OutOfTurn`] afterwards.
    pub fn decide_login(
        self,
        decision: Decision<Login>,
        verifier: String,
    ) -> Result<Self, OutOfTurn> {
        match self.stage {
            Stage::Login | Stage::LoginDecided(_) => Ok(Self {
                stage: Stage::LoginDecided(decision),
                verifier: Some(verifier),
                ..self
            }),
            Stage::Consent(_) | Stage::ConsentDecided(..) | Stage::Done => Err(OutOfTurn),
        }
    }

    /// The browser has brought the login page's decision: the decision, and the flow without it.
    ///
    /// # Errors
    /// [`OutOfTurn`] if it was brought before.
    pub fn take_login(self) -> Result<(Decision<Login>, Self), OutOfTurn> {
        match self.stage {
            Stage::LoginDecided(decision) => Ok((
                decision,
                Self {
                    stage: Stage::Done,
                    verifier: None,
                    ..self
                },
            )),
            _ => Err(OutOfTurn),
        }
    }

    /// Goes on to the consent page.
    #[must_use]
    pub fn await_consent(self, challenge: String, stage: ConsentStage) -> Self {
        Self {
            consent_challenge: Some(challenge),
            stage: Stage::Consent(Box::new(stage)),
            ..self
        }
    }

    /// The consent page has decided; see [`decide_login`](Self::decide_login).
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn decide_consent(
        self,
        decision: Decision<Consent>,
        verifier: String,
    ) -> Result<Self, OutOfTurn> {
        match self.stage {
            Stage::Consent(stage) | Stage::ConsentDecided(stage, _) => Ok(Self {
                stage: Stage::ConsentDecided(stage, decision),
                verifier: Some(verifier),
                ..self
            }),
            Stage::Login | Stage::LoginDecided(_) | Stage::Done => Err(OutOfTurn),
        }
    }

    /// The browser has brought the consent page's decision.
    ///
    /// # Errors
    /// [`OutOfTurn`] if it was brought before.
    pub fn take_consent(self) -> Result<(ConsentStage, Decision<Consent>, Self), OutOfTurn> {
        match self.stage {
            Stage::ConsentDecided(stage, decision) => Ok((
                *stage,
                decision,
                Self {
                    stage: Stage::Done,
                    verifier: None,
                    ..self
                },
            )),
            _ => Err(OutOfTurn),
        }
    }

    /// What the consent page shows, also after it has decided once.
    #[must_use]
    pub fn consent_stage(&self) -> Option<&ConsentStage> {
        match &self.stage {
            Stage::Consent(stage) | Stage::ConsentDecided(stage, _) => Some(stage),
            Stage::Login | Stage::LoginDecided(_) | Stage::Done => None,
        }
    }

    /// Whether the login page may still decide.
    #[must_use]
    pub fn awaits_login(&self) -> bool {
        matches!(self.stage, Stage::Login | Stage::LoginDecided(_))
    }
}

/// Whether `authenticated_at` lies at most `max_age` seconds back.
#[must_use]
pub fn is_recent(authenticated_at: OffsetDateTime, max_age: u64, now: OffsetDateTime) -> bool {
    let age = now
        .unix_timestamp()
        .saturating_sub(authenticated_at.unix_timestamp());
    u64::try_from(age).is_ok_and(|age| age <= max_age)
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    Option::<Map<String, Value>>::deserialize(deserializer).map(Option::unwrap_or_default)
}
