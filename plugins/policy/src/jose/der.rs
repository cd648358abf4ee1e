//! The little DER (X.690) that an RSA public key needs: `jsonwebtoken` lets a provider see a key's
//! bytes, but not a modulus and an exponent apart, and the host that verifies wants DER anyway.

/// `RSAPublicKey` (RFC 8017 appendix A.1.1) of a modulus and an exponent, both big-endian and
/// without leading zero bytes.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    let mut numbers = unsigned(modulus);
    numbers.extend(unsigned(exponent));
    tagged(SEQUENCE, &numbers)
}

/// An INTEGER: signed in DER, so a leading one bit needs a zero byte before it.
fn unsigned(number: &[u8]) -> Vec<u8> {
    const INTEGER: u8 = 0x02;
    let mut content = Vec::with_capacity(number.len().saturating_add(1));
    if number.first().is_none_or(|byte| *byte >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(number);
    tagged(INTEGER, &content)
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let length = length.get(zeros..).unwrap_or_default();
    match (length, u8::try_from(length.len())) {
        ([], _) => element.push(0),
        ([short @ ..0x80], _) => element.push(*short),
        (long, Ok(count)) => {
            element.push(0x80 | count);
            element.extend_from_slice(long);
        }
        // A `usize` has eight bytes at most.
        (_, Err(_)) => {}
    }
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_positive() {
        assert_eq!(
            rsa_public_key(&[0x80], &[3]),
            [0x30, 7, 2, 2, 0, 0x80, 2, 1, 3]
        );
    }

    #[test]
    fn long_contents_have_long_lengths() {
        assert_eq!(tagged(4, &[0; 0x7f])[..2], [4, 0x7f]);
        assert_eq!(tagged(4, &[0; 0x80])[..3], [4, 0x81, 0x80]);
        assert_eq!(tagged(4, &[0; 0x100])[..4], [4, 0x82, 1, 0]);
    }
}
