//! Which passwords are refused.
//!
//! Length first (NIST SP 800-63B asks for at least 8 characters and against composition rules), then similarity to
//! the identifier. There is no look-up in lists of breached passwords: that would be a call to a third party, and
//! needs a setting of its own.

use crate::flows::message::{self, Message};

/// The fewest characters that a password may have.
pub const MIN_CHARS: usize = 8;

/// The most bytes that a password may have; it bounds the work of hashing.
pub const MAX_BYTES: usize = 1024;

/// Passwords beyond this many characters are not compared with identifiers: the comparison is quadratic.
const COMPARED_CHARS: usize = 256;

/// Edits that at least separate a password from an identifier.
const MIN_DISTANCE: usize = 5;

/// Says what is wrong with `password` for somebody with these canonical `identifiers`; `None` if nothing is.
#[must_use]
pub fn objection(password: &str, identifiers: &[String]) -> Option<Message> {
    let chars = password.chars().count();
    if chars < MIN_CHARS {
        return Some(message::password_too_short(MIN_CHARS, chars));
    }
    if password.len() > MAX_BYTES {
        return Some(message::password_too_long(MAX_BYTES));
    }
    let similar = identifiers
        .iter()
        .any(|identifier| is_similar(password, identifier));
    similar.then(message::password_like_identifier)
}

fn is_similar(password: &str, identifier: &str) -> bool {
    let password: Vec<char> = password.to_lowercase().chars().collect();
    let identifier: Vec<char> = identifier.to_lowercase().chars().collect();
    if password.len() > COMPARED_CHARS || identifier.is_empty() {
        return false;
    }
    let distance = strsim::generic_levenshtein(&password, &identifier);
    distance < MIN_DISTANCE
        || longest_common_substring(&password, &identifier).saturating_mul(2) > password.len()
}

/// The length of the longest run of characters that both contain.
fn longest_common_substring(one: &[char], two: &[char]) -> usize {
    let mut longest = 0;
    let mut above = vec![0_usize; two.len()];
    for a in one {
        let mut diagonal = 0;
        for (b, cell) in two.iter().zip(above.iter_mut()) {
            let run = if a == b { diagonal + 1 } else { 0 };
            diagonal = *cell;
            *cell = run;
            longest = longest.max(run);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(password: &str, identifier: &str) -> Option<u32> {
        objection(password, &[identifier.to_owned()]).map(|message| message.id)
    }

    #[test]
    fn short_passwords_are_refused_by_characters_not_bytes() {
        assert_eq!(id_of("pässwör", "a@b.c"), Some(4_000_032));
        assert_eq!(id_of("ünïcödës", "someone@example.com"), None);
    }

    #[test]
    fn very_long_passwords_are_refused() {
        assert_eq!(id_of(&"x".repeat(MAX_BYTES + 1), "a@b.c"), Some(4_000_033));
        assert_eq!(id_of(&"xy".repeat(500), "a@b.c"), None);
    }

    #[test]
    fn a_password_like_the_identifier_is_refused() {
        for password in [
            "alice@example.com",
            "Alice@Example.com1",
            "alice@exam",
            "xalice@exx",
        ] {
            assert_eq!(
                id_of(password, "alice@example.com"),
                Some(4_000_031),
                "{password}"
            );
        }
        assert_eq!(id_of("correct horse battery", "alice@example.com"), None);
    }

    #[test]
    fn the_longest_common_run_is_found() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(
            longest_common_substring(&chars("xabcy"), &chars("zzabcd")),
            3
        );
        assert_eq!(longest_common_substring(&chars("abc"), &chars("")), 0);
    }
}
