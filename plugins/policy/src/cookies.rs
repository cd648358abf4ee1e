//! Reading `Cookie` header fields (RFC 6265 section 5.4).

use crate::Headers;

/// The value of the first cookie called `name`.
pub(crate) fn first<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    pairs(headers)
        .find(|(cookie, _)| *cookie == name)
        .map(|(_, value)| value)
}

/// Every cookie with its value, in order. A field that is not UTF-8 holds no cookies.
pub(crate) fn pairs(headers: &Headers) -> impl Iterator<Item = (&str, &str)> {
    headers
        .all("cookie")
        .filter_map(|field| std::str::from_utf8(field).ok())
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name, unquoted(value)))
}

/// The value without the double quotes that may surround it.
fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[&str]) -> Headers {
        fields.iter().map(|value| ("Cookie", *value)).collect()
    }

    #[test]
    fn the_first_cookie_of_a_name_counts() {
        let headers = headers(&["a=1; sid=\"x y\"; sid=second", "b=2"]);
        assert_eq!(first(&headers, "sid"), Some("x y"));
        assert_eq!(first(&headers, "b"), Some("2"));
        assert_eq!(first(&headers, "c"), None);
    }

    #[test]
    fn bytes_that_are_no_text_hold_no_cookie() {
        let headers: Headers = [("cookie", b"\xff\xfe=1".to_vec())].into_iter().collect();
        assert_eq!(pairs(&headers).count(), 0);
    }
}
