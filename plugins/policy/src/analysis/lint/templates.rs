//! Templates whose output is not what it seems.

use serde_json::Value;

use super::{Findings, codes};
use crate::{
    analysis::{
        access,
        rule::{Handler, Rule},
    },
    config::Place,
    template::{RawOutput, Template},
};

pub(super) fn check(findings: &mut Findings, rule: &Rule) {
    let nobody = rule
        .authenticators
        .iter()
        .find(|it| access::decides_without(&it.name))
        .is_some_and(|it| it.name == "noop");
    for handler in rule.handlers() {
        for (key, text) in templates(handler) {
            let Ok(template) = Template::parse(text) else {
                continue;
            };
            let place = || rule.place(&format!("{}.config.{key}", handler.path));
            if nobody && template.reads(&["Subject"]) {
                findings.add(
                    codes::NO_CALLER,
                    place(),
                    "`.Subject` is empty for callers whom `noop` takes in",
                    "use `anonymous` instead of `noop`, which gives them a name",
                );
            }
            if is_json(&key) {
                for printed in template.raw_outputs() {
                    check_raw(findings, place(), &printed);
                }
            }
        }
    }
}

/// A value that lands in JSON. Within a string it is escaped; elsewhere it can be of any shape.
fn check_raw(findings: &mut Findings, place: Place, printed: &RawOutput) {
    let RawOutput { name, in_string } = printed;
    let remedy = format!("write `{{{{ {name} | toJson }}}}`, without quotes around it");
    if *in_string {
        findings.add(
            codes::OATHKEEPER_DIFFERS,
            place,
            format!("`{name}` is escaped here; Oathkeeper prints it as it is, and a `\"` in it ends the string"),
            format!("{remedy}: that is safe with both"),
        );
    } else {
        findings.add(
            codes::RAW_IN_JSON,
            place,
            format!("`{name}` is printed as it is, outside of a string: it can be any JSON"),
            remedy,
        );
    }
}

/// Whether what is rendered is read as JSON.
fn is_json(key: &str) -> bool {
    matches!(key, "claims" | "payload")
}

/// The handler's templates, with their keys.
fn templates(handler: &Handler) -> Vec<(String, &str)> {
    const SINGLE: &[&str] = &[
        "claims",
        "payload",
        "subject",
        "required_action",
        "required_resource",
    ];
    const MAPS: &[&str] = &["headers", "cookies"];
    if matches!(handler.name.as_str(), "anonymous" | "noop") {
        return Vec::new();
    }
    let single = SINGLE
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), handler.config.get(*key)?.as_str()?)));
    let maps = MAPS.iter().flat_map(|key| {
        let map = handler.config.get(*key).and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .filter_map(move |(name, value)| Some((format!("{key}.{name}"), value.as_str()?)))
    });
    single.chain(maps).collect()
}
