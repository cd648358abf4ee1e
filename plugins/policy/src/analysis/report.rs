//! What an analysis says.

use serde::Serialize;

use super::RuleName;

/// Everything that can be said about rules as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Analysis {
    /// How many rules were analysed.
    pub rules: usize,
    /// Rules that could not be, since they have no pattern that compiles.
    pub left_out: Vec<RuleName>,
    /// Rules that match the same request.
    pub overlaps: Vec<Overlap>,
    /// Rules that never decide, since another one matches whatever they match.
    pub shadowed: Vec<Shadowed>,
    /// Rules that no request reaches.
    pub unreachable: Vec<Unreachable>,
    /// Pairs of rules of which it is not known whether they overlap.
    pub undecided: Vec<Undecided>,
    /// How many pairs of patterns were not compared, there being too many.
    pub not_compared: usize,
    /// Methods that a pattern's URLs are refused with 404 for.
    pub uncovered: Vec<Uncovered>,
    /// Rules that let callers without credentials in, or may.
    pub open: Vec<Open>,
    /// The patterns, the most expensive first.
    pub costs: Vec<Cost>,
}

impl Analysis {
    /// Whether nothing is wrong: no overlap that is answered with 500, no rule without effect.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.overlaps
            .iter()
            .all(|overlap| overlap.decides.is_some())
            && self.shadowed.is_empty()
            && self.unreachable.is_empty()
            && self.undecided.is_empty()
            && self.left_out.is_empty()
            && self.not_compared == 0
    }
}

/// A request, as an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Its method.
    pub method: String,
    /// Its URL, escaped as a client writes it.
    pub url: String,
}

/// Two rules that match the same request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// Which.
    pub rules: [RuleName; 2],
    /// The methods that both are for.
    pub methods: Vec<String>,
    /// The shortest such request. The matcher has confirmed it.
    pub witness: Witness,
    /// How their patterns lie to each other.
    pub relation: Relation,
    /// Whether such a request also has to meet demands on headers or query parameters.
    pub conditional: bool,
    /// The rule that decides, by its priority; without one the answer is 500.
    pub decides: Option<RuleName>,
}

/// How two patterns lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// They match the same URLs.
    Same,
    /// The second matches whatever the first does.
    FirstWithinSecond,
    /// The first matches whatever the second does.
    SecondWithinFirst,
    /// Each matches something that the other does not.
    Partial,
    /// Not known.
    Unknown,
}

/// A rule that never decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shadowed {
    /// Which.
    pub rule: RuleName,
    /// The rule that matches whatever it matches.
    pub by: RuleName,
    /// Whether such requests are refused (500, several rules match); else the other rule decides.
    pub refused: bool,
}

/// A rule that no request reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreachable {
    /// Which.
    pub rule: RuleName,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// Two rules that might match the same request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undecided {
    /// Which.
    pub rules: [RuleName; 2],
    /// The methods that both are for.
    pub methods: Vec<String>,
}

/// A pattern whose URLs no rule is for with some methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uncovered {
    /// The pattern.
    pub pattern: String,
    /// The rules that have it.
    pub rules: Vec<RuleName>,
    /// The methods that they are for.
    pub covered: Vec<String>,
    /// The common methods that no rule is for on any URL of this pattern.
    pub missing: Vec<String>,
}

/// A rule that callers without credentials get through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Which.
    pub rule: RuleName,
    /// An example, where one is known.
    pub witness: Option<Witness>,
    /// The methods that the rule is for.
    pub methods: Vec<String>,
    /// The authenticator that takes such callers in, or `shadow mode`.
    pub by: String,
    /// The authorizers that are still asked about them, where there are any.
    pub authorizers: Vec<String>,
}

/// What a pattern costs to match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// The pattern.
    pub pattern: String,
    /// The rules that have it.
    pub rules: Vec<RuleName>,
    /// Whether it looks ahead, which no number of passes over the URL bounds; its steps are limited.
    pub looks_ahead: bool,
    /// How many places of it may be tried at each place of the URL: 0 for a plain comparison.
    pub branches: u32,
    /// The instructions of its expressions, which patterns share that have the same ones.
    pub instructions: usize,
    /// Whether nothing in the pattern tells which URLs it is worth trying on.
    pub always_tried: bool,
}
