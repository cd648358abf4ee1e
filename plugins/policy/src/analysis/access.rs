//! What a caller without credentials reaches.

use serde_json::Value;

use super::{
    report::{Open, Witness},
    rule::{Handler, Rule},
};

/// The rule, if it takes in a caller who sends nothing: neither tokens nor cookies nor a
/// certificate.
pub(super) fn open(rule: &Rule, url: Option<&String>) -> Option<Open> {
    let (by, authorizers) = if rule.shadow {
        // What it refuses passes all the same.
        ("shadow mode".to_owned(), Vec::new())
    } else {
        (takes_in(rule)?, asked(rule)?)
    };
    let method = rule.methods.first()?;
    Some(Open {
        rule: rule.name.clone(),
        witness: url.map(|url| Witness {
            method: method.clone(),
            url: url.clone(),
        }),
        methods: rule.methods.clone(),
        by,
        authorizers,
    })
}

/// The authenticator that takes in such a caller.
fn takes_in(rule: &Rule) -> Option<String> {
    let mut authenticators = rule.authenticators.iter();
    let decides = authenticators.find(|it| decides_without(&it.name) && !goes_on(it))?;
    (decides.name != "unauthorized").then(|| decides.name.clone())
}

/// The authorizers that decide about such a caller; `None` where one always refuses.
fn asked(rule: &Rule) -> Option<Vec<String>> {
    let names = || rule.authorizers.iter().map(|it| it.name.clone());
    let refuses = names().any(|name| name == "deny");
    (!refuses).then(|| names().filter(|name| name != "allow").collect())
}

/// Whether it refuses and the next one is asked all the same.
fn goes_on(handler: &Handler) -> bool {
    handler.name == "unauthorized"
        && handler.extension.get("continue_on_failure") == Some(&Value::Bool(true))
}

/// Whether an authenticator settles who a caller is who sends no credentials. The others pass such
/// a caller on to the next one.
pub(super) fn decides_without(authenticator: &str) -> bool {
    matches!(authenticator, "noop" | "anonymous" | "unauthorized")
}
