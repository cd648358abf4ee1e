//! Reading `Cookie` header fields (RFC 6265 section 5.4).

use crate::Headers;

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

/// The fields as one, without the cookies of this name; `None` if nothing is left. What is no cookie stays
/// as it is.
pub(crate) fn without(headers: &Headers, name: &str) -> Option<String> {
    let kept: Vec<&str> = headers
        .all("cookie")
        .filter_map(|field| std::str::from_utf8(field).ok())
        .flat_map(|field| field.split(';'))
        .map(|pair| pair.trim_matches([' ', '\t']))
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name))
        .collect();
    (!kept.is_empty()).then(|| kept.join("; "))
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
    fn every_cookie_is_read_in_order() {
        let headers = headers(&["a=1; sid=\"x y\"; sid=second", "b=2"]);
        let pairs: Vec<_> = pairs(&headers).collect();
        assert_eq!(
            pairs,
            [("a", "1"), ("sid", "x y"), ("sid", "second"), ("b", "2")]
        );
    }

    #[test]
    fn bytes_that_are_no_text_hold_no_cookie() {
        let headers: Headers = [("cookie", b"\xff\xfe=1".to_vec())].into_iter().collect();
        assert_eq!(pairs(&headers).count(), 0);
    }
}
