//! JSON Schema (2020-12) of rule files and configurations, for editors and pipelines.
//!
//! The handlers' own configurations stand in `schema/handlers.json`, those of handlers that only we
//! have in `schema/extensions.json`, once; what holds them is made of that here. In a schema nothing of a
//! handler is required, since the configuration file may give what a rule leaves out.

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
    /// The configuration of the module `jwt-auth`.
    JwtAuth,
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
        // These have no handlers.
        Document::JwtAuth => return jwt_auth(),
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

/// What `jwt-auth` has in common with other modules and with the handlers that it is made of stands with
/// those.
fn jwt_auth() -> Value {
    let mut schema = read(include_str!("schema/jwt_auth.json"));
    let plugin = read(include_str!("schema/plugin.json"));
    let extensions = read(include_str!("schema/extensions.json"));
    let common = plugin.pointer("/properties").and_then(Value::as_object);
    if let Some(properties) = schema
        .pointer_mut("/properties")
        .and_then(Value::as_object_mut)
    {
        for (key, property) in common.into_iter().flatten() {
            if !ONLY_RULES.contains(&key.as_str()) {
                properties.insert(key.clone(), property.clone());
            }
        }
    }
    if let Some(definitions) = schema.pointer_mut("/$defs").and_then(Value::as_object_mut) {
        for (name, pointer) in [
            ("claims", "/authorizers/claims/properties/require"),
            ("client_ip", "/authorizers/cidr"),
        ] {
            let definition = extensions.pointer(pointer).cloned();
            definitions.insert(name.to_owned(), definition.unwrap_or_default());
        }
    }
    schema
}

/// The keys of `access-rules` that other modules do not have.
const ONLY_RULES: &[&str] = &["config", "rules", "jwks", "broken_rules"];

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
    let extensions = read(include_str!("schema/extensions.json"));
    for (stage, only_ours) in extensions.as_object().into_iter().flatten() {
        let only_ours = only_ours.as_object().cloned().unwrap_or_default();
        definitions.insert(
            format!("{stage}_extension_settings"),
            extension_settings(&only_ours),
        );
        let mut all = handlers
            .get(stage)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        all.extend(only_ours);
        definitions.insert(format!("{stage}_extension"), entry(&all));
    }
    definitions
}

/// The handlers of a stage that only we have, below `gatepost` of the configuration file.
fn extension_settings(handlers: &Map<String, Value>) -> Value {
    let setting = |config| {
        json!({
            "type": ["object", "null"],
            "description": "What rules say of it is laid over this.",
            "properties": {"config": config},
        })
    };
    let settings: Map<String, Value> = handlers
        .iter()
        .map(|(name, config)| (name.clone(), setting(config)))
        .collect();
    json!({
        "type": ["object", "null"],
        "description": "The handlers of this stage that only Gatepost has.",
        "properties": settings,
        "additionalProperties": false,
    })
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
        let extensions = read(include_str!("schema/extensions.json"));
        for (file, handlers, stage, names) in [
            (
                "handlers",
                &handlers,
                "authenticators",
                Authenticator::NAMES,
            ),
            ("handlers", &handlers, "authorizers", Authorizer::NAMES),
            ("handlers", &handlers, "mutators", Mutator::NAMES),
            ("handlers", &handlers, "errors", ErrorHandler::NAMES),
            (
                "extensions",
                &extensions,
                "authenticators",
                Authenticator::EXTENSIONS,
            ),
            (
                "extensions",
                &extensions,
                "authorizers",
                Authorizer::EXTENSIONS,
            ),
            ("extensions", &extensions, "mutators", Mutator::EXTENSIONS),
        ] {
            for name in names {
                let handler = &handlers[stage][name];
                assert!(
                    handler["description"].is_string(),
                    "{stage}.{name}: describe its configuration in analysis/schema/{file}.json"
                );
            }
            assert_eq!(
                handlers[stage].as_object().map(Map::len),
                Some(names.len()),
                "{stage}"
            );
        }
    }

    #[test]
    fn every_part_is_read() {
        for document in [Document::Rules, Document::Config, Document::Plugin] {
            let schema = schema(document);
            assert!(schema["title"].is_string() && schema["$defs"]["mutators"].is_object());
        }
        assert!(schema(Document::Plugin)["$defs"]["rules"]["items"].is_object());
        let jwt_auth = schema(Document::JwtAuth);
        assert_eq!(jwt_auth["$defs"]["claims"]["type"], "array");
        assert_eq!(
            jwt_auth["$defs"]["client_ip"]["additionalProperties"],
            false
        );
        assert!(jwt_auth["properties"]["log_decisions"].is_object());
    }
}
