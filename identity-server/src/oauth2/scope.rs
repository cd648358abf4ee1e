//! Which scopes a client may ask for, and which audiences.

use super::error::OAuthError;
use crate::config::Scopes;

/// Whether one of the `registered` scopes covers `wanted`, by the strategy of `strategies.scope`: `exact` means equal
/// strings; with `wildcard`, `*` stands for one segment between dots, and a final `*` for one or more.
#[must_use]
pub fn covers<S: AsRef<str>>(
    strategy: Scopes,
    registered: impl IntoIterator<Item = S>,
    wanted: &str,
) -> bool {
    registered.into_iter().any(|pattern| match strategy {
        Scopes::Exact => pattern.as_ref() == wanted,
        Scopes::Wildcard => wildcard_covers(pattern.as_ref(), wanted),
    })
}

/// Refuses the first of the `requested` scopes that a client registered for `registered` (space-separated) may not use.
///
/// # Errors
/// `invalid_scope`, also for characters outside RFC 6749 §3.3.
pub fn check_scopes(
    strategy: Scopes,
    registered: &str,
    requested: &[String],
) -> Result<(), OAuthError> {
    for scope in requested {
        if !scope
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
        {
            return Err(OAuthError::InvalidScope(
                "a scope contains a character that scopes cannot have".into(),
            ));
        }
        if !covers(
            strategy,
            registered.split(' ').filter(|s| !s.is_empty()),
            scope,
        ) {
            return Err(OAuthError::InvalidScope(format!(
                "the client may not ask for the scope '{scope}'"
            )));
        }
    }
    Ok(())
}

/// Refuses the first of the `requested` audiences that no registered one is a prefix of: same scheme and host, and a
/// path at or below the registered one.
///
/// # Errors
/// `invalid_request`, as Hydra answers.
pub fn check_audiences(registered: &[String], requested: &[String]) -> Result<(), OAuthError> {
    for audience in requested {
        if !registered
            .iter()
            .any(|allowed| audience_covers(allowed, audience))
        {
            return Err(OAuthError::InvalidRequest(format!(
                "the client may not ask for the audience '{audience}'"
            )));
        }
    }
    Ok(())
}

fn wildcard_covers(pattern: &str, wanted: &str) -> bool {
    let mut wanted_segments = wanted.split('.');
    let mut pattern_segments = pattern.split('.').peekable();
    while let Some(pattern_segment) = pattern_segments.next() {
        let Some(wanted_segment) = wanted_segments.next() else {
            return false;
        };
        if pattern_segment == "*" {
            if wanted_segment.is_empty() {
                return false;
            }
            if pattern_segments.peek().is_none() {
                return wanted_segments.all(|segment| !segment.is_empty());
            }
        } else if pattern_segment != wanted_segment {
            return false;
        }
    }
    wanted_segments.next().is_none()
}

fn audience_covers(allowed: &str, wanted: &str) -> bool {
    if allowed == wanted {
        return true;
    }
    let (Ok(allowed), Ok(wanted)) = (url::Url::parse(allowed), url::Url::parse(wanted)) else {
        return false;
    };
    if allowed.cannot_be_a_base() || wanted.cannot_be_a_base() {
        return false;
    }
    let same_place = allowed.scheme() == wanted.scheme()
        && allowed.host_str() == wanted.host_str()
        && allowed.port_or_known_default() == wanted.port_or_known_default()
        && wanted.username().is_empty()
        && wanted.password().is_none();
    let base = allowed.path().trim_end_matches('/');
    same_place
        && wanted
            .path()
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wildcard(pattern: &str, wanted: &str) -> bool {
        covers(Scopes::Wildcard, [pattern], wanted)
    }

    #[test]
    fn a_final_star_stands_for_one_or_more_segments() {
        assert!(wildcard("photos.*", "photos.read"));
        assert!(wildcard("photos.*", "photos.a.b"));
        assert!(!wildcard("photos.*", "photos"));
        assert!(!wildcard("photos.*", "photos."));
        assert!(!wildcard("photos.*", "photos.a..b"));
        assert!(!wildcard("photos.*", "photosx.read"));
    }

    #[test]
    fn an_inner_star_stands_for_exactly_one_segment() {
        assert!(wildcard("photos.*.read", "photos.a.read"));
        assert!(!wildcard("photos.*.read", "photos.a.b.read"));
        assert!(!wildcard("photos.*.read", "photos..read"));
        assert!(!wildcard("photos.*.read", "photos.a"));
    }

    #[test]
    fn a_star_that_the_client_asks_for_is_only_covered_by_a_pattern_that_covers_everything_below() {
        assert!(!wildcard("photos.read", "photos.*"));
        assert!(wildcard("photos.*", "photos.*"));
    }

    #[test]
    fn exact_compares_whole_strings() {
        assert!(covers(Scopes::Exact, ["a.*"], "a.*"));
        assert!(!covers(Scopes::Exact, ["a.*"], "a.b"));
    }

    #[test]
    fn a_scope_is_looked_up_in_the_clients_list() {
        let registered = "openid photos.*";
        assert!(
            check_scopes(
                Scopes::Wildcard,
                registered,
                &["openid".into(), "photos.x".into()]
            )
            .is_ok()
        );
        for bad in ["offline", "", "open\"id", "open id", "ö"] {
            let refused = check_scopes(Scopes::Wildcard, registered, &[bad.to_owned()]);
            assert!(matches!(refused, Err(OAuthError::InvalidScope(_))), "{bad}");
        }
    }

    #[test]
    fn an_audience_must_lie_at_or_below_a_registered_one() {
        let registered = ["https://api.example/v1".to_owned(), "urn:thing".to_owned()];
        for good in [
            "https://api.example/v1",
            "https://api.example/v1/",
            "https://api.example/v1/users",
            "urn:thing",
        ] {
            assert!(
                check_audiences(&registered, &[good.to_owned()]).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "https://api.example/v10",
            "https://api.example/",
            "https://api.example/v1/../v2",
            "https://api.example.evil/v1",
            "https://u@api.example/v1",
            "http://api.example/v1",
            "https://api.example:444/v1",
            "urn:thing:x",
            "",
        ] {
            assert!(
                check_audiences(&registered, &[bad.to_owned()]).is_err(),
                "{bad}"
            );
        }
    }
}
