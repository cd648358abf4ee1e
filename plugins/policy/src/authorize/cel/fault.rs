//! Why an expression has no result.

use super::value::Value;

/// What went wrong. Names come from the rule, never from the request: a reason stands in logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It would cost more than a request is worth. Nothing makes up for this one.
    #[error("it takes too many steps")]
    TooCostly,
    /// A map has no such key.
    #[error("there is no `{0}`")]
    NoSuchKey(String),
    /// A map has no such key, and the request has named it.
    #[error("a map has no such key")]
    NoKey,
    /// A list is shorter than that.
    #[error("an index is beyond its list")]
    NoElement,
    /// An operation that values of these kinds do not have.
    #[error("`{0}` is not for {1}")]
    NotFor(&'static str, &'static str),
    /// An operation on two values whose kinds do not go together.
    #[error("`{0}` is not for {1} and {2}")]
    NotForBoth(&'static str, &'static str, &'static str),
    /// A result that no number of its kind can be.
    #[error("`{0}` leaves the range of its numbers")]
    Overflow(&'static str),
    /// By zero.
    #[error("a division by zero")]
    DivisionByZero,
    /// A text that is no number.
    #[error("`{0}` of a text that is no number")]
    NoNumber(&'static str),
    /// A map literal that has one key twice.
    #[error("a map has a key twice")]
    DuplicateKey,
    /// A header or parameter whose value upstreams would disagree about.
    #[error("a {0} that it reads was sent more than once, or in another spelling")]
    Ambiguous(&'static str),
    /// A header that is no text.
    #[error("a header that it reads is not UTF-8")]
    NoText,
    /// The host does not tell it.
    #[error("the proxy does not tell the client's address")]
    NoAddress,
    /// The result.
    #[error("its result is {0}, not true or false")]
    NoBool(&'static str),
}

impl Fault {
    pub(super) const fn not_for(operation: &'static str, value: &Value<'_>) -> Self {
        Self::NotFor(operation, value.kind())
    }

    pub(super) const fn not_for_both(
        operation: &'static str,
        left: &Value<'_>,
        right: &Value<'_>,
    ) -> Self {
        Self::NotForBoth(operation, left.kind(), right.kind())
    }
}
