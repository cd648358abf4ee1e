use super::expect;

#[test]
fn go_marks_what_does_not_fit_a_verb() {
    expect(&[
        (r#"{{printf "%s" "a" "b"}}"#, "a%!(EXTRA string=b)"),
        (r#"{{printf "%s"}}"#, "%!s(MISSING)"),
        (r#"{{printf "%"}}"#, "%!(NOVERB)"),
        (r#"{{printf "%%"}}"#, "%"),
        (r#"{{printf "%z" 1}}"#, "%!z(int=1)"),
        (r#"{{printf "%d %s" "a"}}"#, "%!d(string=a) %!s(MISSING)"),
        (
            r#"{{printf "x" 1 nil "a"}}"#,
            "x%!(EXTRA int=1, <nil>, string=a)",
        ),
        (r#"{{printf "%d" true}}"#, "%!d(bool=true)"),
        (
            r#"{{printf "%s" nil}} {{printf "%v" nil}}"#,
            "%!s(<nil>) <nil>",
        ),
        (
            r#"{{printf "%t" 1}} {{printf "%s" 5}} {{printf "%d" .Extra.n}} {{printf "%+d" .Extra.n}}"#,
            "%!t(int=1) %!s(int=5) %!d(float64=10) %!d(float64=+10)",
        ),
        (
            r#"{{printf "%d" .Extra.list}}"#,
            "[%!d(string=x) %!d(string=y) <nil> %!d(float64=3)]",
        ),
        (
            r#"{{printf "%q" .Extra.m}}"#,
            r#"map["a":%!q(float64=1) "b":%!q(float64=2) "c":<nil> "d":map["e":["f"]]]"#,
        ),
        (
            r#"{{printf "%d" 1.5}} {{printf "%5t" .Extra.n}}"#,
            "%!d(float64=1.5) %!t(float64=   10)",
        ),
    ]);
}

#[test]
fn integers_take_flags_width_and_precision() {
    expect(&[
        (
            r#"{{printf "%+d|% d|%+d|%x|%X|%#x|%o|%#o|%b|%#b|%O" 5 5 -5 255 255 255 8 8 5 5 8}}"#,
            "+5| 5|-5|ff|FF|0xff|10|010|101|0b101|0o10",
        ),
        (
            r#"{{printf "%08d|%-8d|%+08d|%8.3d|%08.3d|%.0d" 42 42 42 42 42 0}}"#,
            "00000042|42      |+0000042|     042|     042|",
        ),
        (
            r#"{{printf "%*d|%-*d|%.*f" 5 1 5 2 2 3.14159}}"#,
            "    1|2    |3.14",
        ),
        (
            r#"{{printf "%c %U %q %+q" 'é' 'é' 'é' 'é'}}"#,
            r#"é U+00E9 'é' '\u00e9'"#,
        ),
    ]);
}

#[test]
fn floats_take_every_form_of_go() {
    expect(&[
        (
            r#"{{printf "%e|%E|%.2e|%g|%G|%.3g|%.10g" 1234.5678 1234.5678 1234.5678 1e21 1e-7 1234.5678 1234.5678}}"#,
            "1.234568e+03|1.234568E+03|1.23e+03|1e+21|1E-07|1.23e+03|1234.5678",
        ),
        (
            r#"{{printf "%5.1f|%-8.2f|%+.1f|%08.3f|%f|%.0f" 3.14159 2.5 1.25 -3.14159 1.5 2.5}}"#,
            "  3.1|2.50    |+1.2|-003.142|1.500000|2",
        ),
        (
            r#"{{printf "%g %g %g %g" 100000.0 1000000.0 123456789.0 0.0001}}"#,
            "100000 1e+06 1.23456789e+08 0.0001",
        ),
        (
            r#"{{printf "%.3g %.3g %.3g %.1g %.0g" 100.0 1000.0 0.00001234 99.0 5.0}}"#,
            "100 1e+03 1.23e-05 1e+02 5",
        ),
        (
            r#"{{printf "%v %v %v %.2v" 1e6 1e20 1e21 3.14159}}"#,
            "1e+06 1e+20 1e+21 3.1",
        ),
        (
            r#"{{printf "%6v|%06v|%-6v|" 1.5 1.5 1.5}}"#,
            "   1.5|0001.5|1.5   |",
        ),
        (
            r#"{{printf "%5d|%-5q|%05.1f" .Extra.roles .Extra.roles .Extra.nums}}"#,
            r#"[%!d(string=admin) %!d(string= user)]|["admin" "user"]|[001.0 002.0 003.0]"#,
        ),
    ]);
}

#[test]
fn strings_are_padded_cut_quoted_and_hexed() {
    expect(&[
        (
            r#"{{printf "%5s|%-5s|%05s|%.2s|%5.1s" "abc" "abc" "abc" "abc" "éabc"}}"#,
            "  abc|abc  |00abc|ab|    é",
        ),
        (
            r#"{{printf "%q %+q %#q %x %X" "a\"b\n" "é☺" "raw" "hello" "hello"}}"#,
            r#""a\"b\n" "\u00e9\u263a" `raw` 68656c6c6f 68656C6C6F"#,
        ),
        (r#"{{printf "%+q" .Extra.roles}}"#, r#"["admin" "user"]"#),
        (
            r#"{{printf "%v %s %t %T %T %T" .Extra.m .Extra.list true 1.5 "s" .Extra.list}}"#,
            "map[a:1 b:2 c:<nil> d:map[e:[f]]] [x y <nil> %!s(float64=3)] true float64 string []interface {}",
        ),
        (
            r#"{{printf "%s %q" .MatchContext.URL .MatchContext.Method}}"#,
            r#"https://h.test:8443/a%20b/%C3%BC?q=1&q=2&x=%2F+y&bad=%zz "GET""#,
        ),
        (r#"{{println}}{{println "a" 1 2 nil}}"#, "\na 1 2 <nil>\n"),
    ]);
}
