//! Every route, in one place: first what everybody may reach, then what only operators may.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use crate::app::App;
use crate::error::ApiError;
use crate::keys::jwks;
use crate::{health, middleware};

/// The public listener.
pub fn public(app: App) -> Router {
    let routes = Router::new()
        .route("/health/alive", get(health::alive))
        .route("/health/ready", get(health::ready))
        .route("/version", get(health::version))
        .route("/.well-known/jwks.json", get(jwks::get));
    finish(routes, app, middleware::Side::Public)
}

/// The admin listener. It asks nobody who they are: reaching it is the permission.
///
/// Resources live under `/admin`; a path without the prefix means the same (`/clients` is `/admin/clients`).
pub fn admin(app: App) -> Router {
    let routes = Router::new()
        .route("/health/alive", get(health::alive))
        .route("/health/ready", get(health::ready))
        .route("/version", get(health::version));
    finish(routes, app, middleware::Side::Admin)
}

fn finish(routes: Router<App>, app: App, side: middleware::Side) -> Router {
    let routes = routes
        .fallback(async || {
            ApiError::new(
                StatusCode::NOT_FOUND,
                "Not Found",
                "There is nothing at this address",
            )
        })
        .method_not_allowed_fallback(async || {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "Method Not Allowed",
                "This address takes other methods",
            )
        })
        .with_state(app.clone());
    middleware::wrap(routes, app, side)
}
