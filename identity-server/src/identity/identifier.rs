//! The canonical form of an identifier.
//!
//! Everything that asks "is it the same account?" asks with the canonical form: uniqueness, sign-in, throttling.
//! If one of them used another form, a second spelling of an address would be a second account, or a fresh set of
//! password guesses.

use unicode_normalization::UnicodeNormalization;

/// The longest identifier accepted, in bytes: an e-mail address may have 254 (RFC 5321, 4.5.3.1.3), and a little
/// room for other kinds.
pub const MAX_BYTES: usize = 320;

/// Trims, applies Unicode NFKC, lower-cases, and drops characters that do not show.
///
/// `None` when nothing is left, or more than [`MAX_BYTES`]: no account has such an identifier.
#[must_use]
pub fn canonical(written: &str) -> Option<String> {
    // Bound the work before doing any; NFKC can make a text at most 18 times as long.
    if written.len() > MAX_BYTES {
        return None;
    }
    let visible = written
        .nfkc()
        .filter(|c| !is_invisible(*c))
        .collect::<String>()
        .to_lowercase();
    // Lower-casing may denormalise (`İ`), so compose once more.
    let folded: String = visible.nfkc().collect();
    let trimmed = folded.trim();
    (!trimmed.is_empty() && trimmed.len() <= MAX_BYTES).then(|| trimmed.to_owned())
}

/// Whether `address` is an e-mail address that everybody reads alike: one `@`, no quoting, no spaces.
///
/// RFC 5321 also allows `"a@evil.test"@good.test`; software disagrees about its domain, so it is refused.
#[must_use]
pub fn is_plain_email(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    let clean = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c == '@' || c == '"' || c.is_whitespace() || c.is_control())
    };
    clean(local)
        && clean(domain)
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.contains("..")
}

/// Controls, zero-width and bidirectional formatting characters, and the soft hyphen.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_identifier() {
        for written in [
            "alice@example.com",
            " Alice@Example.COM ",
            "ALICE@example.com\u{200b}",
            "ａｌｉｃｅ@example.com",
        ] {
            assert_eq!(
                canonical(written).as_deref(),
                Some("alice@example.com"),
                "{written:?}"
            );
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same() {
        assert_eq!(
            canonical("Zoe\u{308}@example.com"),
            canonical("zo\u{eb}@example.com")
        );
    }

    #[test]
    fn nothing_and_too_much_are_no_identifier() {
        assert_eq!(canonical("  \u{200b} "), None);
        assert_eq!(canonical(&"a".repeat(MAX_BYTES + 1)), None);
    }

    #[test]
    fn an_address_with_two_readings_is_refused() {
        assert!(is_plain_email("a@good.com"));
        for trick in [
            "a@evil@good.com",
            "\"a@evil\"@good.com",
            "a@",
            "@b",
            "a b@c",
            "a@b..c",
            "a@.b",
            "a@b.",
        ] {
            assert!(!is_plain_email(trick), "{trick}");
        }
    }
}
