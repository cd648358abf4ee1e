//! Values as Envoy hands them to a module.

use std::collections::BTreeMap;

use serde_json::Value;

/// An attribute's value: text as it is, whole numbers in eight bytes, `true` and `false` in one.
#[must_use]
pub fn attribute(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        Value::Bool(bool) => vec![u8::from(*bool)],
        other => other.as_i64().unwrap_or_default().to_le_bytes().to_vec(),
    }
}

/// The message `envoy.config.core.v3.Metadata` in its protobuf encoding.
#[must_use]
pub fn metadata(namespaces: &BTreeMap<String, Value>) -> Vec<u8> {
    let entries = namespaces.iter();
    entries
        .flat_map(|(name, value)| entry(name, &members(value)))
        .collect()
}

/// `google.protobuf.Struct`.
fn members(value: &Value) -> Vec<u8> {
    let members = value.as_object().into_iter().flatten();
    members
        .flat_map(|(name, value)| entry(name, &encode(value)))
        .collect()
}

/// An entry of a map, which is field 1.
fn entry(key: &str, value: &[u8]) -> Vec<u8> {
    field(1, &[field(1, key.as_bytes()), field(2, value)].concat())
}

/// `google.protobuf.Value`.
fn encode(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => vec![1 << 3, 0],
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            [&[2 << 3 | 1][..], &number.to_le_bytes()].concat()
        }
        Value::String(text) => field(3, text.as_bytes()),
        Value::Bool(bool) => vec![4 << 3, u8::from(*bool)],
        Value::Object(_) => field(5, &members(value)),
        Value::Array(items) => {
            let items: Vec<u8> = items.iter().flat_map(|it| field(1, &encode(it))).collect();
            field(6, &items)
        }
    }
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 0x7f {
        bytes.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap_or_default());
    bytes.extend(content);
    bytes
}
