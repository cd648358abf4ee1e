//! Rules that no request reaches, and why.

use super::rule::Rule;

/// Why no URL of a request matches the pattern of `rule`, and what to do.
///
/// Only said of a pattern of which the automata have shown it: this finds the words.
pub(super) fn explain(rule: &Rule) -> (String, String) {
    let url = rule.url().unwrap_or_default();
    let shape = rule.described.as_ref().map(|it| &it.shape);
    if shape.is_some_and(|shape| shape.without_scheme) {
        return (
            format!("`{url}` has no scheme, and what is matched begins with one"),
            format!("write `<https?>://{}`", url.trim_start_matches('/')),
        );
    }
    let literal = outside_of_brackets(url);
    let after_scheme = literal.split_once("://").map_or("", |(_, rest)| rest);
    let (host, path) = after_scheme
        .split_at_checked(after_scheme.find('/').unwrap_or(after_scheme.len()))
        .unwrap_or_default();
    let why: (&str, String) = if host.chars().any(char::is_uppercase) {
        (
            "hosts are matched in lower case",
            "write the host in lower case".to_owned(),
        )
    } else if path.contains("//") {
        (
            "repeated slashes are merged before a path is matched",
            "write one `/`".to_owned(),
        )
    } else if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        (
            "dot segments are resolved before a path is matched",
            "write the path that they lead to".to_owned(),
        )
    } else if path.len() > 1 && path.ends_with('/') && url.ends_with('/') {
        (
            "a trailing slash is removed before a path is matched",
            format!(
                "write `{}`, which requests with a slash at the end match too",
                url.trim_end_matches('/')
            ),
        )
    } else if path.is_empty()
        && !url.contains("/<")
        && !after_scheme.contains('/')
        && !url.ends_with('>')
    {
        (
            "every path begins with `/`",
            format!("write `{url}/`, or `{url}/<.*>` for all paths"),
        )
    } else {
        ("no canonical URL matches it", "compare it with the URLs of your requests: host in lower case, path decoded, without dot segments, repeated or trailing slashes".to_owned())
    };
    (format!("`{url}` matches no request: {}", why.0), why.1)
}

/// The literal text of a pattern, with `\u{1}` for each `<…>`.
fn outside_of_brackets(pattern: &str) -> String {
    let mut depth = 0_usize;
    let mut text = String::new();
    for next in pattern.chars() {
        match next {
            '<' => {
                depth = depth.saturating_add(1);
                if depth == 1 {
                    text.push('\u{1}');
                }
            }
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => text.push(next),
            _ => {}
        }
    }
    text
}
