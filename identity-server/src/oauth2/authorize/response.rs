//! How an answer to an authorization request reaches the client.
//!
//! Every answer, errors included, carries `iss` (RFC 9207), so that a client that talks to several servers cannot be
//! tricked into sending a code to the wrong one. Redirects are 303, never 307, which would repeat a form with a
//! password in it.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::request::{Destination, ResponseMode};
use crate::oauth2::error::OAuthError;

/// Parameters of an answer, in order.
pub(super) type Answer = Vec<(&'static str, String)>;

impl Destination {
    /// Sends `answer` to the client, with `state` and `iss` added.
    #[must_use]
    pub fn send(&self, mut answer: Answer, issuer: &str) -> Response {
        if let Some(state) = &self.state {
            answer.push(("state", state.clone()));
        }
        answer.push(("iss", issuer.to_owned()));
        match self.mode {
            ResponseMode::Query => redirect(&with_query(&self.redirect_uri, &answer)),
            ResponseMode::Fragment => {
                redirect(&format!("{}#{}", self.redirect_uri, encoded(&answer)))
            }
            ResponseMode::FormPost => form_post(&self.redirect_uri, &answer),
        }
    }

    /// Tells the client why it was refused. Only the members that OpenID's conformance suite allows.
    #[must_use]
    pub fn refuse(&self, error: &OAuthError, issuer: &str) -> Response {
        let (_, code) = error.status_and_code();
        self.send(
            vec![
                ("error", code.to_owned()),
                ("error_description", error.description()),
            ],
            issuer,
        )
    }
}

/// A redirect after a request of any method (RFC 9110 §15.4.4).
#[must_use]
pub fn redirect(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        // Redirect URIs are checked to be visible ASCII and everything added is encoded.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    never_store(response.headers_mut());
    response
}

/// `uri` with parameters added; a query that was registered stays in front.
#[must_use]
pub fn with_query(uri: &str, params: &[(&'static str, String)]) -> String {
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{}", encoded(params))
}

/// Answers with codes and tokens must stay out of every cache (RFC 6749 §5.1).
pub fn never_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
}

fn encoded(params: &[(&'static str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish()
}

/// Submits the form; its hash is the only script that the page's policy allows.
const SUBMIT: &str = "document.forms[0].submit()";

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Continue</title><meta name="robots" content="noindex"></head>
<body>
<form method="post" action="{{ action }}">
{% for (name, value) in fields %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}<noscript><p>Your browser does not run scripts. Press the button to go on.</p><button>Continue</button></noscript>
</form>
<script>{{ script|safe }}</script>
</body>
</html>
"#
)]
struct FormPost<'a> {
    action: &'a str,
    fields: &'a [(&'static str, String)],
    script: &'static str,
}

/// OAuth 2.0 Form Post Response Mode.
fn form_post(action: &str, fields: &[(&'static str, String)]) -> Response {
    let Ok(page) = (FormPost {
        action,
        fields,
        script: SUBMIT,
    })
    .render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; base-uri 'none'; frame-ancestors 'none'",
        STANDARD.encode(Sha256::digest(SUBMIT))
    );
    let mut response = axum::response::Html(page).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    never_store(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(redirect_uri: &str, mode: ResponseMode) -> Destination {
        Destination {
            redirect_uri: redirect_uri.into(),
            redirect_uri_was_sent: true,
            mode,
            state: Some("a b&c".into()),
        }
    }

    fn location(response: &Response) -> &str {
        response.headers()[header::LOCATION].to_str().unwrap()
    }

    #[test]
    fn a_registered_query_is_kept() {
        let answer = || vec![("code", "x".to_owned())];
        for (uri, start) in [
            (
                "https://a.example/cb",
                "https://a.example/cb?code=x&state=a+b%26c&iss=",
            ),
            (
                "https://a.example/cb?k=v",
                "https://a.example/cb?k=v&code=x&",
            ),
            ("https://a.example/cb?", "https://a.example/cb?code=x&"),
        ] {
            let response =
                destination(uri, ResponseMode::Query).send(answer(), "https://id.example/");
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            assert!(
                location(&response).starts_with(start),
                "{}",
                location(&response)
            );
        }
    }

    #[test]
    fn errors_carry_state_and_issuer_and_nothing_surprising() {
        let refused = destination("https://a.example/cb", ResponseMode::Fragment).refuse(
            &OAuthError::AccessDenied("she said \"no\"\n".into()),
            "https://id.example/",
        );
        assert_eq!(
            location(&refused),
            "https://a.example/cb#error=access_denied&error_description=she+said+%27no%27%3F&state=a+b%26c\
             &iss=https%3A%2F%2Fid.example%2F"
        );
    }

    #[tokio::test]
    async fn the_form_escapes_what_it_carries() {
        let mut to = destination("https://a.example/cb?a=b&c=d", ResponseMode::FormPost);
        to.state = Some("\"><script>alert(1)</script>".into());
        let response = to.send(vec![("code", "x".to_owned())], "https://id.example/");
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        assert_eq!(body.matches("<script>").count(), 1, "{body}");
        assert!(body.contains("name=\"code\" value=\"x\""));
    }
}
