//! What is measured: chains of filters, and the load put on them.

/// A chain of filters in front of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// No filter.
    Nothing,
    /// A module that lets everything pass and asks the host for nothing.
    Empty,
    /// Envoy's `jwt_authn` as it comes.
    JwtAuthn,
    /// Envoy's `jwt_authn` with `jwt_cache_config`.
    JwtAuthnCached,
    /// What a rule amounts to in Envoy's own filters: `jwt_authn` with its cache, `rbac`,
    /// `header_mutation`.
    Native,
    /// Our module for tokens alone.
    JwtAuth,
    /// Our module for rules: one rule, which takes a token and sets a header.
    AccessRules,
    /// The same with so many rules.
    Rules(u32),
    /// Envoy's `ext_authz` over HTTP, asking our decision endpoint by the one rule.
    AskGatepost,
    /// Envoy's `ext_authz` over HTTP, asking an nginx that says yes to everything.
    AskConstant,
    /// Our module, introspecting opaque tokens, with its cache.
    IntrospectCached,
    /// Our module, introspecting the token on each request.
    IntrospectEach,
    /// Our module, asking for the session of a cookie on each request.
    SessionEach,
}

/// What answers behind the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// Envoy itself.
    Direct,
    /// An nginx.
    Upstream,
}

/// What the requests are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// One RS256 token, again and again.
    Repeated,
    /// The same, at a pace that everybody keeps: to see how long a request takes.
    Steady,
    /// The same, for the path of each rule in turn.
    Paths(u32),
    /// A new RS256 token with each request.
    DistinctRs256,
    /// A new ES256 token with each request.
    DistinctEs256,
    /// One opaque token and one session cookie, again and again.
    Opaque,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) chain: Chain,
    pub(super) hop: Hop,
    pub(super) load: Load,
}

/// How many rules "many" are, and what they are compared with.
pub(super) const MANY: u32 = 10_000;
pub(super) const FEW: u32 = 10;

const fn row(chain: Chain, hop: Hop, load: Load) -> Row {
    Row { chain, hop, load }
}

/// What our figures are held against, and how they have to compare.
pub(super) struct Goal {
    pub(super) ours: Row,
    pub(super) against: Row,
    pub(super) measure: Measure,
}

/// What is compared, and the goal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure {
    /// Our requests per second as a multiple of theirs: at least so much.
    Pace(f64),
    /// What we add to the slowest hundredth of requests beyond no filter at all, as a share of what
    /// they add: at most so much.
    AddedLatency(f64),
}

use Chain::{
    AccessRules, AskConstant, AskGatepost, Empty, IntrospectCached, IntrospectEach, JwtAuth,
    JwtAuthn, JwtAuthnCached, Native, Nothing, Rules, SessionEach,
};
use Hop::{Direct, Upstream};
use Load::{DistinctEs256, DistinctRs256, Opaque, Paths, Repeated, Steady};

/// The goals, in the order in which they are told.
pub(super) const GOALS: &[Goal] = &[
    goal(AccessRules, Native, Direct, Repeated, 1.1),
    goal(AccessRules, Native, Upstream, Repeated, 1.1),
    goal(JwtAuth, JwtAuthnCached, Direct, Repeated, 1.0),
    goal(JwtAuth, JwtAuthn, Direct, Repeated, 2.0),
    goal(JwtAuth, JwtAuthn, Direct, DistinctRs256, 0.95),
    goal(JwtAuth, JwtAuthn, Direct, DistinctEs256, 0.95),
    goal(AccessRules, AskGatepost, Direct, Repeated, 3.0),
    Goal {
        ours: row(AccessRules, Direct, Steady),
        against: row(AskGatepost, Direct, Steady),
        measure: Measure::AddedLatency(1.0 / 3.0),
    },
    goal(AccessRules, AskConstant, Direct, Repeated, 2.5),
    goal(AccessRules, AskConstant, Upstream, Repeated, 1.6),
    goal(IntrospectCached, IntrospectEach, Direct, Opaque, 10.0),
    goal(IntrospectCached, SessionEach, Direct, Opaque, 10.0),
    Goal {
        ours: row(Rules(MANY), Direct, Paths(MANY)),
        against: row(Rules(FEW), Direct, Paths(FEW)),
        measure: Measure::Pace(0.95),
    },
    Goal {
        ours: row(AccessRules, Direct, Repeated),
        against: row(Empty, Direct, Repeated),
        measure: Measure::Pace(0.85),
    },
];

/// What everything else is measured beside.
pub(super) const BARE: Row = row(Nothing, Direct, Repeated);

const fn goal(ours: Chain, against: Chain, hop: Hop, load: Load, least: f64) -> Goal {
    Goal {
        ours: row(ours, hop, load),
        against: row(against, hop, load),
        measure: Measure::Pace(least),
    }
}

/// Every row that a goal needs, each once, in the order of the goals.
pub(super) fn rows(goals: &[&Goal]) -> Vec<Row> {
    let mut rows = vec![BARE];
    for goal in goals {
        let bare = row(Nothing, goal.ours.hop, goal.ours.load.of_bare());
        for row in [bare, goal.against, goal.ours] {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

impl Goal {
    /// Whether somebody who asks for `words` means this one.
    pub(super) fn is_about(&self, words: &str) -> bool {
        [self.ours, self.against]
            .iter()
            .any(|row| row.to_string().contains(words))
    }
}

impl Load {
    /// The load by which the cost of no filter is told for this one.
    const fn of_bare(self) -> Self {
        match self {
            Self::Steady => Self::Steady,
            _ => Self::Repeated,
        }
    }
}

impl Chain {
    /// Whether it has to know good requests from bad ones.
    pub(super) const fn decides(self) -> bool {
        !matches!(self, Self::Nothing | Self::Empty | Self::AskConstant)
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no filter",
            Self::Empty => "empty wasm filter",
            Self::JwtAuthn => "jwt_authn",
            Self::JwtAuthnCached => "jwt_authn with cache",
            Self::Native => "jwt_authn with cache + rbac + header_mutation",
            Self::JwtAuth => "jwt-auth",
            Self::AccessRules => "access-rules",
            Self::Rules(rules) => return write!(f, "access-rules, {rules} rules"),
            Self::AskGatepost => "ext_authz to gatepost",
            Self::AskConstant => "ext_authz to a constant answer",
            Self::IntrospectCached => "access-rules, introspection cached",
            Self::IntrospectEach => "access-rules, introspection on each request",
            Self::SessionEach => "access-rules, session check on each request",
        })
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let load = match self.load {
            Repeated => "repeated token",
            Steady => "repeated token, steady pace",
            Paths(_) => "repeated token, every rule in turn",
            DistinctRs256 => "distinct RS256 tokens",
            DistinctEs256 => "distinct ES256 tokens",
            Opaque => "opaque credential",
        };
        let hop = match self.hop {
            Direct => "",
            Upstream => ", upstream hop",
        };
        write!(f, "{}, {load}{hop}", self.chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_measured_once_and_beside_no_filter() {
        let goals: Vec<_> = GOALS.iter().collect();
        let rows = rows(&goals);
        for goal in GOALS {
            for row in [goal.ours, goal.against] {
                assert_eq!(rows.iter().filter(|other| **other == row).count(), 1);
                let is_beside = |other: &Row| other.chain == Nothing && other.hop == row.hop;
                assert!(rows.iter().any(is_beside), "{row}");
            }
        }
    }

    #[test]
    fn a_goal_is_found_by_what_it_compares() {
        let about = |words: &str| GOALS.iter().filter(|goal| goal.is_about(words)).count();
        assert_eq!(about("empty wasm filter"), 1);
        assert!(about("ext_authz") > about("constant answer"));
        assert_eq!(about("no such thing"), 0);
    }
}
