//! The second stage: may this caller do this? Oathkeeper knows one authorizer a rule; further ones
//! stand below `gatepost.authorizers`, and all of them must agree.

#[cfg(feature = "rules")]
mod callout;
#[cfg(feature = "cel")]
mod cel;
mod cidr;
mod claims;
#[cfg(feature = "rules")]
mod keto_engine_acp_ory;
#[cfg(feature = "rules")]
mod predicate;
#[cfg(feature = "rules")]
mod remote;
#[cfg(feature = "rules")]
mod remote_json;

use crate::{
    Denial, Session,
    ask::{Answer, Progress, Told},
    compile::{Compiler, Entry},
    pipeline::Facts,
};

#[cfg(feature = "cel")]
use self::cel::Cel;
#[cfg(all(feature = "analysis", feature = "cel"))]
pub(crate) use self::cel::is_constant;
use self::{cidr::Cidr, claims::Claims};
#[cfg(feature = "rules")]
use self::{keto_engine_acp_ory::KetoEngineAcpOry, remote::Remote, remote_json::RemoteJson};
#[cfg(not(feature = "cel"))]
use crate::left_out::LeftOut as Cel;
#[cfg(not(feature = "rules"))]
use crate::left_out::{LeftOut as KetoEngineAcpOry, LeftOut as Remote, LeftOut as RemoteJson};

/// An authorizer of a rule, ready to use.
#[derive(Debug)]
pub(crate) enum Authorizer {
    /// Everybody who got this far may.
    Allow,
    /// Nobody may.
    Deny,
    /// A server decides that is shown the request's body.
    Remote(Box<Remote>),
    /// A server decides that is told of the session.
    RemoteJson(Box<RemoteJson>),
    /// Ory Keto's access control policies decide.
    KetoEngineAcpOry(Box<KetoEngineAcpOry>),
    /// The client's address decides.
    Cidr(Box<Cidr>),
    /// What is known of the caller decides.
    Claims(Box<Claims>),
    /// An expression decides.
    Cel(Box<Cel>),
}

impl Authorizer {
    /// The handlers there are, by their names in a rule.
    pub(crate) const NAMES: &'static [&'static str] = &[
        "allow",
        "deny",
        "remote",
        "remote_json",
        "keto_engine_acp_ory",
    ];

    /// The handlers that only we have. A rule names them below `gatepost.authorizers`.
    pub(crate) const EXTENSIONS: &'static [&'static str] = &["cel", "cidr", "claims"];

    /// Makes an authorizer from its effective configuration.
    pub(crate) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        match entry.name {
            // Both take any configuration, as they do in Oathkeeper.
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            "remote" => Remote::compile(entry, compiler)
                .map(Box::new)
                .map(Self::Remote),
            "remote_json" => RemoteJson::compile(entry, compiler)
                .map(Box::new)
                .map(Self::RemoteJson),
            "keto_engine_acp_ory" => KetoEngineAcpOry::compile(entry, compiler)
                .map(Box::new)
                .map(Self::KetoEngineAcpOry),
            "cidr" => Some(Self::Cidr(Box::new(Cidr::compile(entry.config)))),
            "claims" => Some(Self::Claims(Box::new(Claims::compile(entry.config)))),
            #[cfg(feature = "cel")]
            "cel" => Cel::compile(entry.config).map(Box::new).map(Self::Cel),
            #[cfg(not(feature = "cel"))]
            "cel" => Cel::compile(entry, compiler).map(Box::new).map(Self::Cel),
            _ => None,
        }
    }

    /// Its name in a rule.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Remote(_) => "remote",
            Self::RemoteJson(_) => "remote_json",
            Self::KetoEngineAcpOry(_) => "keto_engine_acp_ory",
            Self::Cidr(_) => "cidr",
            Self::Claims(_) => "claims",
            Self::Cel(_) => "cel",
        }
    }

    /// Asks whether the caller may.
    pub(crate) fn authorize(&self, session: &Session, facts: &Facts<'_>) -> Progress {
        match self {
            Self::Allow => Progress::Done,
            Self::Deny => {
                Progress::Refused(Denial::Forbidden("the rule denies every caller".to_owned()))
            }
            Self::Remote(handler) => handler.authorize(session, facts),
            Self::RemoteJson(handler) => handler.authorize(session, facts),
            Self::KetoEngineAcpOry(handler) => handler.authorize(session, facts),
            Self::Cidr(handler) => handler.authorize(facts).into(),
            Self::Claims(handler) => handler.authorize(session, facts).into(),
            Self::Cel(handler) => handler.authorize(session, facts),
        }
    }

    /// Goes on with the answer to the call that this authorizer asked for.
    pub(crate) fn resume(
        &self,
        session: &mut Session,
        _facts: &Facts<'_>,
        answer: &Answer,
    ) -> Told<Progress> {
        match self {
            Self::Allow | Self::Deny | Self::Cidr(_) | Self::Claims(_) | Self::Cel(_) => {
                Progress::uncalled()
            }
            Self::Remote(handler) => handler.resume(session, answer),
            Self::RemoteJson(handler) => handler.resume(session, answer),
            Self::KetoEngineAcpOry(handler) => handler.resume(session, answer),
        }
    }

    /// Whether it decides by [`crate::Request::client_address`].
    pub(crate) const fn reads_client_address(&self) -> bool {
        match self {
            Self::KetoEngineAcpOry(_) | Self::Cidr(_) => true,
            Self::Cel(handler) => handler.reads_client_address(),
            Self::Allow | Self::Deny | Self::Remote(_) | Self::RemoteJson(_) | Self::Claims(_) => {
                false
            }
        }
    }
}
