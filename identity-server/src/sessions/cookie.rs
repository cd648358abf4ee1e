//! How a browser keeps its session.

use axum_extra::extract::cookie::{Cookie, SameSite};
use time::OffsetDateTime;

use super::token::SessionToken;
use crate::config::{self, Settings};

/// The cookie that signs a browser in.
///
/// It can be read by no script (`HttpOnly`), and is sent over https only wherever we are reached over https.
#[must_use]
pub fn issue(
    settings: &Settings,
    token: &SessionToken,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Cookie<'static> {
    let mut cookie = bare(settings, token.expose().to_owned());
    if settings.session.cookie.persistent {
        cookie.set_max_age(expires_at - now);
    }
    cookie
}

/// The cookie that signs a browser out. Name, path and domain are those of [`issue`], or browsers would keep both.
#[must_use]
pub fn clear(settings: &Settings) -> Cookie<'static> {
    let mut cookie = bare(settings, String::new());
    cookie.set_max_age(time::Duration::ZERO);
    cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
    cookie
}

fn bare(settings: &Settings, value: String) -> Cookie<'static> {
    let configured = &settings.session.cookie;
    let mut cookie = Cookie::build((configured.name.clone(), value))
        .path("/")
        .http_only(true)
        .secure(settings.secure_cookies())
        .same_site(same_site(configured.same_site));
    if let Some(domain) = &configured.domain {
        cookie = cookie.domain(domain.clone());
    }
    cookie.build()
}

/// Our setting as the cookie library's.
#[must_use]
pub fn same_site(configured: config::SameSite) -> SameSite {
    match configured {
        config::SameSite::Lax => SameSite::Lax,
        config::SameSite::Strict => SameSite::Strict,
        config::SameSite::None => SameSite::None,
    }
}
