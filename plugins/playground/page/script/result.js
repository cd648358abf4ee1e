// What the engine said, for eyes.

const STATUS = {
  200: "OK", 302: "Found", 301: "Moved Permanently", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
  409: "Conflict", 413: "Content Too Large", 415: "Unsupported Media Type", 429: "Too Many Requests", 500: "Internal Server Error",
  503: "Service Unavailable", 504: "Gateway Timeout",
};

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", { class: "facts" }, known.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function showVerdict(kind, what, why, pairs = []) {
  const section = $("verdict");
  section.className = `card verdict ${kind}`;
  const bar = $("bar");
  bar.classList.remove("allowed", "refused", "waiting");
  if (kind !== "") bar.classList.add(kind);
  bar.replaceChildren(make("strong", {}, what), make("span", {}, "Show why"));
  bar.hidden = false;
  show(section, make("p", { class: "what" }, what), make("p", { class: "why" }, rich(why)), facts(pairs));
}

function showStep(step) {
  for (const id of ["ask", "way", "seen"]) $(id).hidden = true;
  if (step.step === "failed") {
    showVerdict("", "Nothing to decide", step.message);
    return;
  }
  const { explanation } = step;
  if (step.step === "call") {
    showVerdict("waiting", "Needs an answer", "A rule asks a server. Say below what it answers, and the engine goes on.", [
      ["Rule", explanation.rules[0]],
      ["Call", `${step.call.method} ${step.call.url}`],
    ]);
    showCall(step.call);
  } else {
    showDecision(step.seen, explanation);
    showSeen(step.seen);
  }
  showWay(explanation, step.background, step.step === "call");
}

function showDecision(seen, explanation) {
  const { decision } = explanation;
  const pairs = [
    ["Rule", seen.rule],
    ["Subject", seen.subject],
    ["Stage", seen.allowed ? null : seen.stage],
    ["Reason", seen.reason],
    ["Read as", explanation.url],
  ];
  const shadow = decision?.shadow;
  const tried = shadow ? ` The rule is only tried; enforced, it would have ${shadow.verdict === "allow" ? "allowed" : "refused"} the request.` : "";
  if (seen.allowed) {
    showVerdict("allowed", "Allowed", `The request goes to the upstream.${tried}`, pairs);
  } else {
    const status = `${seen.status} ${STATUS[seen.status] ?? ""}`.trim();
    showVerdict("refused", `Refused with ${status}`, `${sentence(decision?.detail ?? "")}${tried}`, pairs);
  }
}

function sentence(text) {
  return text === "" ? "" : `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function showWay(explanation, background, waits) {
  const items = [];
  for (const rule of explanation.rules) {
    const captured = explanation.captures.length > 0 ? `captured ${explanation.captures.map((text) => JSON.stringify(text)).join(", ")}` : "";
    items.push(stop("good", "✓", rule, "matches", captured === "" ? [] : [captured]));
  }
  if (explanation.rules.length === 0) items.push(stop("bad", "✗", "No rule matches", "", []));
  for (const near of explanation.near) items.push(stop("", "·", near.rule, "nearly matches", [miss(near)]));
  for (const turn of explanation.turns) {
    const told = turn.events.map(tell);
    const last = told.at(-1) ?? { kind: "", mark: "·" };
    const lines = told.map((it) => it.text).filter((text) => text !== "");
    items.push(stop(last.kind, last.mark, turn.handler, turn.stage, lines));
  }
  if (waits) items.push(stop("wait", "?", "Waiting for the answer", "", []));
  for (const call of background) items.push(stop("", "↓", `${call.method} ${call.url}`, "in the background", ["Keys that this request does not wait for."]));
  show($("way"), make("h2", { id: "way-title" }, "On the way"), make("ol", { class: "way" }, items));
}

function stop(kind, mark, name, note, lines) {
  return make(
    "li",
    {},
    make("span", { class: `mark ${kind}`, "aria-hidden": "true" }, mark),
    make("div", {}, make("p", { class: "name" }, name, make("small", {}, String(note).replaceAll("_", " "))), lines.map((line) => make("p", {}, rich(line)))),
  );
}

function tell(event) {
  const told = (kind, mark, text) => ({ kind, mark, text });
  switch (event.event) {
    case "not_responsible":
      return told("", "·", "Nothing in the request is for it.");
    case "known": {
      const extra = event.extra.length > 0 ? `, with ${event.extra.join(", ")}` : "";
      return told("good", "✓", `The caller is ${event.subject || "nobody in particular"}${extra}.`);
    }
    case "passed":
      return told("good", "✓", "");
    case "refused":
      return told("bad", "✗", sentence(event.detail) + (event.continued ? " The next one is asked." : ""));
    case "asked":
      return told("wait", "?", `Asks ${event.call.method} ${event.call.url}${event.remembered ? ", whose answer is remembered" : ""}.`);
    case "answered":
      return told("", "←", event.status ? `Answered ${event.status}.` : sentence(event.failure ?? ""));
    case "awaited_keys":
      return told("wait", "?", `Needs the ${event.key_set}.`);
    case "needed_body":
      return told("", "?", "Needs the body.");
    default:
      return told("", "·", "");
  }
}

const MISSES = {
  method: (near) => `is for ${near.methods.join(", ")}`,
  scheme: (near) => `has another scheme: ${near.url}`,
  host: (near) => `has another host: ${near.url}`,
  path: (near) => `has another path: ${near.url}`,
  url: (near) => `has another URL: ${near.url}`,
  conditions: () => "demands other header fields or parameters",
  precedence: () => "matches, but another rule goes before it",
};

function miss(near) {
  return sentence(near.misses.map((it) => MISSES[it]?.(near) ?? it).join(", ")).replace(/\.$/, "");
}

function showSeen(seen) {
  const title = make("h2", { id: "seen-title" }, seen.allowed ? "What the upstream gets" : "What the client gets");
  const set = new Set(seen.set.map((name) => name.toLowerCase()));
  const row = ([name, value]) => {
    const isSet = set.has(name.toLowerCase());
    return make("tr", { class: isSet ? "set" : undefined }, make("th", { scope: "row" }, name, isSet ? make("span", { class: "chip" }, "set") : ""), make("td", {}, value));
  };
  const removed = seen.removed.map((name) =>
    make("tr", { class: "removed" }, make("th", { scope: "row" }, name), make("td", {}, make("span", { class: "chip" }, "taken away"))),
  );
  const rows = [...seen.headers.map(row), ...removed];
  show(
    $("seen"),
    title,
    rows.length > 0 ? make("table", {}, make("tbody", {}, rows)) : make("p", { class: "hint" }, "No header fields."),
    seen.body === "" ? [] : [make("h3", {}, "Body"), make("pre", { class: "code" }, pretty(seen.body))],
  );
}

// What is wrong is told beside the rules already; here is what is doubtful, and folded away what is merely of note.
function showFindings(loaded) {
  const isTold = (finding) =>
    finding.severity === "error" && loaded.errors.some((error) => (error.rule ?? null) === finding.place.rule && error.key === finding.place.key);
  const findings = loaded.findings.filter((finding) => !isTold(finding));
  if (findings.length === 0) {
    $("findings").hidden = true;
    return;
  }
  const doubtful = findings.filter((finding) => ["error", "warning"].includes(finding.severity));
  const notes = findings.filter((finding) => !doubtful.includes(finding));
  const item = (finding) =>
    make(
      "li",
      { class: finding.severity === "error" ? "" : finding.severity === "warning" ? "warning" : "note" },
      place(finding.place.file, finding.place.rule, finding.place.key),
      rich(`${sentence(finding.message)} `),
      make("span", { class: "remedy" }, rich(sentence(finding.remedy))),
    );
  show(
    $("findings"),
    make("h2", { id: "findings-title" }, "Worth a look"),
    make("ul", { class: "problems" }, doubtful.map(item)),
    notes.length === 0 ? [] : make("details", { open: doubtful.length === 0 && notes.length < 3 }, make("summary", {}, notes.length === 1 ? "1 note" : `${notes.length} notes`), make("ul", { class: "problems" }, notes.map(item))),
  );
}

function place(file, rule, key) {
  const parts = [file, rule ? `rule ${rule}` : "", key].filter((part) => part);
  return make("span", { class: "place" }, parts.join(" · "));
}
