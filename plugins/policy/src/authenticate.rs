//! The first stage: who is calling. Authenticators are asked in order; the first that feels
//! responsible decides, and a bad credential is never passed on to a more lenient one.

mod anonymous;
mod bearer_token;
mod cookie_session;
mod jwt;
mod oauth2_client_credentials;
mod oauth2_introspection;
mod session_check;
mod token_endpoint;
mod token_from;

use crate::{
    Denial, FetchId, Session,
    ask::{Answer, Ask, Told, uncalled},
    compile::{Compiler, Entry},
    pipeline::{Facts, Memory},
};

use self::{
    anonymous::Anonymous, bearer_token::BearerToken, cookie_session::CookieSession, jwt::Jwt,
    oauth2_client_credentials::OAuth2ClientCredentials, oauth2_introspection::OAuth2Introspection,
};

/// One authenticator of a rule, ready to use.
#[derive(Debug)]
pub(crate) enum Authenticator {
    /// Always succeeds, without a subject.
    Noop,
    /// Succeeds for requests without credentials.
    Anonymous(Anonymous),
    /// Always refuses.
    Unauthorized,
    /// Checks a signed token.
    Jwt(Jwt),
    /// Asks a session store about the request's cookies.
    CookieSession(CookieSession),
    /// Asks a session store about the request's token.
    BearerToken(BearerToken),
    /// Asks a token endpoint for a token in the client's name.
    OAuth2ClientCredentials(OAuth2ClientCredentials),
    /// Asks the issuer about the request's token.
    OAuth2Introspection(OAuth2Introspection),
}

/// What an authenticator made of a request.
#[derive(Debug)]
pub(crate) enum Authentication {
    /// The request carries nothing for this one: ask the next.
    NotResponsible,
    /// The caller is known.
    Known(Session),
    /// The caller is refused; no other authenticator is asked.
    Refused(Denial),
    /// The answer to this call decides.
    Ask(Box<Ask>),
    /// The keys that decide are being fetched.
    Await(FetchId),
}

impl Authenticator {
    /// The handlers there are, by their names in a rule.
    pub(crate) const NAMES: &'static [&'static str] = &[
        "noop",
        "anonymous",
        "unauthorized",
        "jwt",
        "cookie_session",
        "bearer_token",
        "oauth2_client_credentials",
        "oauth2_introspection",
    ];

    /// The handlers that only we have. A rule names them below `gatepost.authenticators`, where
    /// Oathkeeper does not look.
    pub(crate) const EXTENSIONS: &'static [&'static str] = &[];

    /// Makes an authenticator from its effective configuration. Mistakes are noted with the
    /// compiler; there is a handler only if there were none.
    pub(crate) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        match entry.name {
            // These two take any configuration, as they do in Oathkeeper.
            "noop" => Some(Self::Noop),
            "unauthorized" => Some(Self::Unauthorized),
            "anonymous" => Some(Self::Anonymous(Anonymous::compile(entry.config))),
            "jwt" => Jwt::compile(entry.config, compiler).map(Self::Jwt),
            "cookie_session" => CookieSession::compile(entry, compiler).map(Self::CookieSession),
            "bearer_token" => BearerToken::compile(entry, compiler).map(Self::BearerToken),
            "oauth2_client_credentials" => OAuth2ClientCredentials::compile(entry.config, compiler)
                .map(Self::OAuth2ClientCredentials),
            "oauth2_introspection" => {
                OAuth2Introspection::compile(entry.config, compiler).map(Self::OAuth2Introspection)
            }
            _ => None,
        }
    }

    /// Its name in a rule.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Unauthorized => "unauthorized",
            Self::Anonymous(_) => "anonymous",
            Self::Jwt(_) => "jwt",
            Self::CookieSession(_) => "cookie_session",
            Self::BearerToken(_) => "bearer_token",
            Self::OAuth2ClientCredentials(_) => "oauth2_client_credentials",
            Self::OAuth2Introspection(_) => "oauth2_introspection",
        }
    }

    /// Asks this authenticator about a request.
    pub(crate) fn authenticate(&self, facts: &Facts<'_>, memory: &mut Memory) -> Authentication {
        match self {
            Self::Noop => Authentication::Known(Session::default()),
            Self::Unauthorized => Authentication::Refused(Denial::Unauthorized(
                "the rule refuses every caller".to_owned(),
            )),
            Self::Anonymous(handler) => handler.authenticate(facts),
            Self::Jwt(handler) => handler.authenticate(facts, &mut memory.tokens),
            Self::CookieSession(handler) => handler.authenticate(facts),
            Self::BearerToken(handler) => handler.authenticate(facts),
            Self::OAuth2ClientCredentials(handler) => handler.authenticate(facts),
            Self::OAuth2Introspection(handler) => handler.authenticate(facts),
        }
    }

    /// Goes on with the answer to the call that this authenticator asked for.
    pub(crate) fn resume(
        &self,
        facts: &Facts<'_>,
        _memory: &mut Memory,
        answer: &Answer,
    ) -> Told<Authentication> {
        match self {
            Self::CookieSession(handler) => handler.resume(facts, answer),
            Self::BearerToken(handler) => handler.resume(facts, answer),
            Self::OAuth2ClientCredentials(handler) => handler.resume(facts, answer),
            Self::OAuth2Introspection(handler) => handler.resume(facts, answer),
            Self::Noop | Self::Anonymous(_) | Self::Unauthorized | Self::Jwt(_) => {
                Told::once(Authentication::Refused(uncalled()))
            }
        }
    }
}
