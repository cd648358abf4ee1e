use serde_json::json;

use super::{Template, fails, render_with, session};

#[test]
fn work_text_and_depth_end_in_an_error() {
    fails(&[
        ("{{ range 1000000000000 }}{{ end }}", "steps"),
        ("{{ range 400 }}{{ range 400 }}{{ end }}{{ end }}", "steps"),
        (
            "{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}",
            "levels",
        ),
        (
            "{{ $x := \"aaaaaaaa\" }}{{ range 100 }}{{ $x = print (cat $x $x) }}{{ end }}",
            "text",
        ),
        ("{{ repeat 1000000000 \"aaaa\" }}", "text"),
        ("{{ printf \"%999999d\" 1 }}", "text"),
        ("{{ until 1000000000 }}", "steps"),
        ("{{ seq 1000000000 }}", "steps"),
        (
            "{{ untilStep 9223372036854775806 9223372036854775807 9 | len | fail }}",
            "string",
        ),
        ("{{ indent 1000000 \"a\" }}", "text"),
        ("{{ nindent 1000 (repeat 1000 \"\\n\") }}", "text"),
        (
            "{{ wrapWith 1 (repeat 1000 \"b\") (repeat 1000 \"a\") }}",
            "text",
        ),
        (
            "{{ regexReplaceAll \"\" (repeat 1000 \"a\") (repeat 1000 \"b\") }}",
            "text",
        ),
        (
            "{{ range 100 }}{{ regexFindAll \"a\" (repeat 1000 \"a\") -1 }}{{ end }}",
            "steps",
        ),
        (
            "{{ range 200 }}{{ splitn \"\" -1 (repeat 1000 \"a\") }}{{ end }}",
            "limit",
        ),
        (
            "{{ range 1000 }}{{ regexMatch \"^(a|b|ab)*c$\" (repeat 400 \"ab\") }}{{ end }}",
            "limit",
        ),
        ("{{ printf \"%.999999f\" 1.0 }}", "precision"),
        (
            "{{ replace \"\" (repeat 1000 \"b\") (repeat 1000 \"a\") }}",
            "text",
        ),
        (
            "{{ join (repeat 10000 \"b\") (splitList \"\" (repeat 100 \"a\")) }}",
            "text",
        ),
        (
            "{{ $l := list }}{{ range 100 }}{{ $l = list $l }}{{ end }}{{ $l }}",
            "32 levels",
        ),
        (
            "{{ $m := dict }}{{ range 100 }}{{ $m = dict \"k\" $m }}{{ end }}",
            "32 levels",
        ),
        (
            "{{ $l := list 1 }}{{ range 100 }}{{ $l = concat $l $l }}{{ end }}",
            "steps",
        ),
        (
            "{{ fromJson (printf \"%s%s\" (repeat 50 \"[\") (repeat 50 \"]\")) }}",
            "32 levels",
        ),
        (
            "{{ range 100 }}{{ $.Subject | repeat 1000 }}{{ end }}",
            "text",
        ),
    ]);
}

#[test]
fn a_claim_as_large_as_a_header_allows_is_no_danger() {
    let list: Vec<_> = (0..20_000).map(|n| json!(n)).collect();
    let session = session(json!({"list": list, "text": "a".repeat(60_000)}));
    assert!(render_with(&session, "{{ .Extra.list }}").is_ok());
    assert!(
        render_with(&session, "{{ range .Extra.list }}{{ . }}{{ end }}")
            .unwrap_err()
            .problem
            .contains("limit")
    );
    let quadratic =
        "{{ range .Extra.list }}{{ has . $.Extra.list }}{{ contains $.Extra.text \"b\" }}{{ end }}";
    assert!(
        render_with(&session, quadratic)
            .unwrap_err()
            .problem
            .contains("limit")
    );
}

#[test]
fn the_parser_bounds_size_and_depth() {
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
    let ifs = "{{if 1}}".repeat(5_000);
    let blocks = "{{block \"b\" .}}".repeat(3_000);
    for source in [parentheses, ifs, blocks] {
        let error = Template::parse(&source).unwrap_err();
        assert!(error.problem.contains("25 levels"), "{error}");
    }
    assert!(
        Template::parse(&"x".repeat(70_000))
            .unwrap_err()
            .problem
            .contains("64 KiB")
    );
    let arms = format!("{{{{if 0}}}}{}{{{{end}}}}", "{{else if 0}}".repeat(3_000));
    assert!(Template::parse(&arms).is_ok());
}

#[test]
fn the_deepest_template_fits_the_stack_of_a_wasm_vm() {
    let deepest = || {
        let nested = [
            "{{define \"r\"}}",
            &"{{range $.Extra.roles}}".repeat(12),
            "{{print ",
            &"(print ".repeat(12),
            "1",
            &")".repeat(12),
            "}}{{template \"r\" $}}",
            &"{{end}}".repeat(13),
            "{{template \"r\" .}}",
        ]
        .concat();
        let error = render_with(&session(json!({"roles": ["x"]})), &nested).unwrap_err();
        assert!(error.problem.contains("levels"), "{error}");
        let mut deep = json!("leaf");
        for level in 0..120 {
            deep = if level % 2 == 0 {
                json!([deep])
            } else {
                json!({ "k": deep })
            };
        }
        let session = session(json!({"deep": deep}));
        for source in [
            "{{ .Extra.deep }}",
            "{{ toJson .Extra.deep }}",
            "{{ has .Extra.deep (list .Extra.deep) }}",
        ] {
            assert!(render_with(&session, source).is_ok(), "{source}");
        }
    };
    // Unoptimised frames are larger than those of the module.
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(deepest)
        .unwrap()
        .join()
        .unwrap();
}
