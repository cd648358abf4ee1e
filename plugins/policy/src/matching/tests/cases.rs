use super::*;
use crate::{Request, path::BadUrl};

/// What a GET for `http://h` + `path` finds.
fn get(index: &RuleIndex, path: &str) -> Lookup {
    index.lookup("GET", &read(path).unwrap())
}

fn read(path: &str) -> Result<Url, BadUrl> {
    Url::from_request(&Request {
        headers: [(":method", "GET"), (":authority", "h"), (":path", path)]
            .into_iter()
            .collect(),
        ..Request::default()
    })
}

#[test]
fn m01_digits_are_captured_and_the_query_is_ignored() {
    let index = index(&[("GET", regexp("http://h/u/<[0-9]+>"))]);
    assert_eq!(get(&index, "/u/12"), one(0, &["12"]));
    assert_eq!(get(&index, "/u/12?a=b"), one(0, &["12"]));
    assert_eq!(get(&index, "/u/ab"), Lookup::None);
    assert_eq!(get(&index, "/u/x?/u/12"), Lookup::None);
}

#[test]
fn m02_methods_compare_without_case_and_none_match_nothing() {
    let rules = |methods| index(&[(methods, regexp("http://h/u/<[0-9]+>"))]);
    let url = url("http://h/u/12");
    assert_eq!(rules("get").lookup("POST", &url), Lookup::None);
    assert_eq!(rules("get").lookup("GET", &url), one(0, &["12"]));
    assert_eq!(rules("").lookup("GET", &url), Lookup::None);
}

#[test]
fn m04_two_rules_that_match_are_never_resolved_to_one() {
    let index = index(&[
        ("GET", regexp("http://h/a")),
        ("GET", regexp("http://h/<.*>")),
        ("POST", regexp("http://h/<.*>")),
    ]);
    assert_eq!(get(&index, "/a"), Lookup::Several(vec![0, 1]));
    assert_eq!(get(&index, "/b"), one(1, &["b"]));
}

#[test]
fn m05_negative_look_ahead_is_a_prefix_test() {
    let index = index(&[("DELETE", regexp("https://h/u/<(?!admin).*>"))]);
    let delete = |subject| index.lookup("DELETE", &url(subject));
    assert_eq!(delete("https://h/u/manager"), one(0, &["manager"]));
    assert_eq!(delete("https://h/u/admin"), Lookup::None);
    assert_eq!(delete("https://h/u/admin2"), Lookup::None);
}

#[test]
fn m06_methods_may_be_any_token() {
    let index = index(&[("CUSTOM", regexp("http://h/x"))]);
    assert_eq!(index.lookup("CUSTOM", &url("http://h/x")), one(0, &[]));
}

#[test]
fn m07_dot_segments_reach_the_rule_they_resolve_to() {
    let index = index(&[
        ("GET", regexp("http://h/public/<.*>")),
        ("GET", regexp("http://h/admin/<.*>")),
    ]);
    for path in [
        "/public/../admin/s",
        "/public/%2e%2e/admin/s",
        "//public/.%2E//admin/s/",
    ] {
        assert_eq!(get(&index, path), one(1, &["s"]), "{path}");
    }
    assert_eq!(read("/public/..%2fadmin/s"), Err(BadUrl::EncodedSlash));
    assert_eq!(read("/public/%252e%252e/admin"), Err(BadUrl::DoublyEncoded));
}

#[test]
fn m08_a_trailing_slash_is_cleaned_away() {
    let index = index(&[("GET", regexp("http://h/a/<.*>"))]);
    assert_eq!(get(&index, "/a/"), Lookup::None);
    assert_eq!(get(&index, "/a/b/"), one(0, &["b"]));
}

#[test]
fn m09_repeated_slashes_are_merged() {
    let index = index(&[("GET", regexp("http://h/a"))]);
    assert_eq!(get(&index, "//a/"), one(0, &[]));
}

#[test]
fn m10_the_root_and_the_empty_path_differ() {
    let index = index(&[("GET", regexp("http://h/")), ("GET", regexp("http://h"))]);
    assert_eq!(get(&index, "/"), one(0, &[]));
    assert_eq!(index.lookup("GET", &url("http://h")), one(1, &[]));
}

#[test]
fn m11_alternatives_in_the_scheme_are_captured() {
    let index = index(&[("GET", regexp("<http|https>://h/<.*>"))]);
    let found = index.lookup("GET", &url("https://h/foo"));
    assert_eq!(found, one(0, &["https", "foo"]));
}

#[test]
fn m12_named_groups_come_last() {
    for pattern in [
        "http://h/<(?P<id>[0-9]+)-(x)>",
        "http://h/<(?<id>[0-9]+)-(x)>",
        "http://h/<(?=1)(?<id>[0-9]+)-(x)>",
    ] {
        let found = groups(&regexp(pattern), "http://h/12-x").unwrap();
        assert_eq!(found, ["12-x", "x", "12"], "{pattern}");
    }
    let two = regexp("http://h/<(?P<id>[0-9]+)-(x)>/<y>");
    assert_eq!(
        groups(&two, "http://h/12-x/y").unwrap(),
        ["12-x", "x", "y", "12"]
    );
}

#[test]
fn m13_a_group_that_took_no_part_is_empty() {
    let pattern = regexp("http://h/<a(b)?>");
    assert_eq!(groups(&pattern, "http://h/a").unwrap(), ["a", ""]);
    let pattern = regexp("<https?>://<[^/]+>/api<(/.*)?>");
    assert_eq!(
        groups(&pattern, "https://x/api").unwrap(),
        ["https", "x", "", ""]
    );
}

#[test]
fn m14_broken_patterns_are_refused_with_the_piece_at_fault() {
    for (pattern, piece) in [
        ("http://h/<(?<=x)y>", "<(?<=x)y>"),
        ("http://h/<(?<!x)y>", "<(?<!x)y>"),
        ("http://h/<(?>x)y>", ">x)y>"),
        ("http://h/<a", "<a"),
        ("http://h/a>", ">"),
        ("http://h/<a><(>", "<(>"),
    ] {
        let error = refused(Strategy::Regexp, pattern);
        assert!(
            error.piece == piece || pattern.contains("(?>"),
            "{pattern}: {error}"
        );
        assert!(!error.reason.contains('\n'), "{error}");
    }
    let look_behind = refused(Strategy::Regexp, "http://h/<(?<=x)y>");
    assert!(look_behind.reason.contains("look-behind"), "{look_behind}");
}

#[test]
fn m15_repetition_in_repetition_is_linear_without_look_ahead() {
    let index = index(&[
        ("GET", regexp("http://h/<(a+)+$>")),
        ("GET", regexp("http://h/<aaaa[ab]*>")),
    ]);
    let path = format!("/{}b", "a".repeat(8000));
    assert!(matches!(get(&index, &path), Lookup::One { rule: 1, .. }));
}

#[test]
fn m15_with_look_ahead_too_and_other_requests_are_never_affected() {
    let index = index(&[
        ("GET", regexp("http://h/x/<((?=a)a+)+$>")),
        ("GET", regexp("http://h/z/<((?=.*b)a)+>")),
        ("GET", regexp("http://h/<[a-y]>/<.*>")),
    ]);
    let path = format!("/{}b", "a".repeat(4_000));
    assert_eq!(
        get(&index, &format!("/x{path}")),
        one(2, &["x", path.trim_start_matches('/')])
    );
    assert_eq!(get(&index, &format!("/z{path}")), Lookup::TooManySteps(1));
    assert_eq!(get(&index, "/z/aab"), Lookup::None);
    assert_eq!(get(&index, "/y/aaab"), one(2, &["y", "aaab"]));
}

#[test]
fn m16_ports_and_the_case_of_paths_count() {
    let index = index(&[
        ("GET", regexp("http://h:8080/x")),
        ("GET", regexp("http://h/A")),
    ]);
    assert_eq!(get(&index, "/x"), Lookup::None);
    assert_eq!(get(&index, "/a"), Lookup::None);
    assert_eq!(get(&index, "/A"), one(1, &[]));
    assert_eq!(index.lookup("GET", &url("http://h:8080/x")), one(0, &[]));
}

#[test]
fn m17_a_star_stays_within_separators() {
    let index = index(&[("GET", glob("http://h/<*>"))]);
    assert_eq!(get(&index, "/foo"), one(0, &[]));
    assert_eq!(get(&index, "/"), one(0, &[]));
    assert_eq!(get(&index, "/foo/bar"), Lookup::None);
    assert_eq!(get(&index, "/a.b"), Lookup::None);
}

#[test]
fn m18_two_stars_cross_separators_and_capture_nothing() {
    let index = index(&[("GET", glob("http://h/<**>"))]);
    assert_eq!(get(&index, "/a/b.c/d"), one(0, &[]));
}

#[test]
fn m19_alternatives_and_ranges() {
    let pattern = glob("http://h/<{foo*,bar*}>");
    assert!(matches(&pattern, "http://h/barx"));
    assert!(!matches(&pattern, "http://h/baz"));
    let pattern = glob("http://h/<[0-9]*>");
    assert!(matches(&pattern, "http://h/1ab"));
    assert!(!matches(&pattern, "http://h/"));
}

#[test]
fn m20_negated_lists_and_literal_stars() {
    let pattern = glob("http://h/<m[!a,o,u]n>");
    assert!(matches(&pattern, "http://h/min"));
    assert!(!matches(&pattern, "http://h/man"));
    let pattern = glob("http://h/*<?>");
    assert!(!matches(&pattern, "http://h/ab"));
    assert!(matches(&pattern, "http://h/*b"));
}

#[test]
fn m24_an_encoded_slash_is_refused() {
    assert_eq!(read("/a%2Fb"), Err(BadUrl::EncodedSlash));
}

#[test]
fn t4_and_t5_neither_query_nor_case_choose_another_rule() {
    let index = index(&[
        ("GET", regexp("http://h/public<.*>")),
        ("GET", regexp("http://h/admin<.*>")),
    ]);
    assert_eq!(get(&index, "/admin?x=/public"), one(1, &[""]));
    assert_eq!(read("/public#/admin"), Err(BadUrl::Fragment));
    let shouted = Url::from_request(&Request {
        headers: [(":method", "GET"), ("host", "H"), (":path", "/admin")]
            .into_iter()
            .collect(),
        ..Request::default()
    });
    assert_eq!(index.lookup("GET", &shouted.unwrap()), one(1, &[""]));
}

#[test]
fn t6_literal_text_is_literal() {
    let pattern = regexp("http://a.b/x*+(y)|z<[0-9]>");
    assert!(matches(&pattern, "http://a.b/x*+(y)|z1"));
    assert!(!matches(&pattern, "http://aXb/x*+(y)|z1"));
    let pattern = glob("http://a.b/{x,y}*?[z]<?>");
    assert!(matches(&pattern, "http://a.b/{x,y}*?[z]1"));
    assert!(!matches(&pattern, "http://a.b/xab1"));
}

#[test]
fn t24_what_would_grow_too_large_is_refused() {
    for pattern in [
        "http://h/<((a{1,100}){1,100}){1,100}>",
        "http://h/<\\w{1,10000}>",
    ] {
        assert!(!refused(Strategy::Regexp, pattern).reason.is_empty());
    }
    let long = format!("http://h/{}", "a".repeat(20_000));
    assert!(refused(Strategy::Regexp, &long).reason.contains("bytes"));
    let deep = format!("http://h/<{}{}>", "(".repeat(500), ")".repeat(500));
    assert!(refused(Strategy::Regexp, &deep).reason.contains("deep"));
    let deep = format!("http://h/<{}>", "{".repeat(500));
    assert!(refused(Strategy::Glob, &deep).reason.contains("deep"));
}
