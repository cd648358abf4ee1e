//! Where signing in meets OAuth2: a login challenge is answered by whoever is signed in.
//!
//! The OAuth2 room asks ("who is this?") with a challenge; a flow that was opened with one answers it when it
//! succeeds. If the browser has a session already that is recent enough for the request, nobody is asked.

use serde_json::Value;

use super::SignedIn;
use super::refusal::Refusal;
use crate::App;
use crate::oauth2::interaction::{self, AcceptLogin, InteractionError, Reject};
use crate::sessions::Session;
use crate::sessions::current::Current;

/// What to do with a challenge.
#[derive(Debug)]
pub enum Next {
    /// It is answered; the browser goes there.
    GoTo(String),
    /// Somebody has to sign in, or to prove again who they are.
    Ask(Asked),
}

/// What a flow keeps of the request that it answers.
#[derive(Debug)]
pub struct Asked {
    /// Hydra's login request, for pages that show who asks.
    pub request: Value,
    /// The name that the client expects, if it knows.
    pub login_hint: Option<String>,
}

/// Looks at a challenge: answers it if that can be done without asking anybody.
///
/// # Errors
/// [`Refusal`]: unknown or expired.
pub async fn look(
    app: &App,
    challenge: &str,
    signed_in: Option<&Current>,
) -> Result<Next, Refusal> {
    let request = match interaction::login_request(app, challenge).await {
        Ok(request) => request,
        Err(InteractionError::Handled { redirect_to }) => return Ok(Next::GoTo(redirect_to)),
        Err(error) => return Err(refusal(error)),
    };
    let now = app.clock().now();
    let recent =
        signed_in.filter(|current| request.is_satisfied_by(current.session.authenticated_at, now));
    if let Some(current) = recent {
        return accept(app, challenge, &current.session)
            .await
            .map(Next::GoTo);
    }
    if request.must_not_ask() {
        let reject = Reject {
            error: Some("login_required".into()),
            ..Reject::default()
        };
        return interaction::reject_login(app, challenge, reject)
            .await
            .map(Next::GoTo)
            .map_err(refusal);
    }
    Ok(Next::Ask(Asked {
        request: request.to_json(),
        login_hint: request.login_hint().map(str::to_owned),
    }))
}

/// Where a browser goes after signing in: back to OAuth2, or where the flow was told to, or to its account.
///
/// # Errors
/// [`Refusal`]: the challenge has expired meanwhile.
pub async fn after_sign_in(app: &App, done: &SignedIn) -> Result<String, Refusal> {
    match (&done.flow.login_challenge, &done.flow.return_to) {
        (Some(challenge), _) => accept(app, challenge, &done.session).await,
        (None, Some(return_to)) => Ok(return_to.clone()),
        (None, None) => Ok(app.flows().return_rules.default_url().to_string()),
    }
}

async fn accept(app: &App, challenge: &str, session: &Session) -> Result<String, Refusal> {
    let accept = AcceptLogin {
        subject: session.identity.to_string(),
        // RFC 8176's name for a password.
        amr: vec!["pwd".into()],
        identity_provider_session_id: Some(session.id.to_string()),
        authenticated_at: Some(session.authenticated_at),
        ..AcceptLogin::default()
    };
    match interaction::accept_login(app, challenge, accept).await {
        Ok(url) => Ok(url),
        Err(InteractionError::Handled { redirect_to }) => Ok(redirect_to),
        Err(error) => Err(refusal(error)),
    }
}

/// What a page tells about a challenge that cannot be served.
#[must_use]
pub fn refusal(error: InteractionError) -> Refusal {
    match error {
        InteractionError::NotFound => {
            Refusal::not_found("The sign-in request is unknown; start again at the app")
        }
        InteractionError::Handled { redirect_to } => Refusal::go_to(&redirect_to),
        InteractionError::Expired => Refusal::bad_request(
            "The sign-in request was open for too long; start again at the app",
        ),
        InteractionError::Invalid(reason) => Refusal::bad_request(reason),
        InteractionError::Storage(error) => error.into(),
        InteractionError::Entropy(error) => error.into(),
    }
}
