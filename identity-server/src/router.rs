//! Every route, in one place: first what everybody may reach, then what only operators may.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, delete, get, post, put};

use crate::app::App;
use crate::error::ApiError;
use crate::flows::{http as flows, logout};
use crate::identity::http as identities;
use crate::keys::jwks;
use crate::oauth2::{
    authorize, client, interaction, introspect, revoke, sessions as oauth2_sessions, token,
};
use crate::oidc::{discovery, userinfo};
use crate::pages::{account, assets, consent, error as error_page, flow_pages, playground};
use crate::sessions::{admin as admin_sessions, http as sessions};
use crate::{health, middleware};

/// The public listener.
pub fn public(app: App) -> Router {
    let routes = Router::new()
        .route("/health/alive", get(health::alive))
        .route("/health/ready", get(health::ready))
        .route("/version", get(health::version))
        .route(jwks::PATH, get(jwks::of_server))
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
        )
        .merge(self_service())
        .merge(pages());
    finish(routes, app, middleware::Side::Public)
}

/// Kratos' public endpoints.
fn self_service() -> Router<App> {
    Router::new()
        .route(
            "/self-service/login/browser",
            get(flows::open_browser_login),
        )
        .route("/self-service/login/api", get(flows::open_api_login))
        .route("/self-service/login/flows", get(flows::show_login))
        .route("/self-service/login", post(flows::submit_login))
        .route(
            "/self-service/registration/browser",
            get(flows::open_browser_registration),
        )
        .route(
            "/self-service/registration/api",
            get(flows::open_api_registration),
        )
        .route(
            "/self-service/registration/flows",
            get(flows::show_registration),
        )
        .route(
            "/self-service/registration",
            post(flows::submit_registration),
        )
        .route("/self-service/logout/browser", get(logout::prepare))
        .route("/self-service/logout", get(logout::browser))
        .route("/self-service/logout/api", delete(logout::api))
        .route("/self-service/errors", get(flows::error))
        .route("/schemas", get(identities::schemas))
        .route("/schemas/{id}", get(identities::schema))
        .route("/sessions/whoami", any(sessions::whoami))
        .route(
            "/sessions",
            get(sessions::list).delete(sessions::revoke_others),
        )
        .route("/sessions/{id}", delete(sessions::revoke))
}

/// The built-in pages.
fn pages() -> Router<App> {
    Router::new()
        .route("/", get(crate::pages::landing))
        .route("/login", get(flow_pages::login))
        .route("/registration", get(flow_pages::registration))
        .route("/consent", get(consent::show).post(consent::decide))
        .route("/account", get(account::show))
        .route("/account/sessions", post(account::end_sessions))
        .route("/error", get(error_page::show))
        .route("/assets/gatepost.css", get(assets::stylesheet))
}

/// The admin listener. It asks nobody who they are: reaching it is the permission.
///
/// Resources live under `/admin`; a path without the prefix means the same (`/clients` is `/admin/clients`).
pub fn admin(app: App) -> Router {
    let routes = Router::new()
        .route("/health/alive", get(health::alive))
        .route("/health/ready", get(health::ready))
        .route("/version", get(health::version))
        .route("/playground", get(playground::show))
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
        .nest("/admin/oauth2/auth/requests", requests())
        .route(
            "/admin/oauth2/auth/sessions/consent",
            get(oauth2_sessions::list_consents).delete(oauth2_sessions::revoke_consents),
        )
        .route(
            "/admin/oauth2/auth/sessions/login",
            delete(oauth2_sessions::revoke_logins),
        )
        .route(
            "/admin/identities",
            get(identities::list).post(identities::create),
        )
        .route(
            "/admin/identities/{id}",
            get(identities::get).delete(identities::delete),
        )
        .route(
            "/admin/identities/{id}/sessions",
            get(admin_sessions::list_of).delete(admin_sessions::revoke_all_of),
        )
        .route(
            "/admin/sessions/{id}",
            get(admin_sessions::get).delete(admin_sessions::revoke),
        );
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
