//! What lint may say: the catalogue.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Hardly what was meant, or risky.
    Warning,
    /// It does not work.
    Error,
}

/// One thing that lint may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// How it is named.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub about: &'static str,
}

macro_rules! codes {
    ($($constant:ident, $severity:ident, $name:literal, $about:literal;)+) => {
        $(#[allow(dead_code, reason = "of handlers that a build leaves out")]
        pub(super) const $constant: Code = Code {
            name: $name,
            severity: Severity::$severity,
            about: $about,
        };)+

        /// All of them.
        pub const CODES: &[Code] = &[$($constant),+];
    };
}

codes! {
    UNREADABLE, Error, "unreadable", "a file that cannot be read, or is neither JSON nor YAML";
    INVALID, Error, "invalid", "what the engine refuses at load: the rule is put aside, and what it matches is answered with 500";
    NO_METHODS, Warning, "no-methods", "a rule without methods matches nothing";
    UNREACHABLE, Warning, "unreachable", "a pattern that no request's URL matches";
    QUERY_IN_PATTERN, Warning, "query-in-pattern", "a `?` in the literal text of a pattern: the query is not part of what is matched";
    ESCAPE_IN_PATTERN, Warning, "escape-in-pattern", "a percent escape in the literal text of a pattern: paths are matched decoded";
    HOST_CROSSES_SLASH, Warning, "host-crosses-slash", "a host's `<…>` that also matches `/`: the path of another URL can stand in for the host";
    DOT_IN_HOST, Warning, "dot-in-host", "an unescaped `.` between a host's labels within `<…>`: it matches any character";
    NOT_BELOW, Warning, "not-below", "a rule for one path only, while a wider rule takes what is below it";
    OPEN_ENDED, Note, "open-ended", "a pattern like `/admin<.*>`, which also matches `/administrator`";
    CROSSES_SLASH, Note, "crosses-slash", "a `<…>` in the middle of a path that matches several segments";
    DUPLICATE_ID, Warning, "duplicate-id", "two rules with one id: logs and metrics cannot tell them apart";
    NO_ID, Note, "no-id", "a rule without an id: logs and metrics name it by its place";
    CASE_TWINS, Warning, "case-twins", "two rules whose URLs differ only by case";
    UNKNOWN_METHOD, Note, "unknown-method", "a method that is not registered with IANA";
    UNKNOWN_KEY, Warning, "unknown-key", "a key of a rule that nobody reads";
    NEVER_ASKED, Warning, "never-asked", "an authenticator behind one that settles every request which it is for";
    ANY_COOKIE, Warning, "any-cookie", "`cookie_session` without `only` takes every request that has any cookie";
    NO_CALLER, Warning, "no-caller", "a template uses `.Subject` where `noop` leaves it empty";
    ANY_ISSUER, Warning, "any-issuer", "`jwt` without `trusted_issuers`: whoever the key set belongs to may name any issuer";
    ANY_AUDIENCE, Note, "any-audience", "`jwt` without `target_audience`: tokens made for others are taken";
    KEYS_IN_CLEARTEXT, Warning, "keys-in-cleartext", "keys fetched without TLS: whoever is in between chooses them";
    CONSTANT_EXPRESSION, Warning, "constant-expression", "an expression of `cel` without a variable: it is the same for every request";
    CALL_IN_CLEARTEXT, Note, "call-in-cleartext", "credentials sent, or decisions fetched, without TLS";
    RAW_IN_JSON, Warning, "raw-in-json", "a template for JSON prints a value as it is outside of a string: it can be any JSON";
    BOTH_ANSWER, Warning, "both-answer", "two error handlers of a rule match the same refusal: it is answered with 500";
    BOTH_MAY_ANSWER, Note, "both-may-answer", "two error handlers are told apart by media types alone, and a client may name both";
    VERBOSE_ERRORS, Note, "verbose-errors", "refusals tell the client why";
    UNUSED_HANDLER, Note, "unused-handler", "a handler is enabled and no rule uses it";
    SHADOW_MODE, Note, "shadow-mode", "a rule in shadow mode refuses nothing";
    UPSTREAM_IGNORED, Note, "upstream-ignored", "`upstream` has no effect: the proxy routes";
    OATHKEEPER_DIFFERS, Note, "oathkeeper-differs", "Oathkeeper does something else here";
}
