use serde_json::json;

use super::{expect, fails, render_with, session};
use crate::session::Session;

#[test]
fn a_missing_key_prints_as_no_value_or_as_nothing() {
    // U01, U02
    expect(&[
        ("{{ print .Extra.nope }}", ""),
        ("{{ .Extra.nope }}", "<no value>"),
        ("{{ print .Extra.nul }}", ""),
        ("{{ .Extra.nul }}", "<no value>"),
        ("{{ .Extra.m.d.nope }}", "<no value>"),
        ("{{ .MatchContext.Header.Nope }}", "[]"),
    ]);
}

#[test]
fn going_through_a_missing_key_is_an_error() {
    fails(&[
        ("{{ .Extra.a.b }}", "field `b`"),
        ("{{ .Extra.nul.b }}", "field `b`"),
        ("{{ print .Extra.m.d.nope.x }}", "field `x`"),
        ("{{ .Extra.str.x }}", "in type string"),
        ("{{ range .Extra.list }}{{ .x }}{{ end }}", "field `x`"),
    ]);
    // Go makes an exception for a value that has been a pipeline of its own.
    expect(&[
        ("{{ (.Extra.nope).b }}", "<no value>"),
        ("{{ $x := .Extra.nope }}{{ $x.b }}", "<no value>"),
        (
            "{{ template \"t\" }}{{ define \"t\" }}{{ .a.b }}{{ end }}",
            "<no value>",
        ),
    ]);
}

#[test]
fn an_unknown_field_of_the_session_is_an_error() {
    fails(&[
        ("{{ .Nope }}", "`Nope`"),
        ("{{ .MatchContext.Nope }}", "`Nope`"),
        ("{{ .MatchContext.URL.Nope }}", "`Nope`"),
        ("{{ .Subject.foo }}", "`foo`"),
        ("{{ . }}", "cannot be printed"),
    ]);
}

#[test]
fn json_numbers_print_as_go_floats() {
    // U03
    expect(&[
        ("{{ print .Extra.n }}", "10"),
        ("{{ print .Extra.pi }}", "3.14159"),
        ("{{ print .Extra.yes }}", "true"),
        ("{{ print .Extra.mil }}", "1e+06"),
        ("{{ .Extra.k }}", "999999"),
        ("{{ .Extra.big }}", "1.234567e+06"),
        ("{{ .Extra.ts }}", "1.7e+09"),
        ("{{ .Extra.s4 }}", "0.0001"),
        ("{{ .Extra.s5 }}", "1e-05"),
        ("{{ int64 .Extra.ts }}", "1700000000"),
        ("{{ printf \"%.0f\" .Extra.ts }}", "1700000000"),
        ("{{ printf \"%d\" .Extra.ts }}", "%!d(float64=1.7e+09)"),
        ("{{ toJson .Extra.ts }}", "1700000000"),
    ]);
}

#[test]
fn an_index_outside_is_empty_with_print_index_and_an_error_with_index() {
    // U04
    expect(&[
        ("{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}", "g0"),
        ("{{ printIndex .MatchContext.RegexpCaptureGroups 5 }}", ""),
        ("{{ printIndex .Extra.nope 0 }}", ""),
        ("{{ printIndex .Extra.str 0 }}", ""),
        ("{{ printIndex .Extra.list 2 }}", "<nil>"),
        ("{{ index .MatchContext.RegexpCaptureGroups 2 }}", "g2"),
        ("{{ index .Extra \"m\" \"d\" \"e\" 0 }}", "f"),
        ("{{ index .Extra \"https://x/role\" }}", "r"),
        ("{{ index .Extra \"nope\" }}", "<no value>"),
        ("{{ index \"abc\" 1 }}", "98"),
    ]);
    fails(&[
        (
            "{{ index .MatchContext.RegexpCaptureGroups 5 }}",
            "out of range",
        ),
        ("{{ index .Extra.nums 3 }}", "out of range"),
        ("{{ index .Extra.nums -1 }}", "out of range"),
        ("{{ index .Extra.nums 1.0 }}", "integer"),
        ("{{ index .Extra.nope 0 }}", "missing"),
        ("{{ index .Extra.m 1 }}", "string"),
        (
            "{{ printIndex .MatchContext.RegexpCaptureGroups -1 }}",
            "negative",
        ),
        ("{{ printIndex .Extra.nums 1.0 }}", "integer"),
    ]);
}

#[test]
fn maps_and_lists_print_as_in_go() {
    expect(&[
        ("{{ .Extra.m }}", "map[a:1 b:2 c:<nil> d:map[e:[f]]]"),
        ("{{ print .Extra.list }}", "[x y <nil> 3]"),
        ("{{ .Extra.el }} {{ .Extra.em }}", "[] map[]"),
        ("{{ .MatchContext.RegexpCaptureGroups }}", "[g0  g2]"),
        ("{{ .Header }}", "map[X-Set:[set]]"),
    ]);
    let nobody = Session::default();
    assert_eq!(
        render_with(&nobody, "{{ .Extra }}{{ .Header }}").unwrap(),
        "map[]map[]"
    );
    assert_eq!(
        render_with(&nobody, "{{ print .Extra.x }}{{ toJson .Extra }}").unwrap(),
        "null"
    );
}

#[test]
fn the_url_has_gos_fields_and_methods() {
    expect(&[
        ("{{ .MatchContext.URL.Path }}", "/a b/ü"),
        ("{{ .MatchContext.URL.Host }}", "h.test:8443"),
        (
            "{{ .MatchContext.URL.Hostname }}|{{ .MatchContext.URL.Port }}",
            "h.test|8443",
        ),
        ("{{ .MatchContext.URL.Scheme }}", "https"),
        (
            "{{ .MatchContext.URL.RawQuery }}",
            "q=1&q=2&x=%2F+y&bad=%zz",
        ),
        (
            "{{ .MatchContext.URL.String }}",
            "https://h.test:8443/a%20b/%C3%BC?q=1&q=2&x=%2F+y&bad=%zz",
        ),
        (
            "{{ .MatchContext.URL }}",
            "https://h.test:8443/a%20b/%C3%BC?q=1&q=2&x=%2F+y&bad=%zz",
        ),
        ("{{ .MatchContext.URL.EscapedPath }}", "/a%20b/%C3%BC"),
        ("{{ .MatchContext.URL.Query.Get \"q\" }}", "1"),
        ("{{ (.MatchContext.URL.Query).Get \"x\" }}", "/ y"),
        ("{{ .MatchContext.URL.Query.Has \"bad\" }}", "false"),
        ("{{ index .MatchContext.URL.Query \"q\" 1 }}", "2"),
        ("{{ .MatchContext.URL.Query.q }}", "[1 2]"),
        ("{{ .MatchContext.Method }}", "GET"),
    ]);
    fails(&[("{{ .MatchContext.URL.Path 1 }}", "no arguments")]);
}

#[test]
fn header_fields_are_found_by_any_case_through_get_only() {
    expect(&[
        ("{{ .MatchContext.Header.Get \"x-foo\" }}", "one"),
        ("{{ .MatchContext.Header.Get \"nope\" }}", ""),
        ("{{ .MatchContext.Header.Values \"X-FOO\" }}", "[one two]"),
        ("{{ \"X-Foo\" | .MatchContext.Header.Get }}", "one"),
        ("{{ index .MatchContext.Header \"X-Foo\" 1 }}", "two"),
        ("{{ index .MatchContext.Header \"x-foo\" }}", "[]"),
        ("{{ .MatchContext.Header.Accept }}", "[*/*]"),
        ("{{ .Header.Get \"X-Set\" }}", "set"),
        // Neither `Host` nor HTTP/2's pseudo-headers are header fields in Go.
        (
            "{{ .MatchContext.Header.Get \"Host\" }}{{ .MatchContext.Header.Get \":path\" }}",
            "",
        ),
        ("{{ len .MatchContext.Header }}", "3"),
        // Bytes that are not UTF-8 are replaced, one by one.
        (
            "{{ .MatchContext.Header.Get \"x-raw\" }}",
            "\u{fffd}\u{fffd}",
        ),
    ]);
    fails(&[
        (
            "{{ index .MatchContext.Header \"x-foo\" 0 }}",
            "out of range",
        ),
        ("{{ .MatchContext.Header.Get }}", "one name"),
        ("{{ .MatchContext.Header.Get 1 }}", "one name"),
        ("{{ .Extra.str 1 }}", "not a method"),
        ("{{ 1 | .Extra.str }}", "not a method"),
    ]);
}

#[test]
fn the_last_header_that_was_set_counts() {
    let session = Session {
        headers: vec![("X-A".into(), "old".into()), ("x-a".into(), "new".into())],
        ..session(json!({}))
    };
    assert_eq!(
        render_with(&session, "{{ .Header.Get \"X-a\" }} {{ .Header }}").unwrap(),
        "new map[X-A:[new]]"
    );
}

#[test]
fn values_land_raw_unless_a_function_escapes_them() {
    expect(&[
        (
            "{{ .Subject }}|{{ print .Subject }}|{{ print $.Subject }}",
            "al<i>ce|al<i>ce|al<i>ce",
        ),
        ("{{ .Subject }}", "al<i>ce"),
        ("{{ print .Subject }}", "al<i>ce"),
        (
            "{\"sub\":{{ toJson .Subject }}}",
            r#"{"sub":"al\u003ci\u003ece"}"#,
        ),
        (
            "{\"html\":{{ toRawJson .Extra.html }}}",
            r#"{"html":"<a href='x'>&\"\\=\n"}"#,
        ),
        ("plain", "plain"),
        ("", ""),
    ]);
}
