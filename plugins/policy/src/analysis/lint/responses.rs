//! How refusals are answered.

use serde_json::Value;

use super::{Findings, codes};
use crate::analysis::rule::{Handler, Rule};

pub(super) fn check(findings: &mut Findings, rule: &Rule) {
    for (at, first) in rule.errors.iter().enumerate() {
        for second in rule.errors.iter().skip(at.saturating_add(1)) {
            both(findings, rule, first, second);
        }
        if first.config.get("verbose") == Some(&Value::Bool(true)) {
            findings.add(
                codes::VERBOSE_ERRORS,
                rule.place(&format!("{}.config.verbose", first.path)),
                "refusals tell the client their reason",
                "leave `verbose` out where clients are not trusted",
            );
        }
        differences(findings, rule, first);
    }
}

/// How far two conditions are from both holding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Apart {
    /// Nothing keeps them apart.
    No,
    /// Only a client that names two media types meets both.
    ByMediaType,
    /// No refusal meets both.
    Yes,
}

fn both(findings: &mut Findings, rule: &Rule, first: &Handler, second: &Handler) {
    let nearest = conditions(first)
        .iter()
        .flat_map(|a| conditions(second).into_iter().map(|b| apart(a, &b)))
        .min();
    let place = || rule.place(&format!("{}.config.when", second.path));
    let remedy = "tell them apart by `when[].error`, or leave one to `errors.fallback`";
    match nearest {
        Some(Apart::No) => findings.add(
            codes::BOTH_ANSWER,
            place(),
            format!("`{}` and `{}` both match some refusals, which are then answered with 500", first.name, second.name),
            remedy,
        ),
        Some(Apart::ByMediaType) => findings.add(
            codes::BOTH_MAY_ANSWER,
            place(),
            format!("a client that accepts both media types is answered with 500, for `{}` and `{}` match", first.name, second.name),
            remedy,
        ),
        Some(Apart::Yes) | None => {}
    }
}

/// The alternatives of `when`; none at all is one that always holds.
fn conditions(handler: &Handler) -> Vec<Value> {
    match handler.config.get("when").and_then(Value::as_array) {
        Some(conditions) if !conditions.is_empty() => conditions.clone(),
        _ => vec![Value::Null],
    }
}

fn apart(a: &Value, b: &Value) -> Apart {
    let differ = |path: &str| {
        let list = |value: &Value| -> Vec<String> {
            let list = value.pointer(path).and_then(Value::as_array);
            let texts = list.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let (a, b) = (list(a), list(b));
        let covers = |a: &String, b: &String| {
            a == b || a == "*/*" || a.strip_suffix('*').is_some_and(|kind| b.starts_with(kind))
        };
        let meet = a
            .iter()
            .any(|a| b.iter().any(|b| covers(a, b) || covers(b, a)));
        !a.is_empty() && !b.is_empty() && !meet
    };
    if differ("/error") {
        Apart::Yes
    } else if differ("/request/header/accept") || differ("/request/header/content_type") {
        Apart::ByMediaType
    } else {
        Apart::No
    }
}

fn differences(findings: &mut Findings, rule: &Rule, handler: &Handler) {
    for (index, condition) in conditions(handler).iter().enumerate() {
        let request = condition.get("request");
        for (key, there) in [
            ("cidr", "has no effect there"),
            ("remote_ip", "is refused there, together with the rule"),
        ] {
            if request.is_some_and(|request| request.get(key).is_some()) {
                let path = format!("{}.config.when[{index}].request.{key}", handler.path);
                findings.add(
                    codes::OATHKEEPER_DIFFERS,
                    rule.place(&path),
                    format!("works here; in Oathkeeper it {there}"),
                    "mind it as long as Oathkeeper reads this file too",
                );
            }
        }
    }
}
