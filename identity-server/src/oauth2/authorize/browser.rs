//! The two cookies that the authorization endpoint keeps in a browser.
//!
//! One binds flows to the browser: whoever brings a decision back must be the browser that asked, or an attacker could
//! finish his own sign-in in a victim's browser. A single random value serves all flows of a browser, so that tabs do
//! not get in each other's way and cookies do not pile up (Hydra sets one per client).
//! The other remembers a sign-in for external login pages; its value is random, and only its digest is stored.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use time::Duration;

use crate::config::Settings;
use crate::entropy::{Entropy, EntropyError};

/// Both values: 32 random bytes in base64url.
const VALUE_LENGTH: usize = 43;

/// One of the two cookies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Binds flows to the browser.
    Binding,
    /// Remembers a sign-in.
    Session,
}

impl Kind {
    fn name(self, settings: &Settings) -> String {
        let name = match self {
            Self::Binding => "ory_hydra_login_csrf",
            Self::Session => "ory_hydra_session",
        };
        if settings.dev {
            format!("{name}_dev")
        } else {
            name.to_owned()
        }
    }

    /// The value that the browser sent, if it has the right form.
    pub(super) fn read(self, settings: &Settings, cookies: &CookieJar) -> Option<String> {
        let cookie = cookies.get(&self.name(settings))?;
        let value = cookie.value();
        let well_formed = value.len() == VALUE_LENGTH
            && value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        well_formed.then(|| value.to_owned())
    }

    /// Sets the cookie; without `max_age` it ends with the browser.
    pub(super) fn set(
        self,
        settings: &Settings,
        cookies: CookieJar,
        value: &str,
        max_age: Option<Duration>,
    ) -> CookieJar {
        let mut cookie = Cookie::build((self.name(settings), value.to_owned()))
            .path("/")
            .http_only(true)
            .secure(settings.secure_cookies())
            .same_site(SameSite::Lax);
        if let Some(max_age) = max_age {
            cookie = cookie.max_age(max_age);
        }
        cookies.add(cookie.build())
    }

    /// Removes the cookie.
    pub(super) fn clear(self, settings: &Settings, cookies: CookieJar) -> CookieJar {
        self.set(settings, cookies, "", Some(Duration::ZERO))
    }
}

/// A fresh value for either.
pub(super) fn fresh_value(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    entropy.token(32)
}
