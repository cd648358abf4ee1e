//! What the operator calls what the engine complains of.

use gatepost_policy::{ConfigError, config::Place};

use super::{
    Common, DEMANDS, KEY_SETS, issuer,
    rule::{self, Access, Rule},
};

/// Where the parts of the engine's rules come from.
#[derive(Debug, Default)]
pub struct Names(Vec<Name>);

#[derive(Debug)]
struct Name {
    /// A rule of the engine.
    rule: String,
    /// The place in that rule.
    engines: String,
    /// The place in the module's configuration.
    ours: String,
}

impl Names {
    /// Notes where the parts of a rule come from, which itself stands at `path`.
    pub(super) fn of_rule(&mut self, rule: &str, path: &str, common: &Common, of: &Rule) {
        let mut note = |engines: String, ours: String| {
            self.0.push(Name {
                rule: rule.to_owned(),
                engines,
                ours,
            });
        };
        note(String::new(), path.to_owned());
        note("match.url".to_owned(), format!("{path}.match"));
        note("gatepost.match".to_owned(), format!("{path}.match"));
        note("gatepost.challenge".to_owned(), "challenge".to_owned());
        let Access::Token(require) = &of.access else {
            return;
        };
        let (config, extension) = ("authenticators[0].config", "authenticators[0].gatepost");
        note(format!("{extension}.token_from"), "token_from".to_owned());
        for (ours, engines) in KEY_SETS {
            note(format!("{config}.{engines}"), (*ours).to_owned());
        }
        for (ours, engines) in DEMANDS {
            note(format!("{extension}.{engines}"), (*ours).to_owned());
        }
        for (ours, engines) in rule::CONFIG {
            note(
                format!("{config}.{engines}"),
                format!("{path}.require.{ours}"),
            );
        }
        for (ours, engines) in rule::DEMANDS {
            note(
                format!("{extension}.{engines}"),
                format!("{path}.require.{ours}"),
            );
        }
        for (number, (key, _)) in require.authorizers.iter().enumerate() {
            let engines = format!("gatepost.authorizers[{number}].config");
            note(
                format!("{engines}.require"),
                format!("{path}.require.{key}"),
            );
            note(engines, format!("{path}.require.{key}"));
        }
        for (number, listed) in require.issuers(common).into_iter().enumerate() {
            let Some(issuer) = common.issuers.get(listed) else {
                continue;
            };
            let engines = format!("{extension}.issuers[{number}]");
            for (ours, of_issuer) in issuer::KEYS {
                note(
                    format!("{engines}.{of_issuer}"),
                    format!("{}.{ours}", issuer.path),
                );
            }
            note(engines, issuer.path.clone());
        }
        let headers = common.issuers.iter().flat_map(|issuer| &issuer.headers);
        for (number, (ours, _)) in headers.enumerate() {
            note(
                format!("gatepost.mutators[0].config.headers[{number}]"),
                ours.clone(),
            );
        }
    }

    /// The errors with their places as the operator knows them. What all rules have in common is
    /// complained of once.
    #[must_use]
    pub fn in_the_users_terms(&self, errors: &[ConfigError]) -> Vec<ConfigError> {
        let mut told: Vec<ConfigError> = Vec::new();
        for error in errors {
            let error = ConfigError {
                place: self.place(&error.place),
                message: error.message.clone(),
            };
            if !told.contains(&error) {
                told.push(error);
            }
        }
        told
    }

    fn place(&self, place: &Place) -> Place {
        let of_rule = self
            .0
            .iter()
            .filter(|name| Some(name.rule.as_str()) == place.rule.as_deref());
        let longest = of_rule
            .filter_map(|name| Some((name, below(&place.path, &name.engines)?)))
            .max_by_key(|(name, _)| name.engines.len());
        let path = match longest {
            // A rule as a whole: what is wrong in it has no key of ours.
            Some((name, _)) if name.engines.is_empty() => name.ours.clone(),
            Some((name, rest)) => format!("{}{rest}", name.ours),
            None => place.path.clone(),
        };
        Place {
            path,
            ..Place::default()
        }
    }
}

/// What of `path` is below `prefix`.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    let is_below = prefix.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']);
    is_below.then_some(rest)
}
