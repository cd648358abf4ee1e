//! The little DER (ITU-T X.690) that keys and signatures are written in.

/// The tag of an INTEGER.
pub const INTEGER: u8 = 0x02;
/// The tag of a BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// The tag of an OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// The tag of a SEQUENCE.
pub const SEQUENCE: u8 = 0x30;

/// `{ rsaEncryption, NULL }` (RFC 3279 section 2.3.1).
pub const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// `{ id-ecPublicKey, prime256v1 }` (RFC 5480 section 2.1.1).
pub const EC_P256: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07,
];
/// `{ id-ecPublicKey, secp384r1 }`.
pub const EC_P384: [u8; 18] = [
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
    0x00, 0x22,
];
/// `{ id-Ed25519 }` (RFC 8410 section 3).
pub const ED25519: [u8; 7] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

/// An INTEGER of a big-endian number. DER wants it as short as possible, and takes the first bit for
/// the sign.
#[must_use]
pub fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(zeros..).unwrap_or_default();
    if number.first().is_none_or(|byte| *byte >= 0x80) {
        element(INTEGER, &[&[0], number].concat())
    } else {
        element(INTEGER, number)
    }
}

/// A tag, the content's length, the content.
#[must_use]
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    match length.get(zeros..).unwrap_or_default() {
        [] => element.push(0),
        [short @ ..0x80] => element.push(*short),
        long => {
            // A length has eight bytes at most.
            element.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}

/// The content of the element at the start of `der`, if it has this tag, and what follows it.
#[must_use]
pub fn content(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        short @ ..0x80 => (usize::from(*short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = bytes.iter().try_fold(0_usize, |length, byte| {
                length.checked_mul(0x100)?.checked_add(usize::from(*byte))
            })?;
            (length, rest)
        }
    };
    (*found == tag).then(|| rest.split_at_checked(length))?
}

/// A private key in the form of its `algorithm`, wrapped as PKCS #8 PrivateKeyInfo (RFC 5208
/// section 5).
#[must_use]
pub fn private_key_info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let key = element(OCTET_STRING, key);
    element(SEQUENCE, &[&unsigned(&[]), algorithm, &key].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_positive() {
        for (number, expected) in [
            (&[][..], &[2, 1, 0][..]),
            (&[0, 0], &[2, 1, 0]),
            (&[0, 1], &[2, 1, 1]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0, 0x80], &[2, 2, 0, 0x80]),
        ] {
            assert_eq!(unsigned(number), expected);
        }
    }

    #[test]
    fn what_was_written_is_read() {
        for length in [0, 0x7f, 0x80, 0x100] {
            let octets = vec![7; length];
            let mut der = element(OCTET_STRING, &octets);
            der.push(9);
            let (read, rest) = content(OCTET_STRING, &der).unwrap();
            assert_eq!((read, rest), (&*octets, &[9][..]));
            assert_eq!(content(SEQUENCE, &der), None);
        }
        for broken in [
            &[][..],
            &[4],
            &[4, 2, 1],
            &[4, 0x82, 1],
            &[4, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        ] {
            assert_eq!(content(OCTET_STRING, broken), None);
        }
    }

    #[test]
    fn long_contents_have_long_lengths() {
        assert_eq!(element(4, &[0; 0x7f])[..2], [4, 0x7f]);
        assert_eq!(element(4, &[0; 0x80])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(4, &[0; 0x100])[..4], [4, 0x82, 1, 0]);
    }
}
