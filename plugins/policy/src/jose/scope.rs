use std::str::FromStr;

/// How a granted scope is compared with a required one (Oathkeeper's `scope_strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeStrategy {
    /// No comparison is possible: nothing is ever covered. A handler that requires scopes under
    /// this strategy refuses every token, as Oathkeeper's does.
    #[default]
    None,
    /// The same text.
    Exact,
    /// `a` covers `a` and everything below it: `a.b`, `a.b.c`; but not `ab`.
    Hierarchic,
    /// `*` stands for one segment, at the end for one or more: `a.*` covers `a.b` and `a.b.c`,
    /// but not `a`.
    Wildcard,
}

impl ScopeStrategy {
    /// Whether every required scope is covered by some granted one.
    #[must_use]
    pub fn covers_all<G: AsRef<str>, R: AsRef<str>>(self, granted: &[G], required: &[R]) -> bool {
        required.iter().all(|required| {
            granted
                .iter()
                .any(|granted| self.covers(granted.as_ref(), required.as_ref()))
        })
    }

    /// Whether `granted` covers `required`.
    #[must_use]
    pub fn covers(self, granted: &str, required: &str) -> bool {
        match self {
            Self::None => false,
            Self::Exact => granted == required,
            Self::Hierarchic => required
                .strip_prefix(granted)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            Self::Wildcard => wildcard_covers(granted, required),
        }
    }
}

fn wildcard_covers(granted: &str, required: &str) -> bool {
    let mut required = required.split('.');
    let mut ends_in_star = false;
    for segment in granted.split('.') {
        let Some(wanted) = required.next() else {
            return false;
        };
        ends_in_star = segment == "*" && !wanted.is_empty();
        if !ends_in_star && segment != wanted {
            return false;
        }
    }
    ends_in_star || required.next().is_none()
}

impl FromStr for ScopeStrategy {
    type Err = UnknownScopeStrategy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "" | "none" => Ok(Self::None),
            "exact" => Ok(Self::Exact),
            "hierarchic" => Ok(Self::Hierarchic),
            "wildcard" => Ok(Self::Wildcard),
            _ => Err(UnknownScopeStrategy(name.to_owned())),
        }
    }
}

/// A scope strategy in the configuration that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope strategy `{0}`; use `none`, `exact`, `hierarchic` or `wildcard`")]
pub struct UnknownScopeStrategy(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(strategy: ScopeStrategy, cases: &[(&str, &str, bool)]) {
        for (granted, required, expected) in cases {
            assert_eq!(
                strategy.covers(granted, required),
                *expected,
                "{strategy:?}: {granted} -> {required}"
            );
        }
    }

    #[test]
    fn exact_is_the_same_text() {
        let cases = [
            ("a", "a", true),
            ("a", "A", false),
            ("a", "a.b", false),
            ("*", "a", false),
        ];
        check(ScopeStrategy::Exact, &cases);
    }

    #[test]
    fn hierarchic_covers_what_is_below_and_nothing_beside() {
        let cases = [
            ("a", "a", true),
            ("a", "a.b", true),
            ("a", "a.b.c", true),
            ("a.b", "a", false),
            ("a", "ab", false),
            ("a.b", "a.bc", false),
        ];
        check(ScopeStrategy::Hierarchic, &cases);
    }

    #[test]
    fn wildcard_star_is_one_segment_and_at_the_end_one_or_more() {
        let cases = [
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", true),
            ("a.*", "a", false),
            ("a.*", "a.", false),
            ("*", "x", true),
            ("*", "x.y", true),
            ("*", "", false),
            ("*.b", "a.b", true),
            ("*.b", "a.b.c", false),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a..c", false),
            ("a", "a.b", false),
            ("a*", "ab", false),
        ];
        check(ScopeStrategy::Wildcard, &cases);
    }

    #[test]
    fn none_covers_nothing() {
        check(ScopeStrategy::None, &[("a", "a", false), ("*", "a", false)]);
        assert!(ScopeStrategy::None.covers_all::<&str, &str>(&["a"], &[]));
    }

    #[test]
    fn an_unknown_strategy_is_refused_at_load() {
        assert!("Exact".parse::<ScopeStrategy>().is_err());
        assert_eq!("none".parse(), Ok(ScopeStrategy::None));
    }
}
