//! Base32 (RFC 4648 section 6), padded.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters for each started group of five bytes.
const GROUP: usize = 8;

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for group in bytes.chunks(5) {
        let padded = (0..5).map(|at| group.get(at).copied().unwrap_or(0));
        let bits = padded.fold(0_u64, |bits, byte| bits.wrapping_shl(8) | u64::from(byte));
        let used = group.len().saturating_mul(8).div_ceil(5);
        for at in 0..GROUP {
            let shift =
                u32::try_from(at).map_or(0, |at| 35_u32.saturating_sub(at.saturating_mul(5)));
            let index = usize::try_from(bits.wrapping_shr(shift) & 31).unwrap_or(0);
            let letter = ALPHABET.get(index).filter(|_| at < used);
            text.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    text
}

/// `None` for what is not base32.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=');
    let padding = text.len().saturating_sub(letters.len());
    let last = letters.len().wrapping_rem(GROUP);
    let whole = matches!((last, padding), (0, 0) | (2, 6) | (4, 4) | (5, 3) | (7, 1));
    if !whole {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len());
    for group in letters.as_bytes().chunks(GROUP) {
        let mut bits = 0_u64;
        for at in 0..GROUP {
            let value = match group.get(at) {
                Some(letter) => ALPHABET.iter().position(|known| known == letter)?,
                None => 0,
            };
            bits = bits.wrapping_shl(5) | u64::try_from(value).ok()?;
        }
        let count = group.len().saturating_mul(5).wrapping_div(8);
        bytes.extend(bits.to_be_bytes().into_iter().skip(3).take(count));
    }
    Some(bytes)
}
