// The engine: unpacked from the page, loaded once, and made anew if it ever fails.

let playground = null;

async function unpacked() {
  const text = $("engine").textContent.trim();
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function startEngine() {
  await wasm_bindgen({ module_or_path: await unpacked() });
  playground = new wasm_bindgen.Playground(crypto.getRandomValues(new Uint8Array(32)));
}

function ask(method, value) {
  try {
    return JSON.parse(playground[method](JSON.stringify(value)));
  } catch (error) {
    playground = new wasm_bindgen.Playground(crypto.getRandomValues(new Uint8Array(32)));
    throw new Error(`The engine failed (${error.message}). Please report what you typed.`);
  }
}

// Key sets at such URLs come with the rules; all others are fetched.
const isDocument = (url) => /^(file|s3|gs|azblob):\/\//.test(url);

function load(state) {
  const documents = {};
  for (const answer of state.answers.filter((answer) => isDocument(answer.url))) {
    try {
      documents[answer.url] = JSON.parse(answer.body);
    } catch {
      documents[answer.url] = null;
    }
  }
  return ask("load", {
    config: { name: "configuration", text: state.config },
    rules: [{ name: "rules", text: state.rules }],
    documents,
  });
}

// Decides, with the answers as far as they go: each once, the last one of its URL for good.
function decide(state) {
  const used = new Set();
  const calls = [];
  let step = ask("decide", request(state));
  while (step.step === "call" && calls.length < 64) {
    calls.push(step.call);
    const answer = answerTo(step.call, state.answers, used);
    if (!answer) break;
    step = ask("reply", {
      fails: answer.fails,
      status: Number(answer.status) || 0,
      headers: fields(answer.headers),
      body: answer.body,
    });
  }
  return step;
}

function request(state) {
  const headers = fields(state.headers);
  const token = state.token.trim();
  if (token !== "" && !headers.some(([name]) => name.toLowerCase() === "authorization")) {
    headers.push(["authorization", `Bearer ${token}`]);
  }
  return {
    method: state.method,
    url: state.url,
    headers,
    body: state.body,
    client_address: state.address.trim() || null,
    at: seconds(state.at),
  };
}

// Seconds since 1970 of what the time field says; now if it says nothing, NaN if it makes no sense.
function seconds(text) {
  const trimmed = text.trim();
  if (trimmed === "") return Math.floor(Date.now() / 1000);
  if (/^\d{1,11}$/.test(trimmed)) return Number(trimmed);
  return Math.floor(Date.parse(trimmed) / 1000);
}

function answerTo(call, answers, used) {
  const bare = call.url.split("?")[0];
  let last = null;
  for (const answer of answers) {
    const url = answer.url.trim();
    if ((answer.method || "GET") !== call.method || (url !== call.url && url !== bare)) continue;
    last = answer;
    if (!used.has(answer)) break;
  }
  used.add(last);
  return last;
}
