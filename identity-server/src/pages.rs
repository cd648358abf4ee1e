//! The built-in pages: sign up, sign in, consent, account, errors.
//!
//! They are plain HTML made from templates (`templates/`) with one stylesheet; they need no script and allow none.
//! Everything that they do goes through the same flows and sessions as any other client's requests: the forms of
//! sign-up and sign-in are made from the flow's nodes and are sent to its `action`.
//!
//! - [`flow_pages`]: sign-up and sign-in. [`consent`]: may this app …? [`account`]: who am I, and where.
//! - [`error`]: what went wrong. [`assets`]: the stylesheet.
//! - [`page`]: the headers that every page carries.

pub mod account;
pub mod assets;
pub mod consent;
pub mod error;
pub mod flow_pages;
pub mod page;
pub mod playground;

use axum::response::Response;

use crate::flows::exchange::{Exchange, see_other};
use crate::identity::Identity;
use crate::sessions::current;

/// `GET /`: who is signed in goes to their account, everybody else to sign in.
pub async fn landing(exchange: Exchange) -> Response {
    let signed_in = current::current(&exchange.app, &exchange.headers).await;
    let path = if matches!(signed_in, Ok(Some(_))) {
        "/account"
    } else {
        "/login"
    };
    see_other(&exchange.app.settings().public_url(path))
}

/// Somebody, as pages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What to call them.
    pub name: String,
    /// The first letter of it.
    pub initial: String,
}

impl Person {
    /// By this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            initial: name.chars().next().map(String::from).unwrap_or_default(),
        }
    }

    /// By their name, else their e-mail address, else their id.
    #[must_use]
    pub fn of(identity: &Identity) -> Self {
        let text = |name: &str| {
            identity
                .traits
                .get(name)
                .and_then(|value| value.as_str())
                .map(str::trim)
        };
        let name = text("name")
            .filter(|name| !name.is_empty())
            .or_else(|| text("email"));
        name.map_or_else(|| Self::named(&identity.id.to_string()), Self::named)
    }
}
