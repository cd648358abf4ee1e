//! The texts that a form shows, each with the number that clients translate by.
//!
//! Numbers and `context` are the contract (Kratos' message ids); the English wording is ours.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::flows::instant;

/// One text of a form: a label, or something to tell the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Number that clients translate by.
    pub id: u32,
    /// English wording.
    pub text: String,
    /// How serious it is.
    #[serde(rename = "type")]
    pub severity: Severity,
    /// Values that a translation needs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
}

/// How serious a [`Message`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A label or neutral information.
    Info,
    /// Something that the user has to put right.
    Error,
    /// Something that worked.
    Success,
}

impl Message {
    fn info(id: u32, text: impl Into<String>) -> Self {
        Self {
            id,
            text: text.into(),
            severity: Severity::Info,
            context: Map::new(),
        }
    }

    fn error(id: u32, text: impl Into<String>) -> Self {
        Self {
            id,
            text: text.into(),
            severity: Severity::Error,
            context: Map::new(),
        }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.context.insert(name.to_owned(), value.into());
        self
    }
}

/// Labels of inputs and buttons.
pub mod label {
    use super::Message;

    /// The password input.
    #[must_use]
    pub fn password() -> Message {
        Message::info(1_070_001, "Password")
    }

    /// The sign-in identifier input.
    #[must_use]
    pub fn identifier() -> Message {
        Message::info(1_070_004, "E-mail")
    }

    /// A trait, labelled by its schema's `title`.
    #[must_use]
    pub fn trait_title(title: &str, name: &str) -> Message {
        Message::info(1_070_002, title)
            .with("title", title)
            .with("name", name)
    }

    /// Submit button of the password login.
    #[must_use]
    pub fn sign_in_with_password() -> Message {
        Message::info(1_010_022, "Sign in")
    }

    /// Submit button of a login that only confirms who is there.
    #[must_use]
    pub fn sign_in() -> Message {
        Message::info(1_010_001, "Sign in")
    }

    /// Submit button of the registration.
    #[must_use]
    pub fn sign_up() -> Message {
        Message::info(1_040_001, "Create account")
    }
}

/// Told to somebody who must prove again who they are.
#[must_use]
pub fn reauthenticate() -> Message {
    Message::info(1_010_003, "Enter your password once more to go on.")
}

/// A validation failure that has no number of its own.
#[must_use]
pub fn invalid(reason: &str) -> Message {
    Message::error(4_000_001, reason).with("reason", reason)
}

/// A required value is absent.
#[must_use]
pub fn required(property: &str) -> Message {
    Message::error(4_000_002, format!("Please fill in {property}.")).with("property", property)
}

/// A string has fewer characters than the schema demands.
#[must_use]
pub fn too_short(minimum: u64, actual: usize) -> Message {
    Message::error(
        4_000_003,
        format!("This needs at least {minimum} characters."),
    )
    .with("min_length", minimum)
    .with("actual_length", actual)
}

/// A string does not match the schema's pattern.
#[must_use]
pub fn pattern_mismatch(pattern: &str) -> Message {
    Message::error(4_000_004, "This does not have the expected form.").with("pattern", pattern)
}

/// A string has more characters than the schema allows.
#[must_use]
pub fn too_long(maximum: u64, actual: usize) -> Message {
    Message::error(
        4_000_017,
        format!("This may have at most {maximum} characters."),
    )
    .with("max_length", maximum)
    .with("actual_length", actual)
}

/// A value has another JSON type than the schema demands.
#[must_use]
pub fn wrong_type(expected: &str, actual: &str) -> Message {
    Message::error(4_000_026, format!("This has to be of type {expected}."))
        .with("allowed_types", json!([expected]))
        .with("actual_type", actual)
}

/// Messages are stored with their flow, so they repeat no more than this of what a client sent.
const REPEATED_CHARS: usize = 100;

/// The e-mail address is not one.
#[must_use]
pub fn not_an_email(value: &str) -> Message {
    let value: String = value.chars().take(REPEATED_CHARS).collect();
    Message::error(
        4_000_001,
        "Please enter a complete e-mail address, such as name@example.com.",
    )
    .with("reason", format!("{value:?} is not an e-mail address"))
}

/// Identifier and password do not belong together; deliberately the same for an unknown account.
#[must_use]
pub fn invalid_credentials() -> Message {
    Message::error(
        4_000_006,
        "The e-mail address or the password is not right. Check both and try again.",
    )
}

/// Somebody has already registered this identifier.
#[must_use]
pub fn duplicate_identifier() -> Message {
    Message::error(
        4_000_007,
        "An account with this e-mail address exists already. Sign in instead.",
    )
}

/// The password is too like the identifier.
#[must_use]
pub fn password_like_identifier() -> Message {
    Message::error(
        4_000_031,
        "The password is too similar to your e-mail address. Choose a different one.",
    )
}

/// The password is shorter than the policy allows.
#[must_use]
pub fn password_too_short(minimum: usize, actual: usize) -> Message {
    Message::error(
        4_000_032,
        format!("The password needs at least {minimum} characters."),
    )
    .with("min_length", minimum)
    .with("actual_length", actual)
}

/// The password is longer than the policy allows.
#[must_use]
pub fn password_too_long(maximum: usize) -> Message {
    Message::error(
        4_000_033,
        format!("The password may have at most {maximum} bytes."),
    )
    .with("max_length", maximum)
}

/// Too many wrong attempts; the same whether or not the account exists.
#[must_use]
pub fn too_many_attempts(wait_seconds: i64) -> Message {
    let minutes = wait_seconds.saturating_add(59) / 60;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    Message::error(
        4_000_001,
        format!("Too many attempts. Please wait {minutes} {unit} and try again."),
    )
    .with("reason", "too many attempts")
    .with("retry_after", wait_seconds)
}

/// The account has been switched off.
#[must_use]
pub fn account_disabled() -> Message {
    Message::error(4_010_011, "This account has been disabled.")
}

/// The login flow ran out of time.
#[must_use]
pub fn login_expired(at: OffsetDateTime) -> Message {
    expired(
        4_010_001,
        "This sign-in form was open for too long. Please try again.",
        at,
    )
}

/// The registration flow ran out of time.
#[must_use]
pub fn registration_expired(at: OffsetDateTime) -> Message {
    expired(
        4_040_001,
        "This sign-up form was open for too long. Please try again.",
        at,
    )
}

/// No method can handle what was submitted to a login.
#[must_use]
pub fn no_login_method() -> Message {
    Message::error(
        4_010_002,
        "Could not find a way to sign you in. Did you fill in the form?",
    )
}

/// No method can handle what was submitted to a registration.
#[must_use]
pub fn no_registration_method() -> Message {
    Message::error(
        4_010_003,
        "Could not find a way to sign you up. Did you fill in the form?",
    )
}

fn expired(id: u32, text: &str, at: OffsetDateTime) -> Message {
    Message::error(id, text)
        .with("expired_at", instant::format(at))
        .with("expired_at_unix", at.unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_shape_that_the_sdks_read() {
        let json = serde_json::to_value(required("identifier")).unwrap();
        assert_eq!(json["id"], 4_000_002);
        assert_eq!(json["type"], "error");
        assert_eq!(json["context"]["property"], "identifier");
    }

    #[test]
    fn a_message_does_not_grow_with_what_was_sent() {
        let long = serde_json::to_string(&not_an_email(&"x".repeat(100_000))).unwrap();
        assert!(long.len() < 500, "{long}");
    }

    #[test]
    fn an_empty_context_is_left_out() {
        let json = serde_json::to_value(label::password()).unwrap();
        assert!(json.get("context").is_none());
    }
}
