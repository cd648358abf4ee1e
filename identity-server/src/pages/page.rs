//! What every page has in common: the frame around it and the headers that protect it.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use url::{Host, Url};

use super::assets;
use crate::flows::refusal::Refusal;

/// What the frame of a page needs.
#[derive(Debug, Clone, Copy)]
pub struct Chrome {
    /// Where the stylesheet is; the address changes with its content.
    pub stylesheet: &'static str,
}

impl Chrome {
    /// The frame.
    #[must_use]
    pub fn new() -> Self {
        Self {
            stylesheet: assets::stylesheet_url(),
        }
    }
}

impl Default for Chrome {
    fn default() -> Self {
        Self::new()
    }
}

/// Renders a page. `destinations` are the addresses to which its form may lead in the end.
///
/// # Errors
/// [`Refusal`], when the template fails.
pub fn render(
    status: StatusCode,
    template: &impl Template,
    destinations: &[String],
) -> Result<Response, Refusal> {
    let html = template
        .render()
        .map_err(|error| Refusal::internal(&error))?;
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(&content_security_policy(destinations));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        policy.map_err(|error| Refusal::internal(&error))?,
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// No scripts, nothing from elsewhere, no frames.
///
/// Browsers apply `form-action` to the redirects after a form too, so the app that a sign-in leads back to has to be
/// named, or the last step of OAuth2 would be blocked.
fn content_security_policy(destinations: &[String]) -> String {
    let mut sources: Vec<String> = destinations
        .iter()
        .filter_map(|url| form_action_source(url))
        .collect();
    sources.sort();
    sources.dedup();
    let others: String = sources.iter().map(|source| format!(" {source}")).collect();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'{others}; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// The policy's name for where `url` leads: its origin, or its scheme if it belongs to an app on a device.
fn form_action_source(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let scheme = url.scheme();
    if !matches!(scheme, "http" | "https") {
        return Some(format!("{scheme}:"));
    }
    match url.host()? {
        // A policy cannot name an IPv6 address.
        Host::Ipv6(_) => Some(format!("{scheme}:")),
        // Native apps listen on whatever port is free (RFC 8252, 7.3).
        Host::Ipv4(address) if address.is_loopback() => Some(format!("{scheme}://{address}:*")),
        host => Some(url.port().map_or_else(
            || format!("{scheme}://{host}"),
            |port| format!("{scheme}://{host}:{port}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_app_and_nothing_that_could_end_the_directive() {
        let destinations = [
            "https://app.test/cb?x=1",
            "https://app.test:8443/cb",
            "http://127.0.0.1:5555/cb",
            "http://[::1]:5555/cb",
            "com.example.app:/cb",
            "nonsense; script-src *",
        ];
        let policy = content_security_policy(&destinations.map(str::to_owned));
        assert!(policy.contains(
            "form-action 'self' com.example.app: http: http://127.0.0.1:* https://app.test https://app.test:8443;"
        ));
        assert!(!policy.contains("script-src"));
    }
}
