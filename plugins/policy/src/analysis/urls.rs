//! Which texts a request can be matched as.

use crate::{
    Headers, Request,
    path::{Cleaning, Reading, Url},
};

use super::automaton::Language;

/// What a path segment holds, but `;`-parameters, dots alone and double encodings, as a class's
/// inside.
const REFUSED: &str = r"/\\\x00-\x1F\x7F";

/// What a path holds unescaped besides letters and digits (RFC 3986 section 3.3), but `;`.
const PLAIN: &[u8] = b"/-._~!$&'()*+,=:@";

/// How well a language describes what requests can be matched as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Every text in it is some request's, but for length; not every request's is in it.
    Inside,
    /// Every request's text is in it.
    Outside,
}

/// The texts that requests are matched as: `scheme://host[:port]/path`, the path decoded and clean.
///
/// What may follow a `%` depends on what a second decoding would make of it. That is left out
/// (`Inside`) or left free (`Outside`).
pub(super) fn language(fit: Fit, cleaning: Cleaning) -> Result<Language, String> {
    let refused = match fit {
        Fit::Inside => format!("{REFUSED}%"),
        Fit::Outside => REFUSED.to_owned(),
    };
    let any = format!("[^{refused}]*");
    let segment = format!(r"(?:[^{refused}.;]{any}|\.[^{refused}.;]{any}|\.\.[^{refused};]{any})");
    let path = match cleaning {
        Cleaning::V26 => format!("(?:/|(?:/{segment})+)"),
        Cleaning::V040 => format!("(?:/{segment}?)+"),
    };
    let name = r"[0-9a-z_~\-]+(?:\.[0-9a-z_~\-]+)*";
    let port = r"(?::[0-9]{1,5})?";
    Language::new(&format!(r"https?://(?:{name}|\[[0-9a-f:.]+\]){port}{path}"))
}

/// Whether a request can be matched as `subject`, and how that URL is written.
pub(super) fn written(subject: &str, cleaning: Cleaning) -> Option<String> {
    let (scheme, rest) = subject.split_once("://")?;
    let (host, path) = rest.split_at_checked(rest.find('/')?)?;
    let mut raw = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            _ if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) => {
                raw.push(char::from(byte));
            }
            _ => raw.push_str(&format!("%{byte:02X}")),
        }
    }
    let fields = [
        (":method", "GET"),
        (":scheme", scheme),
        (":authority", host),
        (":path", raw.as_str()),
    ];
    let request = Request {
        headers: fields.into_iter().collect::<Headers>(),
        ..Request::default()
    };
    let reading = Reading {
        cleaning,
        ..Reading::default()
    };
    let url = Url::read(&request, reading).ok()?;
    (url.subject() == subject).then(|| format!("{scheme}://{host}{raw}"))
}
