//! The messages of Envoy's foreign functions `verify_signature` and `sign`, in protocol buffers' wire
//! format: `VerifySignatureArguments`, `SignArguments` and their results.

/// Wire type of a number.
const VARINT: u64 = 0;
/// Wire type of strings and bytes.
const LENGTH_DELIMITED: u64 = 2;

/// Asks whether a signature is right. `public_key` and `signature` are DER.
pub(super) fn question(hash: &str, public_key: &[u8], signature: &[u8], text: &[u8]) -> Vec<u8> {
    message([hash.as_bytes(), public_key, signature, text])
}

/// Asks for a signature. `private_key` is PKCS #8.
pub(super) fn order(hash: &str, private_key: &[u8], text: &[u8]) -> Vec<u8> {
    message([hash.as_bytes(), private_key, text])
}

/// Fields numbered from one.
fn message<const N: usize>(fields: [&[u8]; N]) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, value) in (1..).zip(fields) {
        put_varint(&mut message, number << 3 | LENGTH_DELIMITED);
        put_varint(&mut message, u64::try_from(value.len()).unwrap_or_default());
        message.extend_from_slice(value);
    }
    message
}

/// Whether the host found the signature right; `None` if the answer cannot be read. What it says
/// about the reasons (field 2) is not looked at.
pub(super) fn answer(message: &[u8]) -> Option<bool> {
    read(message).map(|(result, _)| result)
}

/// The signature that the host made; `None` if it did not.
pub(super) fn signature(message: &[u8]) -> Option<&[u8]> {
    match read(message) {
        Some((true, Some(signature))) => Some(signature),
        _ => None,
    }
}

/// Fields 1, a number, and 2, bytes. A field is left out where it is false or empty, as all defaults
/// are; the last one counts where there are several.
fn read(mut message: &[u8]) -> Option<(bool, Option<&[u8]>)> {
    const RESULT: u64 = 1;
    const BYTES: u64 = 2;
    let (mut result, mut bytes) = (false, None);
    while !message.is_empty() {
        let tag = take_varint(&mut message)?;
        let value = take_varint(&mut message)?;
        match (tag >> 3, tag & 7) {
            (RESULT, VARINT) => result = value == 1,
            (_, VARINT) => {}
            (number, LENGTH_DELIMITED) => {
                let (content, rest) = message.split_at_checked(usize::try_from(value).ok()?)?;
                message = rest;
                if number == BYTES {
                    bytes = Some(content);
                }
            }
            _ => return None,
        }
    }
    Some((result, bytes))
}

fn put_varint(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(0x80 | low_bits(number));
        number >>= 7;
    }
    message.push(low_bits(number));
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

fn take_varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_its_four_fields() {
        let message = question("sha256", b"key", &[7; 300], b"");
        let mut expected = b"\x0a\x06sha256\x12\x03key\x1a\xac\x02".to_vec();
        expected.extend([7; 300]);
        expected.extend(b"\x22\x00");
        assert_eq!(message, expected);
    }

    #[test]
    fn an_order_has_its_three_fields() {
        let message = order("sha256", b"key", b"text");
        assert_eq!(message, b"\x0a\x06sha256\x12\x03key\x1a\x04text");
    }

    #[test]
    fn a_signature_counts_only_with_a_yes() {
        for (message, expected) in [
            (&b"\x08\x01\x12\x03abc"[..], Some(&b"abc"[..])),
            (b"\x12\x03abc\x08\x01\x1a\x02ok", Some(b"abc")),
            (b"\x12\x03abc", None),
            (b"\x08\x01", None),
            (b"\x08\x01\x1a\x03abc", None),
            (b"\x08\x01\x12\x04abc", None),
            (b"", None),
        ] {
            assert_eq!(signature(message), expected, "{message:?}");
        }
    }

    #[test]
    fn only_a_one_in_the_first_field_is_a_yes() {
        for (message, expected) in [
            (&b"\x08\x01"[..], Some(true)),
            (b"\x08\x01\x12\x02ok", Some(true)),
            (b"\x12\x02no\x08\x01", Some(true)),
            (b"", Some(false)),
            (b"\x08\x00", Some(false)),
            (b"\x08\x02", Some(false)),
            (b"\x08\x01\x08\x00", Some(false)),
            (b"\x12\x04\x08\x01\x08\x01", Some(false)),
            (b"\x10\x01", Some(false)),
            (b"\x08", None),
            (b"\x08\x01\x12\x09no", None),
            (b"\x09\x01\x00\x00\x00\x00\x00\x00\x00", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", None),
        ] {
            assert_eq!(answer(message), expected, "{message:?}");
        }
    }
}
