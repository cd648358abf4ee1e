//! The messages of Envoy's foreign function `verify_signature`, in protocol buffers' wire format:
//! `VerifySignatureArguments` and `VerifySignatureResult`.

/// Wire type of a number.
const VARINT: u64 = 0;
/// Wire type of strings and bytes.
const LENGTH_DELIMITED: u64 = 2;

/// `public_key` and `signature` are DER.
pub(super) fn question(hash: &str, public_key: &[u8], signature: &[u8], text: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, value) in (1..).zip([hash.as_bytes(), public_key, signature, text]) {
        put_varint(&mut message, number << 3 | LENGTH_DELIMITED);
        put_varint(&mut message, u64::try_from(value.len()).unwrap_or_default());
        message.extend_from_slice(value);
    }
    message
}

/// Whether the host found the signature right; `None` if the answer cannot be read. What it says
/// about the reasons (field 2) is not looked at. The field is left out where it is false, as all
/// defaults are; the last one counts where there are several.
pub(super) fn answer(mut message: &[u8]) -> Option<bool> {
    const RESULT: u64 = 1;
    let mut result = false;
    while !message.is_empty() {
        let tag = take_varint(&mut message)?;
        let value = take_varint(&mut message)?;
        match (tag >> 3, tag & 7) {
            (RESULT, VARINT) => result = value == 1,
            (_, VARINT) => {}
            (_, LENGTH_DELIMITED) => message = message.get(usize::try_from(value).ok()?..)?,
            _ => return None,
        }
    }
    Some(result)
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
