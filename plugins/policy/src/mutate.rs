//! The third stage: what the upstream is told about the caller. All mutators run, in order.

#[cfg(feature = "templates")]
mod cookie;
#[cfg(feature = "templates")]
mod header;
#[cfg(feature = "rules")]
mod hydrator;
#[cfg(feature = "rules")]
mod id_token;
#[cfg(feature = "tokens")]
mod token_headers;

use crate::{
    Session,
    ask::{Answer, Progress, Told},
    compile::{Compiler, Entry},
    config::Place,
    pipeline::{Facts, Memory},
};

#[cfg(feature = "tokens")]
use self::token_headers::TokenHeaders;
#[cfg(feature = "templates")]
use self::{cookie::Cookie, header::Header};
#[cfg(feature = "rules")]
use self::{hydrator::Hydrator, id_token::IdToken};
#[cfg(not(feature = "tokens"))]
use crate::left_out::LeftOut as TokenHeaders;
#[cfg(not(feature = "templates"))]
use crate::left_out::{LeftOut as Cookie, LeftOut as Header};
#[cfg(not(feature = "rules"))]
use crate::left_out::{LeftOut as Hydrator, LeftOut as IdToken};

/// One mutator of a rule, ready to use.
#[derive(Debug)]
pub(crate) enum Mutator {
    /// Changes nothing.
    Noop,
    /// Sets headers from templates.
    Header(Header),
    /// Sets cookies from templates.
    Cookie(Cookie),
    /// Sets a token of our own.
    IdToken(IdToken),
    /// Lets a server enrich the session.
    Hydrator(Hydrator),
    /// Sets headers to claims, and keeps the token from the upstream.
    TokenHeaders(TokenHeaders),
}

impl Mutator {
    /// The handlers there are, by their names in a rule.
    pub(crate) const NAMES: &'static [&'static str] =
        &["noop", "header", "cookie", "id_token", "hydrator"];

    /// The handlers that only we have. A rule names them below `gatepost.mutators`.
    pub(crate) const EXTENSIONS: &'static [&'static str] = &["token_headers"];

    /// Makes a mutator from its effective configuration.
    pub(crate) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        match entry.name {
            "noop" => Some(Self::Noop),
            "header" => Header::compile(entry, compiler).map(Self::Header),
            "cookie" => Cookie::compile(entry, compiler).map(Self::Cookie),
            "id_token" => IdToken::compile(entry, compiler).map(Self::IdToken),
            "hydrator" => Hydrator::compile(entry, compiler).map(Self::Hydrator),
            "token_headers" => TokenHeaders::compile(entry, compiler).map(Self::TokenHeaders),
            _ => None,
        }
    }

    /// Its name in a rule.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Header(_) => "header",
            Self::Cookie(_) => "cookie",
            Self::IdToken(_) => "id_token",
            Self::Hydrator(_) => "hydrator",
            Self::TokenHeaders(_) => "token_headers",
        }
    }

    /// Changes the session.
    pub(crate) fn mutate(
        &self,
        session: &mut Session,
        facts: &Facts<'_>,
        memory: &mut Memory,
    ) -> Progress {
        match self {
            Self::Noop => Progress::Done,
            Self::Header(handler) => handler.mutate(session, facts),
            Self::Cookie(handler) => handler.mutate(session, facts),
            Self::IdToken(handler) => handler.mutate_with(session, facts, memory),
            Self::Hydrator(handler) => handler.mutate(session, facts),
            Self::TokenHeaders(handler) => handler.mutate(session, facts),
        }
    }

    /// The number of the key that it signs with, and where that is named.
    pub(crate) const fn signs_with(&self) -> Option<(usize, &Place)> {
        match self {
            Self::IdToken(handler) => Some(handler.signs_with()),
            Self::Noop
            | Self::Header(_)
            | Self::Cookie(_)
            | Self::Hydrator(_)
            | Self::TokenHeaders(_) => None,
        }
    }

    /// Goes on with the answer to the call that this mutator asked for.
    pub(crate) fn resume(
        &self,
        session: &mut Session,
        _facts: &Facts<'_>,
        answer: &Answer,
    ) -> Told<Progress> {
        match self {
            Self::Hydrator(handler) => handler.resume(session, answer),
            Self::Noop
            | Self::Header(_)
            | Self::Cookie(_)
            | Self::IdToken(_)
            | Self::TokenHeaders(_) => Progress::uncalled(),
        }
    }
}
