//! The first stage: who is calling. Authenticators are asked in order; the first that feels
//! responsible decides, and a bad credential is never passed on to a more lenient one.

mod anonymous;
#[cfg(feature = "rules")]
mod api_key;
#[cfg(feature = "rules")]
mod basic;
#[cfg(feature = "rules")]
mod bearer_token;
#[cfg(feature = "rules")]
mod cookie_session;
#[cfg(feature = "tokens")]
mod jwt;
#[cfg(feature = "rules")]
mod oauth2_client_credentials;
#[cfg(feature = "rules")]
mod oauth2_introspection;
#[cfg(feature = "rules")]
mod peer_certificate;
#[cfg(feature = "rules")]
mod session_check;
#[cfg(feature = "rules")]
mod token_endpoint;
#[cfg(feature = "tokens")]
mod token_from;

use crate::{
    Denial, FetchId, Session,
    ask::{Answer, Ask, Told, uncalled},
    challenge::Offer,
    compile::{Compiler, Entry},
    pipeline::{Facts, Memory},
};

use self::anonymous::Anonymous;
#[cfg(feature = "tokens")]
use self::jwt::Jwt;
#[cfg(feature = "rules")]
use self::{
    api_key::ApiKey, basic::Basic, bearer_token::BearerToken, cookie_session::CookieSession,
    oauth2_client_credentials::OAuth2ClientCredentials, oauth2_introspection::OAuth2Introspection,
    peer_certificate::FromPeerCertificate,
};
#[cfg(not(feature = "tokens"))]
use crate::left_out::LeftOut as Jwt;
#[cfg(not(feature = "rules"))]
use crate::left_out::{
    LeftOut as ApiKey, LeftOut as Basic, LeftOut as BearerToken, LeftOut as CookieSession,
    LeftOut as FromPeerCertificate, LeftOut as OAuth2ClientCredentials,
    LeftOut as OAuth2Introspection,
};

#[cfg(feature = "rules")]
pub(crate) use basic::CheckedPasswords;
#[cfg(feature = "tokens")]
pub(crate) use token_from::TokenFrom;

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
    /// Looks an API key up.
    ApiKey(ApiKey),
    /// Checks a user name and password.
    Basic(Basic),
    /// Reads the client certificate's name.
    PeerCertificate(FromPeerCertificate),
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
    pub(crate) const EXTENSIONS: &'static [&'static str] =
        &["api_key", "basic", "peer_certificate"];

    /// Makes an authenticator from its effective configuration. Mistakes are noted with the
    /// compiler; there is a handler only if there were none.
    pub(crate) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        match entry.name {
            // These two take any configuration, as they do in Oathkeeper.
            "noop" => Some(Self::Noop),
            "unauthorized" => Some(Self::Unauthorized),
            "anonymous" => Some(Self::Anonymous(Anonymous::compile(entry.config))),
            "jwt" => Jwt::compile(entry, compiler).map(Self::Jwt),
            "cookie_session" => CookieSession::compile(entry, compiler).map(Self::CookieSession),
            "bearer_token" => BearerToken::compile(entry, compiler).map(Self::BearerToken),
            "oauth2_client_credentials" => {
                OAuth2ClientCredentials::compile(entry, compiler).map(Self::OAuth2ClientCredentials)
            }
            "oauth2_introspection" => {
                OAuth2Introspection::compile(entry, compiler).map(Self::OAuth2Introspection)
            }
            "api_key" => ApiKey::compile(entry, compiler).map(Self::ApiKey),
            "basic" => Basic::compile(entry, compiler).map(Self::Basic),
            "peer_certificate" => {
                FromPeerCertificate::compile(entry, compiler).map(Self::PeerCertificate)
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
            Self::ApiKey(_) => "api_key",
            Self::Basic(_) => "basic",
            Self::PeerCertificate(_) => "peer_certificate",
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
            Self::Jwt(handler) => handler.authenticate_with(facts, memory),
            Self::CookieSession(handler) => handler.authenticate(facts),
            Self::BearerToken(handler) => handler.authenticate(facts),
            Self::OAuth2ClientCredentials(handler) => handler.authenticate(facts),
            Self::OAuth2Introspection(handler) => handler.authenticate(facts),
            Self::ApiKey(handler) => handler.authenticate(facts),
            Self::Basic(handler) => handler.authenticate_with(facts, memory),
            Self::PeerCertificate(handler) => handler.authenticate(facts),
        }
    }

    /// The schemes under which it takes credentials, for challenges.
    pub(crate) fn offers(&self) -> Vec<Offer> {
        match self {
            Self::Jwt(handler) => handler.offers(),
            Self::BearerToken(_) | Self::OAuth2Introspection(_) => vec![Offer::Bearer],
            Self::Basic(_) => vec![Offer::Basic],
            _ => Vec::new(),
        }
    }

    /// Whether it depends on the connection's client certificate.
    pub(crate) fn reads_peer_certificate(&self) -> bool {
        match self {
            Self::Jwt(handler) => handler.reads_peer_certificate(),
            Self::PeerCertificate(_) => true,
            _ => false,
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
            Self::Noop
            | Self::Anonymous(_)
            | Self::Unauthorized
            | Self::Jwt(_)
            | Self::ApiKey(_)
            | Self::Basic(_)
            | Self::PeerCertificate(_) => Told::once(Authentication::Refused(uncalled())),
        }
    }
}
