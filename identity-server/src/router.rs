//! Every route, in one place: first what everybody may reach, then what only operators may.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};

use crate::app::App;
use crate::error::ApiError;
use crate::keys::jwks;
use crate::oauth2::{authorize, client, interaction, introspect, revoke, token};
use crate::oidc::{discovery, userinfo};
use crate::{health, middleware};

/// The public listener.
pub fn public(app: App) -> Router {
    let routes = Router::new()
        .route("/health/alive", get(health::alive))
        .route("/health/ready", get(health::ready))
        .route("/version", get(health::version))
        .route("/.well-known/jwks.json", get(jwks::get))
        .route(
            "/.well-known/openid-configuration",
            get(discovery::document),
        )
        .route(
            "/.well-known/oauth-authorization-server",
            get(discovery::document),
        )
        .route(
            "/.well-known/oauth-authorization-server/{*path}",
            get(discovery::document_at_path),
        )
        .route("/oauth2/auth", get(authorize::get).post(authorize::post))
        .route("/oauth2/token", post(token::token))
        .route("/oauth2/revoke", post(revoke::revoke))
        .route("/oauth2/device/auth", post(discovery::no_device_grant))
        .route(
            "/userinfo",
            get(userinfo::userinfo).post(userinfo::userinfo),
        );
    finish(routes, app, middleware::Side::Public)
}

/// The admin listener. It asks nobody who they are: reaching it is the permission.
///
/// Resources live under `/admin`; a path without the prefix means the same (`/clients` is `/admin/clients`).
pub fn admin(app: App) -> Router {
    let routes = Router::new()
        .route("/health/alive", get(health::alive))
        .route("/health/ready", get(health::ready))
        .route("/version", get(health::version))
        .route(
            "/admin/clients",
            get(client::http::list).post(client::http::create),
        )
        .route(
            "/admin/clients/{id}",
            get(client::http::get)
                .put(client::http::replace)
                .patch(client::http::patch)
                .delete(client::http::delete),
        )
        .route(
            "/admin/clients/{id}/lifespans",
            put(client::http::set_lifespans),
        )
        .route("/admin/oauth2/introspect", post(introspect::introspect))
        .route("/admin/oauth2/tokens", delete(revoke::delete_tokens))
        .nest("/admin/oauth2/auth/requests", requests());
    finish(routes, app, middleware::Side::Admin)
}

/// What login and consent pages need, below `/admin/oauth2/auth/requests`.
fn requests() -> Router<App> {
    use interaction::http;
    Router::new()
        .route("/login", get(http::get_login))
        .route("/login/accept", put(http::accept_login))
        .route("/login/reject", put(http::reject_login))
        .route("/consent", get(http::get_consent))
        .route("/consent/accept", put(http::accept_consent))
        .route("/consent/reject", put(http::reject_consent))
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
