//! `rules`: what the requests that match must present.

use gatepost_policy::config::Section;
use serde_json::{Map, Value, json};

use super::{Common, issuer::Issuer, matching::Matching};

/// A rule.
pub(super) struct Rule {
    /// `None` for the default rule.
    matching: Option<Matching>,
    pub(super) access: Access,
}

/// Who gets through.
pub(super) enum Access {
    /// Everybody; tokens are not looked at.
    Public,
    /// Nobody.
    Deny,
    /// Who presents a token like this.
    Token(Box<Require>),
}

/// What a token must be like.
#[derive(Default)]
pub(super) struct Require {
    /// Of these issuers alone, by their place in the list; `None` for all.
    issuers: Option<Vec<usize>>,
    audiences: Option<Value>,
    allow_missing: bool,
    /// The keys of the engine's `jwt` for this rule: scopes and how they are compared.
    config: Map<String, Value>,
    /// Its extension keys for this rule.
    demands: Map<String, Value>,
    /// The engine's further authorizers, with the key that each comes from.
    pub(super) authorizers: Vec<(&'static str, Value)>,
}

/// Keys of ours, and what the engine calls them.
pub(super) const CONFIG: &[(&str, &str)] = &[
    ("scopes", "required_scope"),
    ("scope_strategy", "scope_strategy"),
];
pub(super) const DEMANDS: &[(&str, &str)] = &[("acr_values", "acr_values"), ("max_age", "max_age")];

impl Rule {
    /// Reads it. Mistakes are noted with the section.
    pub(super) fn read(mut section: Section<'_>, issuers: &[Issuer]) -> Self {
        if section.value("match").is_none() {
            section.wrong("match", "is required: which requests the rule is for");
        }
        let matching = Matching::read(section.section("match"));
        let public = section.bool("public", false);
        let deny = section.bool("deny", false);
        let requires = section.value("require").is_some();
        if [public, deny, requires].iter().filter(|is| **is).count() > 1 {
            let message = "`public`, `deny` and `require` exclude each other";
            section.errors().add(section.place().clone(), message);
        }
        let access = match (public, deny) {
            (true, _) => Access::Public,
            (_, true) => Access::Deny,
            _ => Access::Token(Box::new(Require::read(section.section("require"), issuers))),
        };
        section.finish();
        Self {
            matching: Some(matching),
            access,
        }
    }

    /// The default rule: a token of any issuer.
    pub(super) fn requiring_a_token() -> Self {
        Self {
            matching: None,
            access: Access::Token(Box::default()),
        }
    }

    /// It, as a rule of the engine.
    pub(super) fn translated(&self, name: &str, priority: usize, common: &Common) -> Value {
        let mut extension = Map::new();
        extension.insert("priority".to_owned(), priority.into());
        extension.insert("challenge".to_owned(), common.challenge.clone());
        let mut rule = Map::new();
        rule.insert("id".to_owned(), name.into());
        match &self.matching {
            Some(matching) => {
                rule.insert("match".to_owned(), matching.rule());
                extension.insert("match".to_owned(), matching.extension());
            }
            None => drop(extension.insert("default".to_owned(), true.into())),
        }
        let handler = |name: &str| json!({"handler": name});
        let (authenticators, authorizer, mutators) = match &self.access {
            Access::Public => (json!([handler("noop")]), "allow", json!([handler("noop")])),
            Access::Deny => (json!([handler("noop")]), "deny", json!([handler("noop")])),
            Access::Token(require) => {
                let further: Vec<&Value> = require.authorizers.iter().map(|(_, it)| it).collect();
                extension.insert("authorizers".to_owned(), json!(further));
                extension.insert("mutators".to_owned(), json!([require.mutator(common)]));
                (
                    require.authenticators(common),
                    "allow",
                    json!([handler("noop")]),
                )
            }
        };
        rule.insert("authenticators".to_owned(), authenticators);
        rule.insert("authorizer".to_owned(), handler(authorizer));
        rule.insert("mutators".to_owned(), mutators);
        rule.insert("gatepost".to_owned(), extension.into());
        rule.into()
    }
}

impl Require {
    fn read(mut section: Section<'_>, issuers: &[Issuer]) -> Self {
        let named = section.strings("issuers");
        let issuers = named.map(|named| numbers(&section, &named, issuers));
        let audiences = section.value("audiences").cloned();
        let allow_missing = section.bool("allow_missing", false);
        let mut config = super::taken(&mut section, CONFIG);
        config.entry("scope_strategy").or_insert("exact".into());
        let demands = super::taken(&mut section, DEMANDS);
        let mut authorizers = Vec::new();
        if let Some(claims) = section.value("claims") {
            let entry = json!({"handler": "claims", "config": {"require": claims}});
            authorizers.push(("claims", entry));
        }
        if let Some(networks) = section.value("client_ip") {
            authorizers.push(("client_ip", json!({"handler": "cidr", "config": networks})));
        }
        let demanding = config.contains_key("required_scope")
            || !demands.is_empty()
            || authorizers.iter().any(|(key, _)| *key == "claims");
        if allow_missing && demanding {
            let message = "lets requests without a token through, which have no scopes, claims or \
                           sign-in to require; leave it out, or require none of them";
            section.wrong("allow_missing", message);
        }
        section.finish();
        Self {
            issuers,
            audiences,
            allow_missing,
            config,
            demands,
            authorizers,
        }
    }

    /// The numbers of the issuers whose tokens are taken.
    pub(super) fn issuers(&self, common: &Common) -> Vec<usize> {
        match &self.issuers {
            Some(numbers) => numbers.clone(),
            None => (0..common.issuers.len()).collect(),
        }
    }

    fn authenticators(&self, common: &Common) -> Value {
        let issuers: Vec<Value> = self
            .issuers(common)
            .iter()
            .filter_map(|number| common.issuers.get(*number))
            .map(|issuer| issuer.entry(self.audiences.as_ref()))
            .collect();
        let mut extension = common.demands.clone();
        extension.extend(self.demands.clone());
        extension.insert("issuers".to_owned(), issuers.into());
        // What stands where a token belongs is no reason to let a request pass as one without.
        extension.insert("any_token".to_owned(), true.into());
        if let Some(places) = &common.token_from {
            extension.insert("token_from".to_owned(), places.clone());
        }
        let mut config = common.key_sets.clone();
        config.extend(self.config.clone());
        let jwt = json!({"handler": "jwt", "config": config, "gatepost": extension});
        match self.allow_missing {
            true => json!([jwt, {"handler": "noop"}]),
            false => json!([jwt]),
        }
    }

    /// What the upstream is told of the token.
    fn mutator(&self, common: &Common) -> Value {
        let headers: Vec<&Value> = common
            .issuers
            .iter()
            .flat_map(|issuer| issuer.headers.iter().map(|(_, header)| header))
            .collect();
        let kept: Vec<&str> = common
            .issuers
            .iter()
            .filter(|issuer| !issuer.forward)
            .map(|issuer| issuer.issuer.as_str())
            .collect();
        let mut config = json!({"headers": headers, "keep_from_upstream": kept});
        if let (Some(places), Some(config)) = (&common.token_from, config.as_object_mut()) {
            config.insert("token_from".to_owned(), places.clone());
        }
        json!({"handler": "token_headers", "config": config})
    }
}

fn numbers(section: &Section<'_>, named: &[String], issuers: &[Issuer]) -> Vec<usize> {
    if named.is_empty() {
        section.wrong("issuers", "names no issuer; leave it out for all of them");
    }
    let mut numbers = Vec::new();
    for name in named {
        match issuers.iter().position(|issuer| issuer.name == *name) {
            Some(number) => numbers.push(number),
            None => {
                let known: Vec<_> = issuers.iter().map(|it| format!("`{}`", it.name)).collect();
                let message = format!("`{name}` is none of {}", known.join(", "));
                section.wrong("issuers", message);
            }
        }
    }
    numbers
}
