//! Expressions that decide nothing.

use serde_json::Value;

use super::{Findings, codes};
use crate::{analysis::rule::Rule, authorize::is_constant};

pub(super) fn check(findings: &mut Findings, rule: &Rule) {
    for handler in rule.authorizers.iter().filter(|it| it.name == "cel") {
        let expression = handler.config.get("expression").and_then(Value::as_str);
        if expression.is_some_and(is_constant) {
            findings.add(
                codes::CONSTANT_EXPRESSION,
                rule.place(&format!("{}.config.expression", handler.path)),
                "the expression names no variable: it is the same for every request",
                "ask for something of the request or the caller, or use `allow` or `deny`",
            );
        }
    }
}
