//! Self-service flows: registration, login, logout, in the shapes of Ory Kratos.
//!
//! A flow is a form with a memory. It is opened (`…/browser` for browsers and single-page applications, `…/api` for
//! everything else), shown (`…/flows?id=`), and submitted (`POST …?flow=`), as often as it takes.
//!
//! # How a submission travels
//! [`http`] parses it once and hands it to the [`dispatch`]er, which does what every flow needs (finds the flow,
//! checks the forgery protection, the lifespan, and whether somebody is signed in already), and calls the flow's own
//! step: [`login`] or [`registration`]. The step answers with an [`Outcome`], and the dispatcher answers the client.
//! Steps never call one another and write no response.
//!
//! - What a form shows: [`form`], made of [`node`]s and [`message`]s.
//! - Protection: [`csrf`], [`return_to`], [`throttle`].
//! - OAuth2: [`challenge`].
//! - Answers: [`refusal`] (errors), [`negotiate`] (JSON or redirect).
//! - [`store`]: what has to be kept. [`runtime`]: what is built once from the settings.

pub mod challenge;
pub mod chores;
pub mod csrf;
pub mod dispatch;
pub mod exchange;
pub mod form;
pub mod http;
pub mod instant;
pub mod login;
pub mod logout;
pub mod message;
pub mod negotiate;
pub mod node;
pub mod refusal;
pub mod registration;
pub mod return_to;
pub mod runtime;
pub mod store;
pub mod submission;
pub mod throttle;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::config::Settings;
use crate::id::{FlowId, IdentityId};
use crate::identity::Identity;
use crate::sessions::Session;
use crate::sessions::token::SessionToken;
use form::FormState;

/// For how long a form can be sent.
pub const LIFESPAN: Duration = Duration::hours(1);

/// One run of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Its name; whoever knows it can see the form, so it is random.
    pub id: FlowId,
    /// What it is for.
    pub kind: FlowKind,
    /// What sort of client runs it.
    pub transport: Transport,
    /// When it was opened.
    #[serde(with = "instant")]
    pub issued_at: OffsetDateTime,
    /// Until when it can be submitted.
    #[serde(with = "instant")]
    pub expires_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "instant")]
    pub updated_at: OffsetDateTime,
    /// The address that opened it.
    pub request_url: String,
    /// Where to go afterwards; checked.
    pub return_to: Option<String>,
    /// How far it is.
    pub state: FlowState,
    /// The method that was tried last.
    pub active: Option<String>,
    /// Whether somebody who is signed in proves again who they are, and who.
    pub refresh: Option<IdentityId>,
    /// The OAuth2 login challenge that it answers.
    pub login_challenge: Option<String>,
    /// Hydra's login request behind the challenge.
    pub login_request: Option<Value>,
    /// What the CSRF secret of its browser hashes to; none for API flows.
    pub csrf_digest: Option<String>,
    /// The schema of the traits that it asks for.
    pub schema_id: String,
    /// What was filled in and what is wrong with it.
    pub form: FormState,
    /// Data that a client wants to find again.
    pub transient_payload: Option<Value>,
}

/// What a flow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowKind {
    /// Signing in.
    Login,
    /// Making an account.
    Registration,
}

impl FlowKind {
    /// The name in URLs and in storage.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Registration => "registration",
        }
    }
}

/// What sort of client runs a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A browser, with cookies; also for a single-page application.
    Browser,
    /// Anything else, without cookies.
    Api,
}

/// How far a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowState {
    /// The form is open.
    ChooseMethod,
    /// It succeeded; it cannot be submitted again.
    PassedChallenge,
}

/// What came of a submission.
#[derive(Debug)]
pub enum Outcome {
    /// The form is shown again, with messages.
    Again(Box<Flow>),
    /// Somebody is signed in.
    SignedIn(Box<SignedIn>),
}

/// Somebody has just signed in or signed up.
#[derive(Debug)]
pub struct SignedIn {
    /// The flow, completed.
    pub flow: Flow,
    /// Who.
    pub identity: Identity,
    /// Their session.
    pub session: Session,
    /// Its token.
    pub token: SessionToken,
}

impl Flow {
    /// Whether it can no longer be submitted at `now`.
    #[must_use]
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        self.expires_at <= now || self.state == FlowState::PassedChallenge
    }

    /// The same flow with the form as it is to be shown again.
    #[must_use]
    pub fn again(mut self, form: FormState, method: &str, now: OffsetDateTime) -> Self {
        self.form = form;
        self.active = Some(method.to_owned());
        self.updated_at = now;
        self
    }

    /// The same flow after its success.
    #[must_use]
    pub fn completed(mut self, method: &str, now: OffsetDateTime) -> Self {
        self.state = FlowState::PassedChallenge;
        self.form = FormState::default();
        self.active = Some(method.to_owned());
        self.updated_at = now;
        self
    }

    /// Where its form is sent to.
    #[must_use]
    pub fn action(&self, settings: &Settings) -> String {
        settings.public_url(&format!(
            "/self-service/{}?flow={}",
            self.kind.name(),
            self.id
        ))
    }

    /// The query that makes another flow lead to the same place; empty if there is none.
    #[must_use]
    pub fn carried(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(return_to) = &self.return_to {
            query.append_pair("return_to", return_to);
        }
        if let Some(challenge) = &self.login_challenge {
            query.append_pair("login_challenge", challenge);
        }
        query.finish()
    }

    /// The page that shows it.
    #[must_use]
    pub fn page(&self, settings: &Settings) -> String {
        settings.public_url(&format!("/{}?flow={}", self.kind.name(), self.id))
    }
}
