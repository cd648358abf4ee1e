// Writes expected.jsonl: what Go's text/template with sprig and Oathkeeper's two functions makes of
// the templates in templates.txt and of two matrices (printf's verbs, comparisons), over the data
// that the Rust tests use. Needs Go only to be written anew:
//
//	go mod init oracle && go get github.com/Masterminds/sprig/v3@v3.2.3 && go run . >expected.jsonl
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type matchContext struct {
	RegexpCaptureGroups []string    `json:"regexp_capture_groups"`
	URL                 *url.URL    `json:"url"`
	Method              string      `json:"method"`
	Header              http.Header `json:"header"`
}

type session struct {
	Subject      string                 `json:"subject"`
	Extra        map[string]interface{} `json:"extra"`
	Header       http.Header            `json:"header"`
	MatchContext matchContext           `json:"match_context"`
}

const extra = `{
	"n": 10, "pi": 3.14159, "yes": true, "no": false, "nul": null, "str": "hello wörld", "empty": "",
	"list": ["x", "y", null, 3], "nums": [1, 2, 3], "el": [], "em": {}, "roles": ["admin", "user"],
	"m": {"b": 2, "a": 1, "c": null, "d": {"e": ["f"]}},
	"objs": [{"name": "a", "ok": true}, {"name": "b", "ok": false}],
	"https://x/role": "r", "html": "<a href='x'>&\"\\=\n", "json": "{\"a\":[1,{\"b\":null}]}",
	"ts": 1700000000, "mil": 1000000, "k": 999999, "big": 1234567, "s4": 0.0001, "s5": 0.00001
}`

func data() *session {
	s := &session{
		Subject: "al<i>ce",
		Header:  http.Header{"X-Set": {"set"}},
		MatchContext: matchContext{
			RegexpCaptureGroups: []string{"g0", "", "g2"},
			URL: &url.URL{
				Scheme: "https", Host: "h.test:8443", Path: "/a b/ü", RawQuery: "q=1&q=2&x=%2F+y&bad=%zz",
			},
			Method: "GET",
			Header: http.Header{"X-Foo": {"one", "two"}, "Accept": {"*/*"}, "X-Raw": {"\xff\xfe"}},
		},
	}
	if err := json.Unmarshal([]byte(extra), &s.Extra); err != nil {
		panic(err)
	}
	return s
}

var functions = template.FuncMap{
	"print": func(i interface{}) string {
		if i == nil {
			return ""
		}
		return fmt.Sprintf("%v", i)
	},
	"printIndex": func(list interface{}, i int) string {
		if list == nil {
			return ""
		}
		v := reflect.ValueOf(list)
		if v.Kind() == reflect.Slice && i < v.Len() {
			return fmt.Sprintf("%v", v.Index(i))
		}
		return ""
	},
}

type outcome struct {
	Template string  `json:"template"`
	Output   *string `json:"output,omitempty"`
	Fails    string  `json:"fails,omitempty"`
}

func play(source string) outcome {
	parsed, err := template.New("t").Option("missingkey=zero").Funcs(sprig.TxtFuncMap()).Funcs(functions).Parse(source)
	if err != nil {
		return outcome{Template: source, Fails: "load"}
	}
	var text strings.Builder
	if err := parsed.Execute(&text, data()); err != nil {
		return outcome{Template: source, Fails: "render"}
	}
	output := text.String()
	return outcome{Template: source, Output: &output}
}

func verbs() (sources []string) {
	formats := strings.Fields(`v d s q t x X o O b c U f F e E g G T +v +d +q 5v -5v| 05v 05d +05d .2v .3s .0f .1f 8.3f -8.3f| +.2e
		#x #o #q #b 10s -10s| 010s 6.2s x% c% %% z 5 .2 !`)
	values := []string{
		`1`, `-42`, `.Extra.n`, `.Extra.pi`, `.Extra.big`, `"hé\n"`, `true`, `nil`, `.Extra.roles`, `.Extra.nums`, `.Extra.m`, `.Extra.nope`,
	}
	for _, format := range formats {
		for _, value := range values {
			sources = append(sources, "{{printf \"%"+format+"\" "+value+"}}")
		}
	}
	return sources
}

func comparisons() (sources []string) {
	values := []string{`1`, `2.5`, `"a"`, `true`, `nil`, `.Extra.n`, `.Extra.nope`, `.Extra.nul`, `.Extra.roles`, `.Extra.m`, `.Subject`}
	for _, function := range []string{"eq", "ne", "lt", "le", "gt", "ge"} {
		for _, one := range values {
			for _, other := range values {
				sources = append(sources, fmt.Sprintf("{{%s %s %s}}", function, one, other))
			}
		}
	}
	return sources
}

func main() {
	text, err := os.ReadFile("templates.txt")
	if err != nil {
		panic(err)
	}
	var sources []string
	for _, line := range strings.Split(string(text), "\n") {
		if line != "" && !strings.HasPrefix(line, "# ") {
			sources = append(sources, strings.ReplaceAll(line, "␤", "\n"))
		}
	}
	sources = append(append(sources, verbs()...), comparisons()...)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, source := range sources {
		if err := out.Encode(play(source)); err != nil {
			panic(err)
		}
	}
}
