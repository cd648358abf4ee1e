//! Reading rule and configuration files: JSON, or YAML where the feature `yaml` is on.

use serde_json::Value;

use crate::config::{ConfigError, Place};

/// Reads the content of `file`. What is valid JSON is JSON, whatever the file is called; all else
/// is YAML, as in Oathkeeper. An empty file is `null`: no rules, no configuration.
///
/// # Errors
/// The first place where the file is neither, with its line.
pub fn parse(file: &str, content: &[u8]) -> Result<Value, ConfigError> {
    let wrong = |message: String| ConfigError {
        place: Place {
            file: Some(file.into()),
            ..Place::default()
        },
        message,
    };
    let text = std::str::from_utf8(content)
        .map_err(|error| wrong(format!("is not UTF-8 after byte {}", error.valid_up_to())))?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) if cfg!(not(feature = "yaml")) || looks_like_json(text) => {
            Err(wrong(format!("is not JSON: {error}")))
        }
        Err(_) => yaml(text).map_err(wrong),
    }
}

/// YAML's flow style looks like JSON too, but whoever begins with a bracket meant JSON, and a YAML
/// parser's complaint about it would mislead.
fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{'])
}

#[cfg(feature = "yaml")]
fn yaml(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| format!("is neither JSON nor YAML: {error}"))
}

#[cfg(not(feature = "yaml"))]
fn yaml(_: &str) -> Result<Value, String> {
    Err("is not JSON".to_owned())
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn l05_the_content_tells_the_format() {
        let rules = json!([{"id": "one", "match": {"methods": ["GET"]}}]);
        let yaml = b"- id: one\n  match:\n    methods: [GET]\n";
        assert_eq!(parse("rules.json", yaml).unwrap(), rules);
        assert_eq!(
            parse("rules.yaml", rules.to_string().as_bytes()).unwrap(),
            rules
        );
        assert_eq!(parse("rules.yaml", b" \n").unwrap(), Value::Null);
    }

    #[test]
    fn a_broken_file_is_named_with_its_line() {
        let json = parse("rules.json", b"[\n  {\"id\": }\n]")
            .unwrap_err()
            .to_string();
        assert!(
            json.contains("`rules.json`") && json.contains("line 2"),
            "{json}"
        );
        let yaml = parse("rules.yaml", b"a: b: c\n").unwrap_err().to_string();
        assert!(yaml.contains("`rules.yaml`"), "{yaml}");
        assert!(parse("rules.json", b"\xff").is_err());
    }
}
