//! The little DER (ITU-T X.690) that a host wants: public keys as SubjectPublicKeyInfo (RFC 5280
//! section 4.1) and ECDSA signatures as `ECDSA-Sig-Value` (RFC 3279 section 2.2.3).

use gatepost_policy::jose::der::{
    BIT_STRING, EC_P256, EC_P384, INTEGER, RSA_ENCRYPTION, SEQUENCE, element, unsigned,
};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};

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

/// To JOSE's `r || s`. `None` unless it is two numbers of at most the curve's size, and nothing else.
pub(super) fn joined(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    let (numbers, rest) = content(SEQUENCE, signature)?;
    let (r, numbers) = content(INTEGER, numbers)?;
    let (s, end) = content(INTEGER, numbers)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut joined = Vec::new();
    for number in [r, s] {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let number = number.get(zeros..)?;
        let missing = curve.size().checked_sub(number.len())?;
        joined.extend(std::iter::repeat_n(0, missing));
        joined.extend_from_slice(number);
    }
    Some(joined)
}

/// The content of the element that `der` begins with, and what follows it. Signatures are short: no
/// length takes more than one byte after its first.
fn content(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = match rest.split_first()? {
        (length @ ..=0x7f, rest) => (length, rest),
        (0x81, rest) => rest.split_first()?,
        _ => return None,
    };
    (*found == tag).then(|| rest.split_at_checked(usize::from(*length)))?
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_was_joined_is_split_and_joined_again() {
        for (curve, size) in [(Curve::P256, 32), (Curve::P384, 48)] {
            for (r, s) in [(1, 1), (0x7f, 0x80), (0xff, 0)] {
                let mut halves = vec![r; size];
                halves.extend(vec![s; size]);
                let der = ecdsa_signature(curve, &halves).unwrap();
                assert_eq!(joined(curve, &der).unwrap(), halves);
                for end in 0..der.len() {
                    assert_eq!(joined(curve, &der[..end]), None);
                }
                assert_eq!(joined(curve, &[&der[..], b"x"].concat()), None);
            }
        }
        let long = ecdsa_signature(Curve::P384, &[1; 96]).unwrap();
        assert_eq!(joined(Curve::P256, &long), None);
    }
}
