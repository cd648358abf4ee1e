//! The path as it is sent on: the one that was matched, written as the client wrote it where that
//! makes no difference.

use super::{
    Cleaning, Reading,
    clean::{Segment, escape, is_path_byte, is_unreserved, segments, with_slashes},
};

/// Rewrites `raw` so that every reader finds `matched` in it.
///
/// A `raw` that does not stand for `matched` is not used at all: what was matched goes upstream.
pub(super) fn path(raw: &[u8], matched: &str, reading: Reading) -> String {
    let mut path = String::with_capacity(raw.len());
    let raw = &*with_slashes(raw, reading);
    match segments(raw, reading) {
        Ok(segments) if stand_for(&segments, matched) => {
            for segment in &segments {
                path.push('/');
                push_normalised(&mut path, segment.raw);
            }
            let drops_slash = reading.cleaning == Cleaning::V26 && names_directory(raw);
            if path.is_empty() || drops_slash {
                path.push('/');
            }
        }
        _ => matched.bytes().for_each(|byte| push_byte(&mut path, byte)),
    }
    path
}

fn stand_for(segments: &[Segment<'_>], matched: &str) -> bool {
    if segments.is_empty() {
        return matched == "/";
    }
    let mut rest = matched;
    for segment in segments {
        let after = rest
            .strip_prefix('/')
            .and_then(|rest| rest.strip_prefix(&*segment.decoded));
        let Some(after) = after else { return false };
        rest = after;
    }
    rest.is_empty()
}

/// Whether the path ends in `/`, or in a dot segment, which leaves a `/` behind when it is resolved
/// (RFC 3986 section 5.2.4).
fn names_directory(raw: &[u8]) -> bool {
    let last = raw.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut decoded = String::new();
    push_normalised(&mut decoded, last);
    matches!(decoded.as_str(), "" | "." | "..")
}

/// RFC 3986 section 6.2.2: unreserved characters bare, all other escapes kept, in upper case.
///
/// Escapes of reserved characters stay: `a%3Bb` and `a;b` match alike, but to an upstream that
/// knows parameters only the second has one.
fn push_normalised(path: &mut String, segment: &[u8]) {
    let mut rest = segment;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, escape(after)) {
            (b'%', Some((value, after))) => {
                rest = after;
                if is_unreserved(value) {
                    path.push(char::from(value));
                } else {
                    push_escape(path, value);
                }
            }
            _ => push_byte(path, *byte),
        }
    }
}

fn push_byte(path: &mut String, byte: u8) {
    if byte == b'/' || is_path_byte(byte) {
        path.push(char::from(byte));
    } else {
        push_escape(path, byte);
    }
}

fn push_escape(path: &mut String, byte: u8) {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    path.push('%');
    path.push(digit(byte >> 4).to_ascii_uppercase());
    path.push(digit(byte & 0xf).to_ascii_uppercase());
}
