//! The path as it is matched: decoded once, without dot segments, repeated or trailing slashes.

use std::borrow::Cow;

use super::{BadUrl, EncodedSlashes, MAX_PATH_BYTES, Reading};

/// The canonical form of `raw`, a request's path without its query.
pub(super) fn path(raw: &[u8], reading: Reading) -> Result<String, BadUrl> {
    check_bounds(raw)?;
    if is_plain(raw) {
        return into_text(reading.trimmed(raw)).map(Cow::into_owned);
    }
    let raw = with_slashes(raw, reading);
    let segments = segments(&raw, reading)?;
    if segments.is_empty() {
        return Ok("/".to_owned());
    }
    let mut path = String::with_capacity(raw.len());
    for segment in segments {
        path.push('/');
        path.push_str(&segment.decoded);
    }
    Ok(path)
}

/// Whether `raw` needs no work but [`Reading::trimmed`]: nothing escaped or in need of it, no repeated
/// slash, nothing that might be a dot segment. Most requests take this lane.
pub(super) fn is_plain(raw: &[u8]) -> bool {
    let mut after_slash = false;
    for byte in raw {
        let plain = match byte {
            b'/' | b'.' => !after_slash,
            b';' => false,
            _ => is_path_byte(*byte),
        };
        if !plain {
            return false;
        }
        after_slash = *byte == b'/';
    }
    raw.first() == Some(&b'/')
}

/// Unreserved characters, sub-delimiters, `:` and `@`: what a segment may hold unescaped (RFC 3986
/// section 3.3).
pub(super) fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte)
}

/// Characters whose escape means the same as the character (RFC 3986 section 2.3).
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// One segment that is left when the path is resolved.
pub(super) struct Segment<'r> {
    /// As the client sent it.
    pub(super) raw: &'r [u8],
    /// What it stands for.
    pub(super) decoded: Cow<'r, str>,
}

/// The path with slashes for `%2F`, where that is what they stand for.
pub(super) fn with_slashes(raw: &[u8], reading: Reading) -> Cow<'_, [u8]> {
    let decodes = reading.encoded_slashes == EncodedSlashes::Decode;
    if !decodes || encoded_slash(raw).is_none() {
        return raw.into();
    }
    let mut path = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = encoded_slash(rest) {
        path.extend_from_slice(before);
        path.push(b'/');
        rest = after;
    }
    path.extend_from_slice(rest);
    path.into()
}

/// What stands before and behind the first `%2F`.
fn encoded_slash(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = raw
        .windows(3)
        .position(|window| window.eq_ignore_ascii_case(b"%2f"))?;
    Some((raw.get(..at)?, raw.get(at.saturating_add(3)..)?))
}

/// The segments that are left once `.`, `..` and empty ones are resolved.
///
/// Since no `%2F` is decoded here, `/` separates the same segments before and after decoding.
pub(super) fn segments(raw: &[u8], reading: Reading) -> Result<Vec<Segment<'_>>, BadUrl> {
    let mut kept = Vec::new();
    // What stands before the first slash is nothing.
    for raw in raw.split(|byte| *byte == b'/').skip(1) {
        if raw.contains(&b';') {
            // Servlet containers serve `/orders;x=1` as `/orders`, other upstreams do not: no rule
            // could speak for both.
            return Err(BadUrl::Parameters);
        }
        let decoded = match reading.encoded_slashes {
            EncodedSlashes::Keep => decoded_around_slashes(raw)?,
            EncodedSlashes::Refuse | EncodedSlashes::Decode => checked(raw)?,
        };
        match reading.cleaning.keeps(&decoded)? {
            Some(true) => kept.push(Segment { raw, decoded }),
            Some(false) => {}
            None => drop(kept.pop()),
        }
    }
    Ok(kept)
}

/// A segment, decoded and found to mean the same to every upstream.
fn checked(raw: &[u8]) -> Result<Cow<'_, str>, BadUrl> {
    let decoded = decode(raw)?;
    check_parameters(&decoded)?;
    check_second_decoding(&decoded)?;
    Ok(decoded)
}

/// A segment in which `%2F` stays. An upstream that reads a slash there all the same must find
/// neither dots nor nothing between slashes.
fn decoded_around_slashes(raw: &[u8]) -> Result<Cow<'_, str>, BadUrl> {
    if encoded_slash(raw).is_none() {
        return checked(raw);
    }
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = encoded_slash(rest) {
        decoded.push_str(&between_slashes(before)?);
        decoded.push_str("%2F");
        rest = after;
    }
    decoded.push_str(&between_slashes(rest)?);
    Ok(decoded.into())
}

fn between_slashes(raw: &[u8]) -> Result<Cow<'_, str>, BadUrl> {
    let part = checked(raw)?;
    match &*part {
        "" | "." | ".." => Err(BadUrl::EncodedSlash),
        _ => Ok(part),
    }
}

fn check_bounds(raw: &[u8]) -> Result<(), BadUrl> {
    if raw.first() != Some(&b'/') {
        return Err(BadUrl::PathStart);
    }
    // What is forwarded must pass this check again, so each byte counts as what it is sent on as.
    let escaped = raw
        .iter()
        .map(|byte| match byte {
            b'/' | b'%' => 1,
            byte if is_path_byte(*byte) => 1,
            _ => 3,
        })
        .fold(0_usize, usize::saturating_add);
    if escaped > MAX_PATH_BYTES {
        return Err(BadUrl::PathTooLong);
    }
    Ok(())
}

fn decode(raw: &[u8]) -> Result<Cow<'_, str>, BadUrl> {
    if !raw.contains(&b'%') {
        raw.iter().try_for_each(|byte| check_byte(*byte))?;
        return into_text(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%' {
            let (value, after) = escape(after).ok_or(BadUrl::Escape)?;
            check_escaped(value)?;
            decoded.push(value);
            rest = after;
        } else {
            check_byte(*byte)?;
            decoded.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| BadUrl::NotUtf8)
}

/// Reads the two digits after a `%`: the byte they stand for, and what follows them.
pub(super) fn escape(after_percent: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = after_percent.split_at_checked(2)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let value = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    Some((value, rest))
}

fn check_byte(byte: u8) -> Result<(), BadUrl> {
    match byte {
        b'#' => Err(BadUrl::Fragment),
        b'\\' => Err(BadUrl::Backslash),
        0..=b' ' | 0x7f => Err(BadUrl::ControlByte),
        _ => Ok(()),
    }
}

fn check_escaped(byte: u8) -> Result<(), BadUrl> {
    match byte {
        b'/' => Err(BadUrl::EncodedSlash),
        b'\\' => Err(BadUrl::Backslash),
        0..=0x1f | 0x7f => Err(BadUrl::ControlByte),
        _ => Ok(()),
    }
}

/// Servlet containers cut `;parameters` off before they resolve dots.
fn check_parameters(segment: &str) -> Result<(), BadUrl> {
    match segment.split_once(';') {
        Some(("" | "." | "..", _)) => Err(BadUrl::DotParameters),
        _ => Ok(()),
    }
}

/// An upstream that decodes once more must not find structure that matching has not seen.
fn check_second_decoding(segment: &str) -> Result<(), BadUrl> {
    if !segment.contains('%') {
        return Ok(());
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let (value, after) = match (byte, escape(after)) {
            (b'%', Some((value, after))) => {
                check_escaped(value).map_err(|_| BadUrl::DoublyEncoded)?;
                (value, after)
            }
            _ => (*byte, after),
        };
        decoded.push(value);
        rest = after;
    }
    let name = decoded.split(|byte| *byte == b';').next();
    match name.unwrap_or_default() {
        b"" | b"." | b".." => Err(BadUrl::DoublyEncoded),
        _ => Ok(()),
    }
}

fn into_text(bytes: &[u8]) -> Result<Cow<'_, str>, BadUrl> {
    str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|_| BadUrl::NotUtf8)
}
