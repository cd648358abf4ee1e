//! `GET /playground` on the admin listener: the decision engine in a browser, one file that
//! `cargo xtask build` makes.
//!
//! The file is not part of the binary, so that building the server needs nothing but cargo; it lies beside it, or
//! where `playground.page` says.

use std::path::PathBuf;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::config::Settings;
use crate::error::ApiError;

/// What the page is called beside the binary.
const BESIDE: &str = "playground.html";

/// Beside what the page itself forbids: it has no part in this listener's origin, so that nothing in it could use
/// the admin API, and no other page may frame it.
const POLICY: &str = "sandbox allow-scripts; frame-ancestors 'none'";

/// Where the page is, if it is there.
#[must_use]
pub fn file(settings: &Settings) -> Option<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join(BESIDE));
    let file = settings.playground.page.clone().map(PathBuf::from);
    file.or_else(beside).filter(|file| file.is_file())
}

/// The page. It is read anew each time: few people ask, and it may be replaced.
pub async fn show(State(app): State<App>) -> Response {
    let Some(file) = file(app.settings()) else {
        return missing(
            "There is no playground here: `cargo xtask build` makes `target/playground/index.html`; name that file with \
             the key `playground.page`, or lay it beside the binary as `playground.html`",
        );
    };
    match tokio::fs::read(&file).await {
        Ok(page) => (
            [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "no-referrer"),
            ],
            page,
        )
            .into_response(),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the playground cannot be read");
            missing("The playground's file cannot be read; the log says why")
        }
    }
}

fn missing(why: &str) -> Response {
    ApiError::new(StatusCode::NOT_FOUND, "Not Found", why).into_response()
}
