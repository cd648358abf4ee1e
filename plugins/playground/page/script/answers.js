// The answers to the engine's calls, and the call that waits for one.

let answers = [];

function newAnswer(call) {
  return { method: "GET", url: "", status: "200", headers: "content-type: application/json", body: "", fails: false, ...call };
}

function showAnswers() {
  $("answers").replaceChildren(...answers.map(answerForm));
}

function answerForm(answer, number) {
  const id = (name) => `answer-${number}-${name}`;
  const title = () => {
    const what = answer.fails ? "no connection" : isDocument(answer.url) ? "file" : answer.status;
    return `${answer.method} ${answer.url || "…"} → ${what}`;
  };
  const summary = make("summary", {}, title());
  const field = (name, label, tag, properties) => [
    make("label", { for: id(name) }, label),
    make(tag, {
      id: id(name),
      class: "code",
      spellcheck: "false",
      autocomplete: "off",
      ...properties,
      value: answer[name],
      oninput: (event) => {
        answer[name] = event.target.value;
        summary.textContent = title();
        changed();
      },
    }),
  ];
  const fails = make("input", {
    type: "checkbox",
    onchange: (event) => {
      answer.fails = event.target.checked;
      summary.textContent = title();
      changed();
    },
  });
  fails.checked = answer.fails;
  const remove = () => {
    answers = answers.filter((it) => it !== answer);
    showAnswers();
    $("add-answer").focus();
    changed();
  };
  return make(
    "details",
    { class: "answer", open: answer.url === "" },
    summary,
    make(
      "div",
      { class: "line" },
      make("div", { class: "narrow" }, field("method", "Method", "input", {})),
      make("div", { class: "grow" }, field("url", "URL", "input", { inputmode: "url" })),
      make("div", { class: "narrow" }, field("status", "Status", "input", { inputmode: "numeric" })),
    ),
    field("body", "Body", "textarea", { rows: 4 }),
    field("headers", "Header fields", "textarea", { rows: 2 }),
    make("label", { class: "check" }, fails, make("span", {}, "No connection")),
    make("div", { class: "actions" }, make("button", { type: "button", class: "quiet", onclick: remove }, "Remove")),
  );
}

function addAnswer(answer) {
  answers.push(answer);
  showAnswers();
  changed(0);
}

// What a server might say, to begin with.
function suggestion(call) {
  if (call.keys && call.url.includes("openid-configuration")) {
    return JSON.stringify({ issuer: new URL(call.url).origin, jwks_uri: `${new URL(call.url).origin}/jwks` }, null, 2);
  }
  if (call.keys) return '{\n  "keys": []\n}';
  if (/whoami|session/.test(call.url)) {
    return JSON.stringify({ active: true, identity: { id: "ada", traits: { email: "ada@example.test" } } }, null, 2);
  }
  if (/introspect/.test(call.url)) return JSON.stringify({ active: true, sub: "ada", scope: "read" }, null, 2);
  if (/token/.test(call.url)) return JSON.stringify({ access_token: "…", expires_in: 300 }, null, 2);
  return "{}";
}

function showCall(call) {
  const status = make("input", { id: "ask-status", class: "code", inputmode: "numeric", value: "200" });
  const body = make("textarea", { id: "ask-body", class: "code", rows: 6, spellcheck: "false", autocomplete: "off", value: suggestion(call) });
  const give = (fails) => addAnswer(newAnswer({ method: call.method, url: call.url, status: status.value, body: fails ? "" : body.value, fails }));
  const sent = call.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  const what = sent === "" && call.body === "" ? [] : [
    make("details", {}, make("summary", {}, "What is sent"), make("pre", { class: "code" }, [sent, pretty(call.body)].filter((it) => it !== "").join("\n\n"))),
  ];
  show(
    $("ask"),
    make("h2", { id: "ask-title" }, call.keys ? "Which keys are there?" : "What does the server answer?"),
    make("p", {}, code(`${call.method} ${call.url}`)),
    what,
    make("div", { class: "line" }, make("div", { class: "narrow" }, make("label", { for: "ask-status" }, "Status"), status)),
    make("label", { for: "ask-body" }, "Body"),
    body,
    make(
      "div",
      { class: "actions" },
      make("button", { type: "button", onclick: () => give(true) }, "No connection"),
      make("button", { type: "button", class: "primary", onclick: () => give(false) }, "Answer"),
    ),
  );
}
