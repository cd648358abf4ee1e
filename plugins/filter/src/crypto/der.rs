//! The little DER (ITU-T X.690) that a host wants: public keys as SubjectPublicKeyInfo (RFC 5280
//! section 4.1) and ECDSA signatures as `ECDSA-Sig-Value` (RFC 3279 section 2.2.3).

use jsonwebtoken::{DecodingKey, DecodingKeyKind};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `{ rsaEncryption, NULL }` (RFC 3279 section 2.3.1).
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// `{ id-ecPublicKey, prime256v1 }` (RFC 5480 section 2.1.1).
const EC_P256: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07,
];
/// `{ id-ecPublicKey, secp384r1 }`.
const EC_P384: [u8; 18] = [
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
    0x00, 0x22,
];

#[derive(Clone, Copy)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// Bytes of a coordinate, and of each half of a signature (RFC 7518 section 3.4).
    const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    const fn identifier(self) -> &'static [u8] {
        match self {
            Self::P256 => &EC_P256,
            Self::P384 => &EC_P384,
        }
    }
}

/// `None` if the key has no modulus and exponent to be read.
pub(super) fn rsa_public_key(key: &DecodingKey) -> Option<Vec<u8>> {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
        return None;
    };
    let numbers = [unsigned(n), unsigned(e)].concat();
    Some(subject_public_key(
        &RSA_ENCRYPTION,
        &element(SEQUENCE, &numbers),
    ))
}

/// `None` unless the key is an uncompressed point of the curve's size.
pub(super) fn ec_public_key(curve: Curve, key: &DecodingKey) -> Option<Vec<u8>> {
    const UNCOMPRESSED: u8 = 0x04;
    let point = key.try_get_as_bytes().ok()?;
    let (form, coordinates) = point.split_first()?;
    (*form == UNCOMPRESSED && coordinates.len() == curve.size().saturating_mul(2))
        .then(|| subject_public_key(curve.identifier(), point))
}

/// From JOSE's `r || s`. `None` unless both have the curve's size.
pub(super) fn ecdsa_signature(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(curve.size())?;
    (s.len() == curve.size()).then(|| element(SEQUENCE, &[unsigned(r), unsigned(s)].concat()))
}

fn subject_public_key(identifier: &[u8], key: &[u8]) -> Vec<u8> {
    const NO_UNUSED_BITS: u8 = 0;
    let bits = element(BIT_STRING, &[&[NO_UNUSED_BITS], key].concat());
    element(SEQUENCE, &[identifier, &bits].concat())
}

/// An INTEGER of a big-endian number. DER wants it as short as possible, and takes the first bit for
/// the sign.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(zeros..).unwrap_or_default();
    if number.first().is_none_or(|byte| *byte >= 0x80) {
        element(INTEGER, &[&[0], number].concat())
    } else {
        element(INTEGER, number)
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
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
    fn long_contents_have_long_lengths() {
        assert_eq!(element(4, &[0; 0x7f])[..2], [4, 0x7f]);
        assert_eq!(element(4, &[0; 0x80])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(4, &[0; 0x100])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn signatures_of_another_size_are_none() {
        for length in [0, 1, 32, 63, 65, 96] {
            assert!(ecdsa_signature(Curve::P256, &vec![1; length]).is_none());
        }
        assert_eq!(ecdsa_signature(Curve::P256, &[1; 64]).unwrap().len(), 70);
        assert_eq!(
            ecdsa_signature(Curve::P384, &[0xff; 96]).unwrap().len(),
            104
        );
    }
}
