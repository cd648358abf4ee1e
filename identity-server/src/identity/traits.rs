//! Traits as submitted, checked against their schema.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

use super::identifier;
use super::schema::{IdentitySchema, TraitKind};
use crate::flows::message::{self, Message};

/// Something that is wrong with a trait.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitProblem {
    /// The form field, for example `traits.email`; `None` if it is about the traits as a whole.
    pub field: Option<String>,
    /// What to tell the user.
    pub message: Message,
}

/// Gives the strings of a form the types that the schema asks for, and leaves empty ones out.
///
/// A form cannot say "absent": an empty optional input is an empty string. JSON bodies do not pass through here.
pub fn coerce_form_values(schema: &IdentitySchema, traits: &mut Value) {
    for spec in schema.traits() {
        let Some(Value::String(text)) = spec.value_in(traits) else {
            continue;
        };
        let typed = match spec.kind {
            _ if text.is_empty() => None,
            TraitKind::Number | TraitKind::Integer => Some(number(text)),
            TraitKind::Boolean => Some(boolean(text)),
            TraitKind::Text | TraitKind::Other => continue,
        };
        replace(traits, &spec.path, typed);
    }
}

/// What is wrong with `traits`; nothing if the list is empty.
#[must_use]
pub fn problems(schema: &IdentitySchema, traits: &Value) -> Vec<TraitProblem> {
    let instance = json!({ "traits": traits });
    let mut found: Vec<TraitProblem> = schema
        .validator()
        .iter_errors(&instance)
        .take(MAX_PROBLEMS)
        .map(|error| problem(&error))
        .collect();
    for spec in schema
        .traits()
        .iter()
        .filter(|spec| spec.is_password_identifier)
    {
        let Some(value) = spec.value_in(traits).and_then(Value::as_str) else {
            continue;
        };
        let field = Some(spec.field());
        if found.iter().any(|problem| problem.field == field) {
            continue;
        }
        let is_email = spec.input == crate::flows::node::InputType::Email;
        if identifier::canonical(value).is_none()
            || (is_email && !identifier::is_plain_email(value.trim()))
        {
            found.push(TraitProblem {
                field,
                message: message::not_an_email(value),
            });
        }
    }
    found
}

/// The canonical identifiers that these traits give a password credential, without repetition.
#[must_use]
pub fn password_identifiers(schema: &IdentitySchema, traits: &Value) -> Vec<String> {
    let mut identifiers: Vec<String> = schema
        .traits()
        .iter()
        .filter(|spec| spec.is_password_identifier)
        .filter_map(|spec| spec.value_in(traits)?.as_str())
        .filter_map(identifier::canonical)
        .collect();
    identifiers.sort();
    identifiers.dedup();
    identifiers
}

/// More would not help anybody, and each is answered and stored.
const MAX_PROBLEMS: usize = 20;

/// The longest field name and reason, for the same cause.
const MAX_REASON: usize = 200;

fn problem(error: &ValidationError<'_>) -> TraitProblem {
    let pointer = error.instance_path().as_str();
    let field = pointer
        .strip_prefix('/')
        .map(|path| path.replace('/', "."))
        .filter(|path| path != "traits" && path.len() <= MAX_REASON);
    let length = || {
        error
            .instance()
            .as_str()
            .map_or(0, |text| text.chars().count())
    };
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let parent = pointer.trim_start_matches('/').replace('/', ".");
            let field = if parent.is_empty() {
                name.to_owned()
            } else {
                format!("{parent}.{name}")
            };
            return TraitProblem {
                field: Some(field),
                message: message::required(name),
            };
        }
        ValidationErrorKind::MinLength { limit } => message::too_short(*limit, length()),
        ValidationErrorKind::MaxLength { limit } => message::too_long(*limit, length()),
        ValidationErrorKind::Pattern { pattern } => message::pattern_mismatch(pattern),
        ValidationErrorKind::Format { format } if format == "email" => {
            message::not_an_email(error.instance().as_str().unwrap_or_default())
        }
        ValidationErrorKind::Type { kind } => {
            message::wrong_type(&kind_name(kind), type_name(error.instance()))
        }
        _ => message::invalid(&reason(error)),
    };
    TraitProblem { field, message }
}

/// The validator's words without values; but they do name the properties that a client made up.
fn reason(error: &ValidationError<'_>) -> String {
    let words = error.masked().to_string();
    match words.char_indices().nth(MAX_REASON) {
        None => words,
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
    }
}

fn kind_name(kind: &jsonschema::error::TypeKind) -> String {
    match kind {
        jsonschema::error::TypeKind::Single(kind) => kind.to_string(),
        jsonschema::error::TypeKind::Multiple(kinds) => kinds
            .iter()
            .map(|kind| kind.to_string())
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What is not a number stays text, so that the schema can complain about it.
fn number(text: &str) -> Value {
    serde_json::from_str::<serde_json::Number>(text.trim())
        .map_or_else(|_| Value::from(text), Value::Number)
}

fn boolean(text: &str) -> Value {
    match text {
        "true" | "on" | "1" => Value::Bool(true),
        "false" | "off" | "0" => Value::Bool(false),
        other => Value::from(other),
    }
}

/// Puts `value` (or nothing) where `path` leads, if all but its last step exist.
fn replace(traits: &mut Value, path: &[String], value: Option<Value>) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let parent: Option<&mut Map<String, Value>> = parents
        .iter()
        .try_fold(traits, |value, key| value.get_mut(key))
        .and_then(Value::as_object_mut);
    let Some(parent) = parent else { return };
    match value {
        Some(value) => parent.insert(last.clone(), value),
        None => parent.remove(last),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::schema::Schemas;

    fn found(traits: &Value) -> Vec<(Option<String>, u32)> {
        let schemas = Schemas::built_in().unwrap();
        problems(schemas.get("default").unwrap(), traits)
            .into_iter()
            .map(|p| (p.field, p.message.id))
            .collect()
    }

    #[test]
    fn good_traits_have_no_problems() {
        assert_eq!(found(&json!({"email": "a@example.com", "name": "A"})), []);
        assert_eq!(found(&json!({"email": "a@example.com"})), []);
    }

    #[test]
    fn each_problem_is_placed_on_its_field() {
        assert_eq!(
            found(&json!({})),
            [(Some("traits.email".into()), 4_000_002)]
        );
        assert_eq!(
            found(&json!({"email": "nonsense"})),
            [(Some("traits.email".into()), 4_000_001)]
        );
        assert_eq!(
            found(&json!({"email": 5})),
            [(Some("traits.email".into()), 4_000_026)]
        );
        let long = "n".repeat(201);
        assert_eq!(
            found(&json!({"email": "a@example.com", "name": long})),
            [(Some("traits.name".into()), 4_000_017)]
        );
        assert_eq!(
            found(&json!({"email": "a@example.com", "admin": true})),
            [(None, 4_000_001)]
        );
        assert_eq!(found(&json!("no object")), [(None, 4_000_026)]);
    }

    #[test]
    fn made_up_properties_do_not_fill_the_messages() {
        let schemas = Schemas::built_in().unwrap();
        let many: Map<String, Value> = (0..500)
            .map(|number| (format!("{number}{}", "é".repeat(200)), Value::Null))
            .collect();
        let found = problems(schemas.get("default").unwrap(), &Value::Object(many));
        let stored: usize = found
            .iter()
            .map(|p| serde_json::to_string(&p.message).unwrap().len())
            .sum();
        assert!(stored < 4096, "{stored}");
    }

    #[test]
    fn an_address_that_can_be_read_two_ways_is_no_identifier() {
        assert_eq!(
            found(&json!({"email": "\"a@evil\"@good.com"})),
            [(Some("traits.email".into()), 4_000_001)]
        );
    }

    #[test]
    fn a_form_becomes_typed_and_loses_its_empty_inputs() {
        let schema = IdentitySchema::compile(
            "custom",
            json!({"properties": {"traits": {"properties": {"age": {"type": "integer"},
                "news": {"type": "boolean"}, "name": {"properties": {"first": {"type": "string"}}}}}}}),
        )
        .unwrap();
        let mut traits = json!({"age": "41", "news": "on", "name": {"first": ""}});
        coerce_form_values(&schema, &mut traits);
        assert_eq!(traits, json!({"age": 41, "news": true, "name": {}}));
    }

    #[test]
    fn identifiers_are_canonical() {
        let schemas = Schemas::built_in().unwrap();
        let traits = json!({"email": " Alice@Example.com"});
        assert_eq!(
            password_identifiers(schemas.get("default").unwrap(), &traits),
            ["alice@example.com"]
        );
    }
}
