//! JSON Schema (2020-12) of rule files and configurations, for editors and pipelines.
//!
//! The handlers' own configurations stand in `schema/handlers.json`, once; what holds them is made
//! of that here. In a schema nothing of a handler is required, since the configuration file may give
//! what a rule leaves out.

use serde_json::{Map, Value, json};

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// A file of access rules.
    Rules,
    /// Oathkeeper's configuration file.
    Config,
    /// The configuration of the module `access-rules`.
    Plugin,
    /// The configuration of the module `header-mutation`.
    HeaderMutation,
}

/// The schema of `document`.
#[must_use]
pub fn schema(document: Document) -> Value {
    let mut schema = match document {
        Document::Rules => read(include_str!("schema/rules.json")),
        Document::Config => read(include_str!("schema/config.json")),
        Document::Plugin => read(include_str!("schema/plugin.json")),
        // Has no handlers.
        Document::HeaderMutation => return read(include_str!("schema/header_mutation.json")),
    };
    let mut definitions = handlers();
    if document == Document::Plugin {
        for (name, part) in [("rules", Document::Rules), ("config", Document::Config)] {
            let mut part = self::schema(part);
            if let Some(part) = part.as_object_mut() {
                part.remove("$schema");
                part.remove("$defs");
            }
            definitions.insert(name.to_owned(), part);
        }
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$defs".to_owned(), definitions.into());
    }
    schema
}

/// Entries of rules and of the configuration, by stage.
fn handlers() -> Map<String, Value> {
    let handlers = read(include_str!("schema/handlers.json"));
    let mut definitions = Map::new();
    for (stage, handlers) in handlers.as_object().into_iter().flatten() {
        let handlers = handlers.as_object().cloned().unwrap_or_default();
        let settings: Map<String, Value> = handlers
            .iter()
            .map(|(name, config)| (name.clone(), setting(config)))
            .collect();
        definitions.insert(
            format!("{stage}_settings"),
            json!({
                "type": ["object", "null"],
                "description": "The handlers of this stage that rules may use.",
                "properties": settings,
            }),
        );
        definitions.insert(stage.clone(), entry(&handlers));
    }
    definitions.insert("entry".to_owned(), any_entry());
    definitions
}

/// A handler in the configuration file.
fn setting(config: &Value) -> Value {
    json!({
        "type": ["object", "null"],
        "description": config.get("description"),
        "properties": {
            "enabled": {"type": "boolean", "default": false, "description": "Whether rules may use it."},
            "config": config,
            "gatepost": {"type": ["object", "null"], "description": "What Oathkeeper does not have."},
        },
        "additionalProperties": false,
    })
}

/// A handler in a rule, one of `handlers`.
fn entry(handlers: &Map<String, Value>) -> Value {
    let names: Vec<Value> = handlers
        .iter()
        .map(|(name, config)| json!({"const": name, "description": config.get("description")}))
        .collect();
    let configs: Vec<Value> = handlers
        .iter()
        .map(|(name, config)| {
            json!({
                "if": {"required": ["handler"], "properties": {"handler": {"const": name}}},
                "then": {"properties": {"config": config}},
            })
        })
        .collect();
    let mut entry = any_entry();
    if let Some(handler) = entry.pointer_mut("/properties/handler") {
        *handler = json!({"description": "Which handler.", "anyOf": names});
    }
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("allOf".to_owned(), configs.into());
    }
    entry
}

fn any_entry() -> Value {
    json!({
        "type": "object",
        "required": ["handler"],
        "properties": {
            "handler": {"type": "string", "description": "Which handler."},
            "config": {
                "type": ["object", "null"],
                "description": "Laid over what the configuration file says of the handler.",
            },
            "gatepost": {
                "type": ["object", "null"],
                "description": "What Oathkeeper does not have.",
                "properties": {
                    "continue_on_failure": {
                        "type": "boolean",
                        "default": false,
                        "description": "Ask the next authenticator where this one refuses.",
                    },
                },
            },
        },
    })
}

/// The files are part of the program; a broken one is found by the tests.
fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authenticate::Authenticator, authorize::Authorizer, mutate::Mutator, on_error::ErrorHandler,
    };

    #[test]
    fn every_handler_has_a_schema() {
        let handlers = read(include_str!("schema/handlers.json"));
        for (stage, names) in [
            ("authenticators", Authenticator::NAMES),
            ("authorizers", Authorizer::NAMES),
            ("mutators", Mutator::NAMES),
            ("errors", ErrorHandler::NAMES),
        ] {
            for name in names {
                let handler = &handlers[stage][name];
                assert!(
                    handler["description"].is_string(),
                    "{stage}.{name}: describe its configuration in analysis/schema/handlers.json"
                );
            }
        }
    }

    #[test]
    fn every_part_is_read() {
        for document in [Document::Rules, Document::Config, Document::Plugin] {
            let schema = schema(document);
            assert!(schema["title"].is_string() && schema["$defs"]["mutators"].is_object());
        }
        assert!(schema(Document::Plugin)["$defs"]["rules"]["items"].is_object());
    }
}
