use super::Template;

fn refused(cases: &[(&str, &str)]) {
    for (source, says) in cases {
        let error = Template::parse(source).expect_err(source).to_string();
        assert!(error.contains(says), "{source}: {error}");
    }
}

#[test]
fn an_unknown_function_is_named_when_the_template_is_loaded() {
    refused(&[
        ("{{ nope }}", "unknown function `nope`"),
        ("{{ Subject }}", "`.Subject`"),
        ("{{ .Subject | nope }}", "`nope`"),
        ("{{ if false }}{{ nope }}{{ end }}", "`nope`"),
    ]);
}

#[test]
fn a_refused_function_says_why() {
    refused(&[
        (
            "{{ env \"HOME\" }}",
            "`env` is refused: it would hand the host's environment",
        ),
        ("{{ expandenv \"$HOME\" }}", "`expandenv` is refused"),
        ("{{ getHostByName \"x\" }}", "network"),
        ("{{ genPrivateKey \"rsa\" }}", "keys"),
        ("{{ now }}", "clock"),
        ("{{ now | date \"2006\" }}", "clock"),
        ("{{ uuidv4 }}", "random"),
        ("{{ randAlpha 3 }}", "random"),
        ("{{ set .Extra \"a\" 1 }}", "in place"),
        ("{{ call .X }}", "no functions to call"),
        ("{{ sha1sum \"x\" }}", "use `sha256sum`"),
        ("{{ semver \"1.2\" }}", "not supported"),
        ("{{ camelcase \"x\" }}", "not supported"),
    ]);
}

#[test]
fn a_wrong_number_of_arguments_is_found_at_load() {
    refused(&[
        ("{{ print }}", "at least 1"),
        ("{{ print 1 2 }}", "at most 1"),
        ("{{ 1 | print 2 }}", "at most 1"),
        ("{{ printIndex 1 }}", "at least 2"),
        ("{{ printf \"%s\" print }}", "at least 1"),
        ("{{ regexMatch .Subject \"x\" }}", "literal"),
        ("{{ regexMatch \"(\" \"x\" }}", "does not compile"),
        ("{{ regexFind (print \"x\") \"x\" }}", "literal"),
        (
            "{{ \"x\" | regexQuoteMeta | regexReplaceAll \"x\" }}",
            "at least 3",
        ),
        ("{{ mustRegexMatch \"x{1001}\" \"x\" }}", "more than 1000"),
        ("{{ regexMatch \"(?x) a\" \"x\" }}", "the flag `x`"),
        ("{{ regexMatch \"(?=a)\" \"x\" }}", "the flag `=`"),
        (
            "{{ regexMatch \"(\\\\w{100}){1000}\" \"x\" }}",
            "does not compile",
        ),
    ]);
}

#[test]
fn bad_syntax_is_refused_with_its_place() {
    refused(&[
        ("{{ .x", "line 1, column 1: the action has no end"),
        ("a\n{{/* c }}", "line 2, column 1: the comment has no end"),
        ("{{ /* c */ }}", "unexpected `/`"),
        ("{{/* c */ x}}", "fill its action"),
        ("{{ }}", "misses a value"),
        ("{{ | print 1 }}", "unexpected `|`"),
        ("{{ 1 2 }}", "takes no arguments"),
        ("{{ \"a\" | \"b\" }}", "takes no arguments"),
        ("{{ nil }}", "not a command"),
        ("{{ print (1 }}", "no end"),
        ("{{ print 1) }}", "unexpected `)`"),
        ("{{ print(1) }}", "unexpected `(`"),
        ("{{ print \"a\"\"b\" }}", "unexpected a string"),
        ("{{ \"a\".b }}", "no fields"),
        ("{{ print.x }}", "parentheses"),
        ("{{ \"a }}", "no end"),
        ("{{ `a }}", "no end"),
        ("{{ 'ab' }}", "one character"),
        (r#"{{ "\q" }}"#, r"unknown escape `\q`"),
        (r#"{{ "\xZZ" }}"#, "more digits"),
        (r#"{{ "\ud800" }}"#, "no Unicode character"),
        (r#"{{ "\xff" }}"#, "UTF-8"),
        ("{{ 08 }}", "bad number `08`"),
        ("{{ 1__0 }}", "bad number"),
        ("{{ 99999999999999999999 }}", "bad number"),
        ("{{ 1i }}", "bad number"),
        ("{{ $x }}", "undefined variable `$x`"),
        ("{{ $x = 1 }}", "undefined variable `$x`"),
        (
            "{{ if 1 }}{{ $x := 1 }}{{ end }}{{ $x }}",
            "undefined variable",
        ),
        (
            "{{ $x := 1 }}{{ define \"v\" }}{{ $x }}{{ end }}",
            "undefined variable",
        ),
        ("{{ $x, $y := 1 }}", "undefined variable"),
        ("{{ range $x, $y }}{{ end }}", "expected `:=`"),
        ("{{ if 1 }}", "`if` has no `{{end}}`"),
        ("{{ end }}", "unexpected `{{end}}`"),
        ("{{ else }}", "unexpected `{{else}}`"),
        (
            "{{ if 1 }}{{ else }}{{ else }}{{ end }}",
            "second `{{else}}`",
        ),
        ("{{ break }}", "outside of `range`"),
        (
            "{{ range .x }}{{ block \"b\" . }}{{ break }}{{ end }}{{ end }}",
            "outside of `range`",
        ),
        ("{{ template \"x\" }}", "`x` is not defined"),
        ("{{ template x }}", "in quotes"),
        (
            "{{ define \"x\" }}{{ end }}{{ define \"x\" }}{{ end }}",
            "defined twice",
        ),
        (
            "{{ if 1 }}{{ define \"x\" }}{{ end }}{{ end }}",
            "outside of every other action",
        ),
        ("{{ # }}", "unexpected `#`"),
    ]);
}
