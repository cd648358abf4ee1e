//! From the module's configuration to the engine's rules.
//!
//! Each rule becomes one rule of the engine, the first with the highest priority, and a default rule
//! that demands a token stands behind them all. What a value means is decided by the engine alone; a
//! mistake that it finds is told under the key that the operator wrote ([`Names`]).

mod issuer;
mod matching;
mod names;
mod rule;

use gatepost_policy::config::Section;
use serde_json::{Map, Value, json};

pub use names::Names;

use issuer::Issuer;
use rule::Rule;

/// The rule for requests that no other matches.
const DEFAULT: &str = "default";

/// How far a token's times may be off, unless somebody says otherwise: as much as Envoy allows.
const CLOCK_SKEW: &str = "60s";

/// The algorithms that are taken unless somebody says otherwise: all but the symmetric ones, whose key
/// everybody who checks tokens could make tokens with.
const ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];

/// The configuration in the engine's terms.
#[derive(Debug)]
pub struct Translation {
    /// The configuration tree.
    pub config: Value,
    /// The rules.
    pub rules: Value,
    /// What the operator calls the parts of both.
    pub names: Names,
}

/// What all rules have in common.
struct Common {
    issuers: Vec<Issuer>,
    /// Where tokens are looked for; `None` for `Authorization: Bearer`.
    token_from: Option<Value>,
    /// The extension keys of the engine's `jwt`, as far as they are the same for all rules.
    demands: Map<String, Value>,
    /// Its other keys, likewise.
    key_sets: Map<String, Value>,
    challenge: Value,
}

/// Keys of ours, and what the engine calls them.
const DEMANDS: &[(&str, &str)] = &[
    ("clock_skew", "leeway"),
    ("require_exp", "require_exp"),
    ("require_typ", "require_typ"),
    ("max_lifetime", "max_lifetime"),
    ("dpop", "dpop"),
    ("certificate_bound", "certificate_bound"),
];
const KEY_SETS: &[(&str, &str)] = &[("jwks_ttl", "jwks_ttl"), ("jwks_timeout", "jwks_max_wait")];

impl Translation {
    /// Reads what is left of the configuration once the keys that all modules share are read.
    /// Mistakes are noted with the section.
    #[must_use]
    pub fn read(mut section: Section<'_>) -> Self {
        let mut names = Names::default();
        let common = Common::read(&mut section);
        let shadow = section.bool("shadow", false);
        let entries = section.list("rules");
        let count = entries.len();
        let mut rules = Vec::with_capacity(count.saturating_add(1));
        let mut known = vec![DEFAULT.to_owned()];
        for (index, (place, entry)) in entries.into_iter().enumerate() {
            let mut section = Section::new(Some(&entry), place.clone(), section.errors());
            let number = index.saturating_add(1);
            let name = section.string("name");
            let name = name.unwrap_or_else(|| format!("rule-{number}"));
            if known.contains(&name) {
                section.wrong("name", format!("`{name}` is the name of another rule"));
            }
            let rule = Rule::read(section, &common.issuers);
            names.of_rule(&name, &place.path, &common, &rule);
            // Of several rules that match, the first one decides.
            let priority = count.saturating_sub(index);
            rules.push(rule.translated(&name, priority, &common));
            known.push(name);
        }
        let rest = Rule::requiring_a_token();
        names.of_rule(DEFAULT, "", &common, &rest);
        rules.push(rest.translated(DEFAULT, 0, &common));
        section.finish();
        Self {
            config: tree(shadow),
            rules: rules.into(),
            names,
        }
    }
}

/// The configuration tree: the handlers that the rules use, and how patterns are read.
fn tree(shadow: bool) -> Value {
    let on = json!({"enabled": true});
    json!({
        "access_rules": {"matching_strategy": "glob"},
        "authenticators": {"jwt": on, "noop": on},
        "authorizers": {"allow": on, "deny": on},
        "mutators": {"noop": on},
        "gatepost": {"shadow": shadow, "glob_separators": "/"},
    })
}

impl Common {
    fn read(section: &mut Section<'_>) -> Self {
        let issuers = Issuer::read_all(section);
        let mut demands = taken(section, DEMANDS);
        demands.entry("leeway").or_insert(CLOCK_SKEW.into());
        demands.entry("require_exp").or_insert(true.into());
        // Each issuer has keys of its own: one without a name can be nobody else's.
        demands.insert("allow_missing_kid".to_owned(), true.into());
        demands.insert("allow_missing_use".to_owned(), true.into());
        Self {
            issuers,
            token_from: section.value("token_from").cloned(),
            demands,
            key_sets: taken(section, KEY_SETS),
            challenge: section
                .value("challenge")
                .cloned()
                .unwrap_or_else(|| json!({})),
        }
    }
}

/// The values of keys of ours, by what the engine calls them.
fn taken(section: &mut Section<'_>, keys: &[(&'static str, &'static str)]) -> Map<String, Value> {
    let mut taken = Map::new();
    for (ours, engines) in keys {
        if let Some(value) = section.value(ours) {
            taken.insert((*engines).to_owned(), value.clone());
        }
    }
    taken
}
