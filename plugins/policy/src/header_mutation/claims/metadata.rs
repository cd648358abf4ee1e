//! Dynamic metadata: the claims of `envoy.config.core.v3.Metadata` in its protobuf encoding.
//!
//! Envoy would hand over single values too, but without their types: eight bytes may then be a name or
//! a number. Read here is as much as that message holds: `map<string, Struct>`, a `Struct` being a
//! `map<string, Value>`.

use serde_json::{Map, Number, Value};

/// How deep values may nest. The same bound as `serde_json` has.
const MAX_DEPTH: u8 = 128;

/// Longer than any metadata that filters leave.
const MAX_BYTES: usize = 1024 * 1024;

/// The bytes are not such a message, or it is too large.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The claims below `namespace`, and there below `key`; `None` where there are none.
pub(super) fn claims(
    metadata: &[u8],
    namespace: &str,
    key: Option<&str>,
) -> Result<Option<Map<String, Value>>, Malformed> {
    if metadata.len() > MAX_BYTES {
        return Err(Malformed);
    }
    let mut found = None;
    for (number, field) in fields(metadata) {
        // `filter_metadata`; the last of several entries for a key counts.
        if let (1, Field::Bytes(entry)) = (number, field?) {
            let (name, content) = pair(entry)?;
            if name == namespace.as_bytes() {
                found = Some(content);
            }
        }
    }
    let Some(found) = found else { return Ok(None) };
    let mut claims = structure(found, MAX_DEPTH)?;
    match key {
        None => Ok(Some(claims)),
        Some(key) => match claims.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(claims)) => Ok(Some(claims)),
            Some(_) => Err(Malformed),
        },
    }
}

/// An entry of a map: field 1 is the key, field 2 the message that is its value.
fn pair(entry: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let (mut key, mut value) = (&[][..], &[][..]);
    for (number, field) in fields(entry) {
        match (number, field?) {
            (1, Field::Bytes(bytes)) => key = bytes,
            (2, Field::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, value))
}

fn structure(bytes: &[u8], depth: u8) -> Result<Map<String, Value>, Malformed> {
    let mut members = Map::new();
    for (number, field) in fields(bytes) {
        if let (1, Field::Bytes(entry)) = (number, field?) {
            let (key, content) = pair(entry)?;
            members.insert(text(key)?, value(content, depth)?);
        }
    }
    Ok(members)
}

fn value(bytes: &[u8], depth: u8) -> Result<Value, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed)?;
    let mut value = Value::Null;
    for (number, field) in fields(bytes) {
        value = match (number, field?) {
            (2, Field::Fixed64(bits)) => double(f64::from_bits(bits)),
            (3, Field::Bytes(bytes)) => Value::String(text(bytes)?),
            (4, Field::Varint(bool)) => Value::Bool(bool != 0),
            (5, Field::Bytes(bytes)) => Value::Object(structure(bytes, depth)?),
            (6, Field::Bytes(bytes)) => Value::Array(list(bytes, depth)?),
            _ => Value::Null,
        };
    }
    Ok(value)
}

fn list(bytes: &[u8], depth: u8) -> Result<Vec<Value>, Malformed> {
    let mut items = Vec::new();
    for (number, field) in fields(bytes) {
        if let (1, Field::Bytes(item)) = (number, field?) {
            items.push(value(item, depth)?);
        }
    }
    Ok(items)
}

fn double(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn text(bytes: &[u8]) -> Result<String, Malformed> {
    str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| Malformed)
}

enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// The fields of a message with their numbers, up to the first that cannot be read.
fn fields(bytes: &[u8]) -> impl Iterator<Item = (u64, Result<Field<'_>, Malformed>)> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut next = rest;
        match field(&mut next) {
            Some((number, field)) => {
                rest = next;
                Some((number, Ok(field)))
            }
            None => {
                rest = &[];
                Some((0, Err(Malformed)))
            }
        }
    })
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = varint(rest)?;
    let field = match tag & 7 {
        0 => Field::Varint(varint(rest)?),
        1 => Field::Fixed64(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Field::Bytes(take(rest, length)?)
        }
        5 => {
            take(rest, 4)?;
            Field::Fixed32
        }
        _ => return None,
    };
    Some((tag >> 3, field))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64_u32).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128);
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    }

    fn entry(key: &str, value: &[u8]) -> Vec<u8> {
        bytes(1, &[bytes(1, key.as_bytes()), bytes(2, value)].concat())
    }

    fn string(text: &str) -> Vec<u8> {
        bytes(3, text.as_bytes())
    }

    #[test]
    fn values_keep_their_types() {
        let number = [&[2 << 3 | 1][..], &12.5_f64.to_le_bytes()].concat();
        let list = bytes(
            6,
            &[bytes(1, &string("a")), bytes(1, &[4 << 3, 1])].concat(),
        );
        let payload = [
            entry("sub", &string("ada")),
            entry("n", &number),
            entry("list", &list),
            entry("nul", &[1 << 3, 0]),
        ]
        .concat();
        let nested = bytes(5, &payload);
        let metadata = [
            entry(
                "other",
                &entry("claims", &bytes(5, &entry("sub", &string("eve")))),
            ),
            entry("jwt", &entry("claims", &nested)),
        ]
        .concat();
        let expected = json!({"sub": "ada", "n": 12.5, "list": ["a", true], "nul": null});
        let found = claims(&metadata, "jwt", Some("claims")).unwrap();
        assert_eq!(found.map(Value::Object), Some(expected));
        assert_eq!(claims(&metadata, "jwt", Some("else")), Ok(None));
        assert_eq!(claims(&metadata, "none", None), Ok(None));
    }

    #[test]
    fn what_is_no_such_message_is_refused() {
        for metadata in [
            &b"\x0a\x05ab"[..],
            b"\x0a",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x0b",
        ] {
            assert_eq!(
                claims(metadata, "jwt", None),
                Err(Malformed),
                "{metadata:?}"
            );
        }
        let claim = entry("jwt", &entry("claims", &string("text")));
        assert_eq!(claims(&claim, "jwt", Some("claims")), Err(Malformed));
        let text = entry("jwt", &entry("claims", &bytes(3, b"\xff")));
        assert_eq!(claims(&text, "jwt", Some("claims")), Err(Malformed));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let mut value = Vec::new();
        for _ in 0..200 {
            let mut length = Vec::new();
            let mut rest = value.len();
            while rest >= 128 {
                length.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            length.push(u8::try_from(rest).unwrap());
            let item = [&[1 << 3 | 2][..], &length, &value].concat();
            let mut outer = Vec::new();
            let mut rest = item.len();
            while rest >= 128 {
                outer.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            outer.push(u8::try_from(rest).unwrap());
            value = [&[6 << 3 | 2][..], &outer, &item].concat();
        }
        assert_eq!(super::value(&value, MAX_DEPTH), Err(Malformed));
    }
}
