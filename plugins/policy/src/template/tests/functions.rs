use super::{expect, fails};

#[test]
fn truth_and_comparison() {
    expect(&[
        (
            r#"{{and 1 0 (fail "x")}} {{or 1 (fail "x")}} {{or 0 "" nil}} {{and 1 2 3}} {{not .Extra.nope}}"#,
            "0 1 <no value> 3 true",
        ),
        (
            r#"{{eq 1 2 3 1}} {{eq .Extra.n .Extra.n}} {{eq .Extra.nope .Extra.nul}} {{eq .Extra.m nil}} {{eq .Extra.nope "x"}}"#,
            "true true true false false",
        ),
        (
            r#"{{eq true true}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1.5 1.5}} {{gt .Extra.n 9.5}}"#,
            "true true true true true true true",
        ),
    ]);
}

#[test]
fn lengths_defaults_and_choices() {
    expect(&[
        (
            r#"{{len "é"}} {{len .Extra.m}} {{len .Extra.nums}}"#,
            "2 4 3",
        ),
        (
            r#"{{default "d" ""}} {{default "d" "x"}} {{default "d"}} {{default "d" 0}} {{default "d" .Extra.el}}"#,
            "d x d d d",
        ),
        (
            r#"{{empty ""}} {{empty .Extra.n}} {{coalesce 0 "" nil 5}} {{coalesce nil ""}}"#,
            "true false 5 <no value>",
        ),
        (
            r#"{{ternary "a" "b" true}} {{false | ternary "a" "b"}} {{all 1 0}} {{any 0 1}}"#,
            "a b false true",
        ),
        (
            r#"{{kindOf 1}} {{kindOf 1.5}} {{kindOf "s"}} {{kindOf .Extra.list}} {{kindIs "map" .Extra.m}}"#,
            "int float64 string slice true",
        ),
    ]);
}

#[test]
fn escapes_for_html_scripts_and_queries() {
    expect(&[
        (
            r#"{{html .Extra.html}} {{html "<" 1 2 "x" nil}}"#,
            "&lt;a href=&#39;x&#39;&gt;&amp;&#34;\\=\n &lt;1 2x&lt;no value&gt;",
        ),
        (
            r#"{{js "it's </script>=é"}}"#,
            r#"it\'s \u003C/script\u003E\u003Dé"#,
        ),
        (r#"{{urlquery "a b&c=é~"}}"#, "a+b%26c%3D%C3%A9~"),
    ]);
}

#[test]
fn strings_are_cut_joined_and_changed() {
    expect(&[
        (
            r#"{{join "," .Extra.roles}} {{join "-" .Extra.list}} {{join "," "x"}} {{join "," nil}} {{join "," (list 1 nil 2.5 true)}}"#,
            "admin,user x-y-3 x  1,2.5,true",
        ),
        (
            r#"{{splitList "," "a,,b"}} {{splitList "" "abc"}} {{len (splitList "," "")}}"#,
            "[a  b] [a b c] 1",
        ),
        (
            r#"{{replace "a" "b" "banana"}} {{replace "" "-" "abc"}} {{replace "a" "" "banana"}}"#,
            "bbnbnb -a-b-c- bnn",
        ),
        (
            r#"{{trim "  a b \n"}}|{{trimAll "$" "$5$"}}|{{trimPrefix "-" "-h-"}}|{{trimSuffix "-" "-h-"}}"#,
            "a b|5|h-|-h",
        ),
        (
            r#"{{lower "ÄBC"}} {{upper "äßi"}} {{title "hello wörld foo_bar x-y 1a élan"}}"#,
            "äbc ÄßI Hello Wörld Foo_bar X-Y 1a Élan",
        ),
        (
            r#"{{substr 0 5 "hello world"}} {{substr -1 3 "hello"}} {{substr 2 -1 "hello"}} {{substr 2 100 "hello"}}"#,
            "hello hel llo llo",
        ),
        (
            r#"{{trunc 3 "hello"}} {{trunc -3 "hello"}} {{trunc 9 "hello"}} {{repeat 3 "ab"}}"#,
            "hel llo hello ababab",
        ),
        (
            r#"{{contains "b" "abc"}} {{hasPrefix "a" "abc"}} {{hasSuffix "a" "abc"}}"#,
            "true true false",
        ),
        (
            r#"{{quote "a\"b" 1 nil 2.5}} {{squote "a'b" nil true}} {{quote nil}} {{quote .Extra.m}}"#,
            r#""a\"b" "1" "2.5" 'a'b' 'true'  "map[a:1 b:2 c:<nil> d:map[e:[f]]]""#,
        ),
        (
            r#"{{cat "a" nil 1}} {{toString 1.5}} {{toString .Extra.m}}"#,
            "a 1 1.5 map[a:1 b:2 c:<nil> d:map[e:[f]]]",
        ),
        (
            r#"{{regexMatch "^a.c$" "abc"}} {{"xyz" | regexMatch "^y"}}"#,
            "true false",
        ),
    ]);
}

#[test]
fn json_and_base64_both_ways() {
    expect(&[
        (
            "{{toJson .Extra.m}} {{toJson .Extra.html}} {{toJson nil}} {{toJson .Extra.em}} {{toJson .Extra.el}}",
            r#"{"a":1,"b":2,"c":null,"d":{"e":["f"]}} "\u003ca href='x'\u003e\u0026\"\\=\n" null {} []"#,
        ),
        (
            r#"{{toRawJson .Extra.html}} {{toJson 1e21}} {{toJson 1e-7}} {{toJson .Extra.ts}} {{toJson "\x01"}}"#,
            r#""<a href='x'>&\"\\=\n" 1e+21 1e-7 1700000000 "\u0001""#,
        ),
        (
            "{{toJson .MatchContext.RegexpCaptureGroups}} {{toJson .MatchContext.URL.Query}} {{toJson .Header}}",
            r#"["g0","","g2"] {"q":["1","2"],"x":["/ y"]} {"X-Set":["set"]}"#,
        ),
        (
            r#"{{(fromJson .Extra.json).a}} {{fromJson "bad"}} {{(fromJson "{\"a\":{\"b\":1}}").a.b}} {{mustToJson 1}}"#,
            "[1 map[b:<nil>]] <no value> 1 1",
        ),
        (
            r#"{{b64enc "hello"}} {{b64dec "aGVsbG8="}}"#,
            "aGVsbG8= hello",
        ),
    ]);
}

#[test]
fn lists_are_built_and_searched() {
    expect(&[
        (
            r#"{{list 1 "a" nil 2.5}} {{first .Extra.nums}} {{last .Extra.nums}} {{first .Extra.el}} {{rest .Extra.nums}} {{initial .Extra.nums}}"#,
            "[1 a <nil> 2.5] 1 3 <no value> [2 3] [1 2]",
        ),
        (
            r#"{{has 1.0 .Extra.nums}} {{has 1 .Extra.nums}} {{has "x" .Extra.list}} {{has "x" .Extra.nope}} {{has .Extra.m (list .Extra.m)}}"#,
            "true false true false true",
        ),
        (
            r#"{{concat (list 1) (list 2 3)}} {{uniq (list 1 2 1 "a" "a")}} {{without (list 1 2 3) 2}} {{append (list 1) 2}} {{prepend (list 1) 0}}"#,
            "[1 2 3] [1 2 a] [1 3] [1 2] [0 1]",
        ),
        (
            r#"{{reverse (list 1 2 3)}} {{compact (list 0 1 "" "a" nil)}} {{sortAlpha (list "b" "a")}} {{slice (list 1 2 3) 1 2}}"#,
            "[3 2 1] [1 a] [a b] [2]",
        ),
    ]);
}

#[test]
fn maps_are_built_and_read() {
    expect(&[
        (
            r#"{{dict "b" 1 "a" 2}} {{dict "a" 1 "b"}} {{(dict "x" (dict "y" 1)).x.y}}"#,
            "map[a:2 b:1] map[a:1 b:] 1",
        ),
        (
            r#"{{get .Extra.m "a"}}|{{get .Extra.m "nope"}}|{{hasKey .Extra.m "c"}} {{hasKey .Extra.m "nope"}} {{keys (dict "a" 1)}}"#,
            "1||true false [a]",
        ),
        (
            r#"{{dig "m" "d" "x" "def" .Extra}} {{dig "m" "a" "def" .Extra}} {{pluck "a" (dict "a" 1) (dict "b" 2)}}"#,
            "def 1 [1]",
        ),
        (
            r#"{{pick .Extra.m "a" "b"}} {{omit .Extra.m "a" "c" "d"}} {{values (dict "a" 1)}}"#,
            "map[a:1 b:2] map[b:2] [1]",
        ),
    ]);
}

#[test]
fn numbers_are_converted_and_computed() {
    expect(&[
        (
            r#"{{int "42"}} {{int 3.9}} {{int "x"}} {{int true}} {{int nil}} {{int "0x1F"}} {{int "017"}} {{int64 .Extra.big}} {{int -3.9}}"#,
            "42 3 0 1 0 31 15 1234567 -3",
        ),
        (
            r#"{{float64 "3.5"}} {{float64 2}} {{float64 "x"}} {{atoi "12"}} {{atoi "x"}}"#,
            "3.5 2 0 12 0",
        ),
        (
            r#"{{add 1 2 3.7 "4"}} {{sub 5 3}} {{mul 2 3 4}} {{div 7 2}} {{div -7 2}} {{mod 7 3}} {{mod -7 3}} {{add1 1}} {{max 1 5 3}} {{min 4 2 9}}"#,
            "10 2 24 3 -3 1 -1 2 5 2",
        ),
        (
            "{{floor 1.7}} {{ceil 1.2}} {{floor -1.5}} {{add 9223372036854775807 1}}",
            "1 2 -2 -9223372036854775808",
        ),
    ]);
}

#[test]
fn wrong_arguments_are_an_error() {
    fails(&[
        ("{{ eq .Extra.n 10 }}", "use `int`"),
        ("{{ eq .Extra.m .Extra.m }}", "cannot be compared"),
        ("{{ lt true false }}", "cannot be compared"),
        ("{{ lt .Extra.nope 1 }}", "cannot be compared"),
        ("{{ len 3 }}", "a string, list or map"),
        ("{{ len .Extra.nope }}", "a string, list or map"),
        ("{{ upper .Extra.n }}", "must be a string, not float64"),
        ("{{ .Extra.nope | upper }}", "must be a string, not <nil>"),
        ("{{ div 1 0 }}", "division by zero"),
        ("{{ mod 1 0 }}", "division by zero"),
        ("{{ first .Extra.str }}", "must be a list"),
        (
            "{{ get .MatchContext.Header \"X-Foo\" }}",
            "must be a map of any values",
        ),
        ("{{ get .Extra.nope \"x\" }}", "must be a map"),
        ("{{ ternary 1 2 .Extra.n }}", "must be a bool"),
        ("{{ substr 5 2 \"hello\" }}", "outside"),
        ("{{ substr -1 9 \"hello\" }}", "outside"),
        ("{{ slice (list 1) 2 9 }}", "outside"),
        ("{{ dig \"m\" \"a\" \"q\" \"def\" .Extra }}", "not a map"),
        ("{{ b64dec \"?\" }}", "not base64"),
        ("{{ mustFromJson \"?\" }}", "not JSON"),
        ("{{ fail \"no such tenant\" }}", "no such tenant"),
    ]);
}
