//! The JSON Schema that traits obey, compiled once.
//!
//! A schema is a draft-07 document whose `properties.traits` describes the traits. The keyword `ory.sh/kratos` on a
//! trait says what it is for; so far `credentials.password.identifier` is read: sign in with this trait's value.

use jsonschema::Validator;
use serde_json::Value;

use crate::flows::node::InputType;

/// The schemas that identities may have.
#[derive(Debug)]
pub struct Schemas {
    all: Vec<IdentitySchema>,
    default_id: String,
}

impl Schemas {
    /// Only the built-in schema: an e-mail address to sign in with, and optionally a name.
    ///
    /// # Errors
    /// None in practice: a test compiles the built-in document.
    pub fn built_in() -> Result<Self, SchemaError> {
        let document = serde_json::from_str(include_str!("schema/default.json"))
            .map_err(|error| SchemaError::new("default", &error.to_string()))?;
        Self::new(
            vec![IdentitySchema::compile("default", document)?],
            "default",
        )
    }

    /// These schemas, of which `default_id` is used where a request names none.
    ///
    /// # Errors
    /// When `default_id` is not among them.
    pub fn new(all: Vec<IdentitySchema>, default_id: &str) -> Result<Self, SchemaError> {
        if !all.iter().any(|schema| schema.id == default_id) {
            return Err(SchemaError::new(
                default_id,
                "it is the default schema but is not listed",
            ));
        }
        Ok(Self {
            all,
            default_id: default_id.to_owned(),
        })
    }

    /// The schema with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&IdentitySchema> {
        self.all.iter().find(|schema| schema.id == id)
    }

    /// The id of the schema for new identities.
    #[must_use]
    pub fn default_id(&self) -> &str {
        &self.default_id
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &IdentitySchema> {
        self.all.iter()
    }
}

/// A schema document that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("identity schema `{id}`: {reason}")]
pub struct SchemaError {
    id: String,
    reason: String,
}

impl SchemaError {
    fn new(id: &str, reason: &str) -> Self {
        Self {
            id: id.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// One schema, ready to use.
#[derive(Debug)]
pub struct IdentitySchema {
    id: String,
    document: Value,
    validator: Validator,
    traits: Vec<TraitSpec>,
}

/// What a schema says about one trait that is not an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraitSpec {
    /// Where it is below the traits, for example `["name", "first"]`.
    pub path: Vec<String>,
    /// What JSON type its value has.
    pub kind: TraitKind,
    /// Which input asks for it.
    pub input: InputType,
    /// The browser's autofill hint that goes with the input.
    pub autocomplete: Option<&'static str>,
    /// What to call it.
    pub title: Option<String>,
    /// Whether it has to be there.
    pub required: bool,
    /// Whether somebody signs in with its value and a password.
    pub is_password_identifier: bool,
}

/// The JSON types that a trait can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraitKind {
    /// A string.
    Text,
    /// A number with or without a fraction.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A list or something else that a form cannot ask for.
    Other,
}

impl TraitSpec {
    /// The form field, for example `traits.name.first`.
    #[must_use]
    pub fn field(&self) -> String {
        format!("traits.{}", self.path.join("."))
    }

    /// The trait's value in `traits`.
    #[must_use]
    pub fn value_in<'a>(&self, traits: &'a Value) -> Option<&'a Value> {
        self.path
            .iter()
            .try_fold(traits, |value, key| value.get(key))
    }
}

impl IdentitySchema {
    /// Compiles a document.
    ///
    /// # Errors
    /// [`SchemaError`] names the schema.
    pub fn compile(id: &str, document: Value) -> Result<Self, SchemaError> {
        let fail = |reason: &str| SchemaError::new(id, reason);
        let traits_schema = document
            .pointer("/properties/traits")
            .ok_or_else(|| fail("it has no `properties.traits`"))?;
        let mut traits = Vec::new();
        collect(traits_schema, &mut Vec::new(), true, &mut traits);
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(true)
            .build(&document)
            .map_err(|error| fail(&error.to_string()))?;
        Ok(Self {
            id: id.to_owned(),
            validator,
            traits,
            document,
        })
    }

    /// Its name in configuration and in `schema_id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The document as written.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The traits that are not objects, in the document's order.
    #[must_use]
    pub fn traits(&self) -> &[TraitSpec] {
        &self.traits
    }

    pub(super) fn validator(&self) -> &Validator {
        &self.validator
    }
}

/// How deep traits may be nested; documents come from the operator, so this only stops mistakes.
const MAX_DEPTH: usize = 8;

fn collect(schema: &Value, path: &mut Vec<String>, required: bool, found: &mut Vec<TraitSpec>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        if path.len() >= MAX_DEPTH {
            return;
        }
        for (name, child) in properties {
            path.push(name.clone());
            collect(child, path, required && requires(schema, name), found);
            path.pop();
        }
    } else if !path.is_empty() {
        found.push(spec(schema, path, required));
    }
}

fn requires(schema: &Value, name: &str) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|n| n == name))
}

fn spec(schema: &Value, path: &[String], required: bool) -> TraitSpec {
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("string") => TraitKind::Text,
        Some("number") => TraitKind::Number,
        Some("integer") => TraitKind::Integer,
        Some("boolean") => TraitKind::Boolean,
        _ => TraitKind::Other,
    };
    let (input, autocomplete) = input(schema, kind, path);
    TraitSpec {
        path: path.to_vec(),
        kind,
        input,
        autocomplete,
        title: schema
            .get("title")
            .and_then(Value::as_str)
            .map(str::to_owned),
        required,
        is_password_identifier: schema.pointer("/ory.sh~1kratos/credentials/password/identifier")
            == Some(&Value::Bool(true)),
    }
}

fn input(schema: &Value, kind: TraitKind, path: &[String]) -> (InputType, Option<&'static str>) {
    match kind {
        TraitKind::Number | TraitKind::Integer => (InputType::Number, None),
        TraitKind::Boolean => (InputType::Checkbox, None),
        TraitKind::Text | TraitKind::Other => match schema.get("format").and_then(Value::as_str) {
            Some("email") => (InputType::Email, Some("email")),
            Some("tel") => (InputType::Tel, Some("tel")),
            Some("uri") => (InputType::Url, Some("url")),
            Some("date") => (InputType::Date, None),
            Some("date-time") => (InputType::DateTimeLocal, None),
            _ if path.last().is_some_and(|name| name == "password") => (InputType::Password, None),
            _ => (InputType::Text, None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_built_in_schema_signs_in_by_email_and_asks_for_a_name() {
        let schemas = Schemas::built_in().unwrap();
        let schema = schemas.get(schemas.default_id()).unwrap();
        let fields: Vec<_> = schema
            .traits()
            .iter()
            .map(|t| (t.field(), t.required, t.is_password_identifier))
            .collect();
        assert_eq!(
            fields,
            [
                ("traits.email".to_owned(), true, true),
                ("traits.name".to_owned(), false, false)
            ]
        );
        assert_eq!(schema.traits()[0].input, InputType::Email);
    }

    #[test]
    fn nested_traits_are_asked_for_by_their_path() {
        let schema = IdentitySchema::compile(
            "custom",
            json!({"properties": {"traits": {"properties": {
                "name": {"properties": {"first": {"type": "string"}}, "required": ["first"]},
                "age": {"type": "integer"}, "news": {"type": "boolean"}}}}}),
        )
        .unwrap();
        let inputs: Vec<_> = schema
            .traits()
            .iter()
            .map(|t| (t.field(), t.input))
            .collect();
        assert!(inputs.contains(&("traits.name.first".to_owned(), InputType::Text)));
        assert!(inputs.contains(&("traits.age".to_owned(), InputType::Number)));
        assert!(inputs.contains(&("traits.news".to_owned(), InputType::Checkbox)));
        // `name` itself is optional, so nothing below it can be demanded by the form.
        assert!(schema.traits().iter().all(|t| !t.required));
    }

    #[test]
    fn a_document_without_traits_is_refused_by_name() {
        let error = IdentitySchema::compile("empty", json!({})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "identity schema `empty`: it has no `properties.traits`"
        );
    }
}
