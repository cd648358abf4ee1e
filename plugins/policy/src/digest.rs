//! Hashes, by what they are used for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// The SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The HMAC-SHA-256 (RFC 2104) of `parts` under `key`. Each part is preceded by its length, so that
/// no two lists of parts are one message.
pub(crate) fn keyed(key: &Hash, parts: &[&[u8]]) -> Hash {
    // HMAC fills a short key up with zeros to the hash's block; done here, nothing can fail.
    let mut block = [0; 64];
    for (filled, byte) in block.iter_mut().zip(key) {
        *filled = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A hash from its 64 hexadecimal digits.
pub(crate) fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    for byte in &mut hash {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from((high << 4) | low).ok()?;
    }
    digits.next().is_none().then_some(hash)
}

/// `bytes` in base64url without padding (RFC 4648 section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyed_hash_is_hmac_over_lengths_and_parts() {
        let expected = aws_lc_rs::hmac::sign(
            &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[7; 32]),
            b"\0\0\0\0\0\0\0\x01a",
        );
        assert_eq!(keyed(&[7; 32], &[b"a"]), expected.as_ref());
    }

    #[test]
    fn t26_where_a_part_ends_matters() {
        let key = [7; 32];
        assert_ne!(keyed(&key, &[b"ab", b"c"]), keyed(&key, &[b"a", b"bc"]));
        assert_ne!(keyed(&key, &[b"ab"]), keyed(&key, &[b"ab", b""]));
        assert_ne!(keyed(&key, &[b"ab"]), keyed(&[8; 32], &[b"ab"]));
    }
}
