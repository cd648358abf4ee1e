// What is typed, and when it is decided.

const FIELDS = ["rules", "config", "method", "url", "token", "headers", "body", "address", "at"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const REST = 250;

let timer = 0;

function current() {
  const state = Object.fromEntries(FIELDS.map((name) => [name, $(name).value]));
  return { ...state, answers: answers.map((answer) => ({ ...answer })) };
}

// Takes over what an example or a link says; whatever it lacks or has of another kind is empty.
function take(state) {
  const text = (value) => (typeof value === "string" ? value : "");
  for (const name of FIELDS) $(name).value = text(state?.[name]);
  if (!METHODS.includes($("method").value)) $("method").value = "GET";
  const given = Array.isArray(state?.answers) ? state.answers : [];
  answers = given.map((it) =>
    newAnswer({ method: text(it.method) || "GET", url: text(it.url), status: text(it.status) || "200", headers: text(it.headers), body: text(it.body), fails: it.fails === true }),
  );
  $("more").open = ["body", "address", "at"].some((name) => $(name).value !== "");
  showAnswers();
  changed(0);
}

function changed(rest = REST) {
  clearTimeout(timer);
  timer = setTimeout(run, rest);
}

function run() {
  if (playground === null) return;
  const state = current();
  const now = seconds(state.at);
  notice("");
  if (!Number.isSafeInteger(now) || now < 0) {
    notice(`“${state.at}” is not a time; write it like 2026-01-01T00:00:00Z.`);
    return;
  }
  showToken(state.token, now);
  try {
    const loaded = load(state);
    showErrors(loaded, state);
    showFindings(loaded);
    if (loaded.ready) showStep(decide(state));
    else showStep({ step: "failed", message: "The mistakes on the other side come first." });
  } catch (error) {
    notice(error.message);
  }
}

function showErrors(loaded, state) {
  const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const aside = loaded.errors.length === 0 ? "in force" : loaded.ready ? "; what has a mistake is put aside" : "";
  const mistakes = loaded.errors.length === 0 ? "" : `, ${count(loaded.errors.length, "mistake")}`;
  $("rules-state").textContent = loaded.ready ? `${count(loaded.rules, "rule")}${mistakes} ${aside}`.replace(" ;", ";") : `Not usable: ${count(loaded.errors.length, "mistake")}.`;
  $("errors").replaceChildren(
    ...loaded.errors.map((error) => {
      const spot = find(error, state);
      const jump = spot === null ? "" : make("button", { type: "button", class: "link", onclick: () => select(spot) }, "Show it");
      return make("li", {}, place(error.file, error.rule, error.key), rich(`${sentence(error.message)} `), jump);
    }),
  );
}

// Where in the text a mistake is: the line that a parser names, else the rule and the last of the keys.
function find(error, state) {
  const name = error.file === "rules" || error.rule ? "rules" : "config";
  const text = state[name];
  const line = /line (\d+)/.exec(error.message);
  if (line && !error.key) {
    const lines = text.split("\n");
    const start = lines.slice(0, Number(line[1]) - 1).join("\n").length + (Number(line[1]) > 1 ? 1 : 0);
    return { name, start, end: start + (lines[Number(line[1]) - 1] ?? "").length };
  }
  let from = error.rule ? text.search(new RegExp(`["']?id["']?\\s*:\\s*["']?${escapeRegExp(error.rule)}\\b`)) : 0;
  if (from < 0) from = 0;
  const keys = error.key.replace(/\[\d+\]/g, "").split(".").filter((key) => key !== "");
  let start = from;
  let end = from;
  for (const key of keys) {
    const at = text.slice(end).search(new RegExp(`["']?\\b${escapeRegExp(key)}\\b["']?\\s*:`));
    if (at < 0) break;
    start = end + at;
    end = start + key.length;
  }
  if (end === start) return error.rule ? { name, start, end: start + 3 } : null;
  return { name, start, end };
}

function escapeRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function select({ name, start, end }) {
  chooseTab(name);
  const area = $(name);
  area.focus();
  area.setSelectionRange(start, end);
  const line = area.value.slice(0, start).split("\n").length;
  area.scrollTop = Math.max(0, (line - 4) * Number.parseFloat(getComputedStyle(area).lineHeight));
}

function chooseTab(name) {
  for (const it of ["rules", "config"]) {
    const chosen = it === name;
    $(`tab-${it}`).setAttribute("aria-selected", String(chosen));
    $(`tab-${it}`).tabIndex = chosen ? 0 : -1;
    $(`panel-${it}`).hidden = !chosen;
  }
}

function prepareTabs() {
  for (const [name, other] of [["rules", "config"], ["config", "rules"]]) {
    $(`tab-${name}`).addEventListener("click", () => chooseTab(name));
    $(`tab-${name}`).addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
      event.preventDefault();
      const next = event.key === "Home" ? "rules" : event.key === "End" ? "config" : other;
      chooseTab(next);
      $(`tab-${next}`).focus();
    });
  }
}

function prepareExamples() {
  const examples = JSON.parse($("examples").textContent);
  $("example").append(make("option", { value: "" }, "Choose…"), ...examples.map((example, number) => make("option", { value: String(number) }, example.name)));
  $("example").addEventListener("change", (event) => {
    const example = examples[Number(event.target.value)];
    if (event.target.value === "" || !example) return;
    history.replaceState(null, "", location.href.split("#")[0]);
    chooseTab("rules");
    take(example);
  });
  return examples;
}

async function restore(examples) {
  const text = location.hash.slice(1);
  if (text.startsWith(VERSION)) {
    try {
      take(await decodeState(text));
      $("example").value = "";
      return;
    } catch {
      take(examples[0]);
      clearTimeout(timer);
      run();
      notice("The link is damaged or cut; here is an example instead.");
      return;
    }
  }
  $("example").value = "0";
  take(examples[0]);
}

async function start() {
  $("method").append(...METHODS.map((method) => make("option", { value: method }, method)));
  prepareTabs();
  prepareSharing();
  const examples = prepareExamples();
  $("bar").addEventListener("click", () => {
    $("result").focus({ preventScroll: true });
    $("result").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  });
  new IntersectionObserver(([entry]) => $("bar").classList.toggle("away", entry.isIntersecting || entry.boundingClientRect.top < 0)).observe($("verdict"));
  for (const name of FIELDS) $(name).addEventListener("input", () => changed());
  $("add-answer").addEventListener("click", () => {
    addAnswer(newAnswer({}));
    $(`answer-${answers.length - 1}-url`).focus();
  });
  addEventListener("hashchange", () => {
    if (location.hash.startsWith(`#${VERSION}`)) restore(examples);
  });
  try {
    await startEngine();
  } catch (error) {
    show($("verdict"), make("p", {}, "The engine does not start in this browser."));
    notice(`${error.message}. The page needs WebAssembly and DecompressionStream, which browsers have since 2023.`);
    return;
  }
  await restore(examples);
}

start();
