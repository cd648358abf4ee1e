//! Rules written for older versions of Oathkeeper, brought up to date.
//!
//! A rule's `version` says for which release it was written. Its handlers' configuration then means
//! what it meant there (`oathkeeper.md` section 1.4).

use semver::{Prerelease, Version};
use serde_json::{Map, Value, json};

/// The version that a rule names, with or without a leading `v`; `None` where it names none.
///
/// # Errors
/// If it is not a version (SemVer 2.0).
pub(crate) fn version(rule: &Value) -> Result<Option<Version>, String> {
    let Some(named) = member(rule, "version").filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let wrong = || format!("{named} is not a version; write it like \"v0.40.9\", or leave it out");
    let text = named.as_str().ok_or_else(wrong)?;
    if text.is_empty() {
        return Ok(None);
    }
    Version::parse(text.strip_prefix('v').unwrap_or(text))
        .map(Some)
        .map_err(|_| wrong())
}

/// Rewrites what has changed its form since `version`.
pub(crate) fn migrate(rule: &mut Value, version: &Version) {
    if *version <= retry_in_numbers() {
        for entry in handlers(rule, "mutators", "hydrator") {
            retry(entry);
        }
    }
    if *version <= Version::new(0, 37, 0) {
        for entry in authorizers(rule, "keto_engine_acp_ory") {
            groups(entry);
        }
    }
}

/// The last version whose hydrator counted its tries: 0.32.0-beta.1.
fn retry_in_numbers() -> Version {
    Version {
        pre: Prerelease::new("beta.1").unwrap_or(Prerelease::EMPTY),
        ..Version::new(0, 32, 0)
    }
}

/// `delay_in_milliseconds` and `number_of_retries` became `max_delay` and `give_up_after`.
fn retry(config: &mut Map<String, Value>) {
    let Some(retry) = config
        .get_mut("api")
        .and_then(|api| api.get_mut("retry"))
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let delay = retry.remove("delay_in_milliseconds");
    let tries = retry.remove("number_of_retries");
    let millis = delay.as_ref().and_then(Value::as_u64).unwrap_or(100);
    if delay.is_some() {
        retry.insert("max_delay".to_owned(), json!(format!("{millis}ms")));
    }
    if let Some(tries) = tries.as_ref().and_then(Value::as_u64) {
        let budget = millis.saturating_mul(tries);
        retry.insert("give_up_after".to_owned(), json!(format!("{budget}ms")));
    }
}

/// `$2` meant the second capture group.
fn groups(config: &mut Map<String, Value>) {
    for key in ["required_action", "required_resource"] {
        if let Some(Value::String(text)) = config.get_mut(key) {
            *text = with_templates(text);
        }
    }
}

fn with_templates(text: &str) -> String {
    let mut rewritten = String::new();
    let mut parts = text.split('$');
    rewritten.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at_checked(digits).unwrap_or(("", part));
        match number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)) {
            Some(group) => {
                let group =
                    format!("{{{{ printIndex .MatchContext.RegexpCaptureGroups {group} }}}}");
                rewritten.push_str(&group);
                rewritten.push_str(rest);
            }
            None => {
                rewritten.push('$');
                rewritten.push_str(part);
            }
        }
    }
    rewritten
}

/// The configurations of the handlers `name` in a list of the rule.
fn handlers<'r>(
    rule: &'r mut Value,
    stage: &'static str,
    name: &'static str,
) -> impl Iterator<Item = &'r mut Map<String, Value>> {
    member_mut(rule, stage)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(move |entry| config_of(entry, name))
}

/// The same for the authorizer, of which there is one.
fn authorizers<'r>(
    rule: &'r mut Value,
    name: &'static str,
) -> impl Iterator<Item = &'r mut Map<String, Value>> {
    member_mut(rule, "authorizer")
        .into_iter()
        .filter_map(move |entry| config_of(entry, name))
}

fn config_of<'e>(entry: &'e mut Value, name: &str) -> Option<&'e mut Map<String, Value>> {
    let is_it = member(entry, "handler").and_then(Value::as_str) == Some(name);
    is_it
        .then(|| member_mut(entry, "config"))?
        .and_then(Value::as_object_mut)
}

/// Keys of a rule have no case.
fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let mut members = value.as_object()?.iter();
    members
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

fn member_mut<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    let mut members = value.as_object_mut()?.iter_mut();
    members
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated(mut rule: Value) -> Value {
        if let Ok(Some(version)) = version(&rule) {
            migrate(&mut rule, &version);
        }
        rule
    }

    fn hydrator(version: &str, retry: &Value) -> Value {
        json!({"version": version, "mutators": [
            {"handler": "noop"},
            {"handler": "hydrator", "config": {"api": {"url": "http://h/", "retry": retry}}},
        ]})
    }

    #[test]
    fn l07_a_hydrators_tries_become_times() {
        let old = json!({"delay_in_milliseconds": 500, "number_of_retries": 5});
        let new = json!({"max_delay": "500ms", "give_up_after": "2500ms"});
        for version in ["v0.30.0", "0.30.0", "v0.32.0-beta.1"] {
            let rule = migrated(hydrator(version, &old));
            assert_eq!(
                rule["mutators"][1]["config"]["api"]["retry"], new,
                "{version}"
            );
        }
        let kept = migrated(hydrator("v0.32.0", &old));
        assert_eq!(kept["mutators"][1]["config"]["api"]["retry"], old);
        let only_tries = migrated(hydrator("v0.30.0", &json!({"number_of_retries": 3})));
        assert_eq!(
            only_tries["mutators"][1]["config"]["api"]["retry"],
            json!({"give_up_after": "300ms"})
        );
    }

    #[test]
    fn l08_numbered_groups_become_templates() {
        let rule = |version: &str| {
            migrated(json!({"Version": version, "Authorizer": {
                "handler": "keto_engine_acp_ory",
                "config": {"required_action": "a:$2", "required_resource": "cost: $x $0 $1$12!"},
            }}))
        };
        let config = &rule("v0.33.0")["Authorizer"]["config"];
        let group =
            |n: usize| format!("{{{{ printIndex .MatchContext.RegexpCaptureGroups {n} }}}}");
        assert_eq!(config["required_action"], format!("a:{}", group(1)));
        assert_eq!(
            config["required_resource"],
            format!("cost: $x $0 {}{}!", group(0), group(11))
        );
        assert_eq!(
            rule("v0.38.0")["Authorizer"]["config"]["required_action"],
            "a:$2"
        );
    }

    #[test]
    fn l09_what_is_no_version_is_an_error() {
        for bad in [json!("42"), json!("latest"), json!(1), json!("v1.2")] {
            assert!(version(&json!({"version": bad})).is_err(), "{bad}");
        }
        for none in [json!({}), json!({"version": ""}), json!({"version": null})] {
            assert_eq!(version(&none), Ok(None));
        }
    }
}
