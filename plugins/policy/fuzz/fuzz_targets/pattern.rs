//! An operator's pattern and a URL to match, divided by the first line feed: nothing panics, and
//! the index finds what the pattern by itself finds.

#![no_main]

use gatepost_policy::{
    matching::{Lookup, Pattern, RuleIndex, Strategy},
    path::Url,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (pattern, subject) = data.split_once('\n').unwrap_or((data, ""));
    for strategy in [Strategy::Regexp, Strategy::Glob] {
        let Ok(pattern) = Pattern::compile(strategy, pattern) else {
            continue;
        };
        let expected = match pattern.captures(subject) {
            Ok(Some(captures)) => Lookup::One { rule: 0, captures },
            Ok(None) => Lookup::None,
            Err(_) => Lookup::TooManySteps(0),
        };
        let Some((scheme, path)) = subject.split_once("://") else {
            continue;
        };
        let url = Url {
            scheme: scheme.to_owned(),
            path: path.to_owned(),
            ..Url::default()
        };
        let index = RuleIndex::build([(vec!["GET".to_owned()], pattern)]);
        assert_eq!(index.lookup("GET", &url), expected);
    }
});
