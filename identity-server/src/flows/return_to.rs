//! Where a browser may be sent when a flow ends.
//!
//! An open redirect lends our name to somebody else's page, so everything that URL parsers disagree about is refused
//! before parsing: backslashes, control characters and spaces, `https:host` without slashes, user names before the
//! host. What passes is parsed once, compared with the list part by part, and the *parsed* URL is what we redirect
//! to, so that the browser cannot read it differently.

use url::Url;

use crate::config::Settings;

/// A destination that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the `return_to` address is not allowed; list it in `selfservice.allowed_return_urls`")]
pub struct Forbidden;

/// What a destination is compared with.
#[derive(Debug, Clone)]
pub struct ReturnRules {
    default: Url,
    allowed: Vec<Url>,
}

/// Longer addresses are refused; they are stored with each flow.
const MAX_BYTES: usize = 2048;

impl ReturnRules {
    /// The configured list, the default destination and our own `/self-service`.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let account = || {
            Url::parse(&settings.public_url("/account"))
                .unwrap_or_else(|_| settings.public_url.clone())
        };
        let configured = settings.selfservice.default_browser_return_url.as_deref();
        let default = configured
            .and_then(|url| Url::parse(url).ok())
            .unwrap_or_else(account);
        let own = Url::parse(&settings.public_url("/self-service")).ok();
        let listed = settings
            .selfservice
            .allowed_return_urls
            .iter()
            .filter_map(|url| Url::parse(url).ok());
        let allowed = listed.chain(own).chain([default.clone()]).collect();
        Self { default, allowed }
    }

    /// Where a browser goes that asked for nothing.
    #[must_use]
    pub fn default_url(&self) -> &Url {
        &self.default
    }

    /// The destination that `written` asks for, if it is allowed. A path is taken from the default destination.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn check(&self, written: &str) -> Result<Url, Forbidden> {
        if written.len() > MAX_BYTES || has_ambiguous_characters(written) {
            return Err(Forbidden);
        }
        let url = if written.starts_with('/') && !written.starts_with("//") {
            self.default.join(written).map_err(|_| Forbidden)?
        } else {
            absolute(written)?
        };
        let harmless =
            url.username().is_empty() && url.password().is_none() && !written.contains("://@");
        (harmless && self.allowed.iter().any(|allowed| covers(allowed, &url)))
            .then_some(url)
            .ok_or(Forbidden)
    }
}

/// URL parsers drop or rewrite these, each in its own way.
fn has_ambiguous_characters(written: &str) -> bool {
    written
        .chars()
        .any(|c| c == '\\' || c.is_control() || c.is_whitespace() || is_formatting(c))
}

fn is_formatting(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Parsers also take `https:host`, `https:/host` and `https:///host` for `https://host`; only the last form is clear.
fn absolute(written: &str) -> Result<Url, Forbidden> {
    let (scheme, rest) = written.split_once("://").ok_or(Forbidden)?;
    let known = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if !known || rest.starts_with('/') || authority(rest).contains('@') {
        return Err(Forbidden);
    }
    Url::parse(written).map_err(|_| Forbidden)
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Same scheme, host and port, and a path at or below the listed one.
fn covers(allowed: &Url, url: &Url) -> bool {
    allowed.scheme() == url.scheme()
        && allowed.port_or_known_default() == url.port_or_known_default()
        && covers_host(allowed.host_str(), url.host_str())
        && covers_path(allowed.path(), url.path())
}

/// `*.example.com` covers every name below `example.com`, but not that itself. The comparison is on whole labels:
/// `*example.com` covers nothing, or `evil-example.com` would be in.
fn covers_host(allowed: Option<&str>, host: Option<&str>) -> bool {
    let (Some(allowed), Some(host)) = (allowed, host) else {
        return false;
    };
    match allowed.strip_prefix('*') {
        Some(suffix) => {
            suffix.starts_with('.') && host.len() > suffix.len() && host.ends_with(suffix)
        }
        None => allowed == host,
    }
}

/// Whole segments: `/app` covers `/app/x`, not `/apple` (the reference compares bare prefixes).
fn covers_path(allowed: &str, path: &str) -> bool {
    let base = allowed.trim_end_matches('/');
    path.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[&str]) -> ReturnRules {
        let default = Url::parse("https://id.test/account").unwrap();
        let allowed = allowed
            .iter()
            .map(|url| Url::parse(url).unwrap())
            .chain([default.clone()])
            .collect();
        ReturnRules { default, allowed }
    }

    fn allowed(written: &str) -> Option<String> {
        rules(&[
            "https://app.test/in",
            "https://*.wild.test",
            "http://127.0.0.1:8080/",
        ])
        .check(written)
        .ok()
        .map(String::from)
    }

    #[test]
    fn listed_places_and_what_is_below_them_are_allowed() {
        for (written, url) in [
            ("https://app.test/in", "https://app.test/in"),
            (
                "https://app.test/in/deep?x=1#y",
                "https://app.test/in/deep?x=1#y",
            ),
            ("HTTPS://APP.test/in", "https://app.test/in"),
            ("https://app.test:443/in", "https://app.test/in"),
            ("https://a.wild.test/", "https://a.wild.test/"),
            ("https://a.b.wild.test/x", "https://a.b.wild.test/x"),
            (
                "http://127.0.0.1:8080/any?q=https://evil.test",
                "http://127.0.0.1:8080/any?q=https://evil.test",
            ),
            ("/account", "https://id.test/account"),
            ("/account/sessions", "https://id.test/account/sessions"),
        ] {
            assert_eq!(allowed(written).as_deref(), Some(url), "{written}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for written in [
            "",
            "app.test/in",
            "//app.test/in",
            "//evil.test",
            "///evil.test",
            "/\\evil.test",
            "\\\\evil.test",
            "/\\/evil.test",
            "https:evil.test",
            "https:app.test/in",
            "https:/app.test/in",
            "https:///app.test/in",
            "http://app.test/in",
            "https://app.test:444/in",
            "https://app.test@evil.test/in",
            "https://user@app.test/in",
            "https://@app.test/in",
            "https://app.test%40evil.test/in",
            "https://evil.test/https://app.test/in",
            "https://app.test.evil.test/in",
            "https://evil.test#https://app.test/in",
            "https://evil.test\\@app.test/in",
            "https://evil.test\t@app.test/in",
            "\thttps://app.test/in",
            "https://app.test/in\n",
            "java\nscript:alert(1)",
            "javascript:alert(1)",
            "javascript://app.test/in%0aalert(1)",
            "data:text/html,x",
            "/\t/evil.test",
            "https://app.test/out",
            "https://app.test/inside-job",
            "https://app.test/in/../out",
            "https://app.test/in/%2e%2e/out",
            "https://wild.test/",
            "https://evilwild.test/",
            "https://evil.test/.wild.test",
            "https://evil\u{3002}test/in",
            "https://app.test\u{ff0f}.evil.test/in",
            "https://app.test\u{200b}/in",
            "/account/../admin",
            "/settings",
        ] {
            assert_eq!(allowed(written), None, "{written:?}");
        }
    }

    #[test]
    fn an_ideographic_full_stop_is_a_dot_and_the_answer_says_so() {
        assert_eq!(
            allowed("https://app\u{3002}test/in").as_deref(),
            Some("https://app.test/in")
        );
    }

    #[test]
    fn a_star_without_a_dot_covers_nothing() {
        assert!(
            rules(&["https://*wild.test"])
                .check("https://evilwild.test/")
                .is_err()
        );
    }

    #[test]
    fn endless_addresses_are_refused() {
        assert_eq!(
            allowed(&format!("https://app.test/in?{}", "x".repeat(MAX_BYTES))),
            None
        );
    }
}
