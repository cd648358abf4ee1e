//! Whether a client of a browser flow wants JSON (a single-page application) or redirects (a browser).

use axum::http::{HeaderMap, header};

/// Follows the reference: `Content-Type: application/json`, or an `Accept` that prefers JSON over HTML. HTML wins a
/// tie, and `*/*` or nothing means HTML.
#[must_use]
pub fn wants_json(headers: &HeaderMap) -> bool {
    has_json_body(headers) || accepts_json(headers)
}

/// Whether the body is JSON.
#[must_use]
pub fn has_json_body(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    essence(content_type).eq_ignore_ascii_case("application/json")
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let ranges: Vec<(String, u32)> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| (essence(range).to_ascii_lowercase(), quality(range)))
        .collect();
    let best = |exact: &str, family: &str| {
        let rank = |range: &str| match range {
            range if range == exact => Some(2),
            range if range == family => Some(1),
            "*/*" => Some(0),
            _ => None,
        };
        ranges
            .iter()
            .filter(|(_, quality)| *quality > 0)
            .filter_map(|(range, quality)| Some((*quality, rank(range)?)))
            .max()
    };
    match (
        best("application/json", "application/*"),
        best("text/html", "text/*"),
    ) {
        (Some(json), Some(html)) => json > html,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Thousandths. What is not a number is 1, as if nothing had been said.
fn quality(range: &str) -> u32 {
    let given = range
        .split(';')
        .skip(1)
        .find_map(|parameter| parameter.trim().strip_prefix("q="));
    let Some(given) = given else { return 1000 };
    let (whole, fraction) = given.trim().split_once('.').unwrap_or((given.trim(), ""));
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), thousandths.parse::<u32>()) {
        (Ok(0), Ok(thousandths)) => thousandths,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        wants_json(&headers)
    }

    #[test]
    fn scripts_get_json_and_browsers_get_redirects() {
        assert!(wants("application/json"));
        assert!(wants("application/json, text/plain, */*"));
        assert!(wants("text/html;q=0.8, application/json"));
        assert!(!wants("*/*"));
        assert!(!wants(
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
        ));
        assert!(!wants("text/html, application/json"));
        assert!(!wants("application/json;q=0"));
        assert!(!wants_json(&HeaderMap::new()));
    }

    #[test]
    fn a_json_body_asks_for_json() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        assert!(wants_json(&headers));
    }
}
