use super::{expect, fails};

#[test]
fn trim_markers_and_comments_remove_what_go_removes() {
    expect(&[
        (" a {{- 1 -}} b ", " a1b "),
        ("a {{ 1 }} b", "a 1 b"),
        ("a {{- /* c */ -}} b", "ab"),
        ("{{/* c */}}x", "x"),
        ("a {{/* c */ -}} b", "a b"),
        ("x{{/* }} */}}y", "xy"),
        ("{{- 1 -}}\n\t{{- 2 -}}\n", "12"),
        ("{{`}}`}}{{ \"{{\" }}", "}}{{"),
        ("{{ -1 }}{{-1 | print -}} x", "-1-1x"),
        ("{{print\n1}}", "1"),
    ]);
}

#[test]
fn literals_are_gos() {
    expect(&[
        (r#"{{"a\n\t\"\x41\u00e9\101\\"}}"#, "a\n\t\"AéA\\"),
        (r"{{`raw\n`}}", r"raw\n"),
        (r"{{'x'}} {{'\''}}", "120 39"),
        (
            "{{0x10}} {{0b11}} {{0o17}} {{017}} {{1_000}} {{+3}}",
            "16 3 15 15 1000 3",
        ),
        ("{{1e3}} {{1.5e-3}} {{.5}} {{5.}}", "1000 0.0015 0.5 5"),
        (
            "{{9223372036854775807}} {{-9223372036854775808}}",
            "9223372036854775807 -9223372036854775808",
        ),
        ("{{true}} {{false}}", "true false"),
    ]);
}

#[test]
fn conditions_choose_and_with_rebinds() {
    expect(&[
        (
            "{{if 0}}a{{else if \"\"}}b{{else if 1}}c{{else}}d{{end}}",
            "c",
        ),
        ("{{if .Extra.el}}a{{else}}b{{end}}", "b"),
        (
            "{{with .Extra.nope}}a{{else with .Extra.n}}{{.}}{{else}}c{{end}}",
            "10",
        ),
        (
            "{{with $x := .Extra.m}}{{.a}}{{$x.b}}{{$.Subject}}{{end}}",
            "12al<i>ce",
        ),
        ("{{if $x := 1}}{{$x}}{{else}}{{$x}}{{end}}", "1"),
        (
            "{{if and (eq .Extra.n 10.0) (or .Extra.yes .Extra.nope)}}y{{end}}",
            "y",
        ),
    ]);
}

#[test]
fn range_turns_over_lists_maps_and_numbers() {
    expect(&[
        (
            "{{range .Extra.list}}<{{.}}>{{end}}",
            "<x><y><<no value>><3>",
        ),
        (
            "{{range $i, $e := .Extra.roles}}{{$i}}={{$e}};{{end}}",
            "0=admin;1=user;",
        ),
        (
            "{{range $k, $v := .Extra.m}}{{$k}}:{{$v}} {{end}}",
            "a:1 b:2 c:<no value> d:map[e:[f]] ",
        ),
        ("{{range .Extra.el}}a{{else}}b{{end}}", "b"),
        ("{{range .Extra.nope}}a{{else}}b{{end}}", "b"),
        (
            "{{range 3}}{{.}}{{end}}{{range $i := 2}}{{$i}}{{end}}",
            "01201",
        ),
        (
            "{{range .Extra.nums}}{{if eq . 2.0}}{{continue}}{{end}}{{.}}{{end}}",
            "13",
        ),
        (
            "{{range .Extra.nums}}{{if eq . 2.0}}{{break}}{{end}}{{.}}{{end}}",
            "1",
        ),
        (
            "{{range .Extra.objs}}{{.name}}{{if .ok}}!{{end}}{{$.Extra.n}} {{end}}",
            "a!10 b10 ",
        ),
        (
            "{{range $i, $c := splitList \",\" \"a,b\"}}{{if $i}}, {{end}}{{$c}}{{end}}",
            "a, b",
        ),
    ]);
    fails(&[
        ("{{range .Extra.str}}{{end}}", "cannot iterate"),
        ("{{range $i, $j := 3}}{{end}}", "one variable"),
    ]);
}

#[test]
fn variables_are_scoped_and_assigned() {
    expect(&[
        (
            "{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{$x}}{{end}}{{$x}}",
            "32",
        ),
        (
            "{{$x := 1}}{{$y := add $x 1}}{{$x := add $x $y}}{{$x}}",
            "3",
        ),
        (
            "{{$x := 1}}{{range .Extra.nums}}{{$x = .}}{{end}}{{$x}}",
            "3",
        ),
        (
            "{{$i := 0}}{{$e := 0}}{{range $i, $e = .Extra.nums}}{{end}}{{$i}}{{$e}}",
            "23",
        ),
        (
            "{{$i := 0}}{{range $i, $e := .Extra.nums}}{{end}}{{$i}}",
            "0",
        ),
        ("{{$x:=.Extra.m}}{{$x.d.e}}", "[f]"),
    ]);
}

#[test]
fn pipelines_hand_their_value_on_as_the_last_argument() {
    expect(&[
        (
            r#"{{ "a" | printf "%s-%s" "b" | upper | quote }}"#,
            r#""B-A""#,
        ),
        ("{{ (print 1) | print }}{{ (1) }}", "11"),
        ("{{ (first .Extra.objs).name }}", "a"),
        ("{{ .Extra.nope | default \"z\" }}", "z"),
        ("{{ 1 | and 2 }}{{ 0 | or 0 }}", "10"),
    ]);
}

#[test]
fn templates_are_called_with_a_dot_of_their_own() {
    expect(&[
        (
            r#"{{define "a"}}[{{.}}{{template "b" .}}]{{end}}{{define "b"}}({{.}}){{end}}{{template "a" 1}}{{template "a"}}"#,
            "[1(1)][<no value>(<no value>)]",
        ),
        (r#"{{block "b" .Extra.m}}{{.a}}{{end}}"#, "1"),
        (
            r#"{{$y := 2}}{{define "v"}}{{$x := 5}}{{$}}{{$x}}{{end}}{{template "v" $y}}{{$y}}"#,
            "252",
        ),
    ]);
}

#[test]
fn the_error_names_the_place() {
    let error = super::render("a\n  {{ 1 }}{{ .Nope }}").unwrap_err();
    assert_eq!((error.line, error.column), (2, 13));
}
