// The page as a link: everything stands behind the `#`, which no browser sends to a server.

const VERSION = "1.";
const CREDENTIALS = /^(authorization|proxy-authorization|cookie|set-cookie|dpop|.*(api-?key|token|secret|password|session).*)$/i;
const TOKENS = /eyJ[\w-]{8,}(\.[\w-]*){0,4}/g;

// The state without what somebody could use: the token, fields that hold credentials, tokens anywhere, private keys.
function withoutCredentials(state) {
  const clean = (text) => text.replace(TOKENS, "");
  const harmless = (text) =>
    clean(text)
      .split("\n")
      .filter((line) => !CREDENTIALS.test(line.split(":")[0].trim()))
      .join("\n");
  return {
    ...state,
    token: "",
    url: clean(state.url),
    headers: harmless(state.headers),
    body: clean(state.body),
    rules: clean(state.rules),
    config: clean(state.config),
    answers: state.answers.map((answer) => ({
      ...answer,
      url: clean(answer.url),
      headers: harmless(answer.headers),
      body: hasPrivateKey(answer.body) ? "" : clean(answer.body),
    })),
  };
}

function hasPrivateKey(text) {
  try {
    return (JSON.parse(text).keys ?? []).some((key) => "d" in key || "k" in key);
  } catch {
    return /"(d|k|access_token|refresh_token|id_token)"/.test(text);
  }
}

async function piped(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function encodeState(state) {
  const bytes = await piped(new TextEncoder().encode(JSON.stringify(state)), new CompressionStream("deflate-raw"));
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return VERSION + btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function decodeState(text) {
  if (!text.startsWith(VERSION)) throw new Error("it is of another version of this page");
  const letters = atob(text.slice(VERSION.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await piped(bytes, new DecompressionStream("deflate-raw"))));
}

async function makeLink() {
  const state = $("share-secrets").checked ? current() : withoutCredentials(current());
  const link = `${location.href.split("#")[0]}#${await encodeState(state)}`;
  $("share-url").value = link;
  const size = link.length > 8000 ? " Some chat programs cut links of this length." : "";
  $("share-state").textContent = `${link.length.toLocaleString("en")} characters.${size}`;
  return link;
}

function prepareSharing() {
  const dialog = $("share-dialog");
  $("share").addEventListener("click", async () => {
    $("share-secrets").checked = false;
    await makeLink();
    dialog.showModal();
    $("share-copy").focus();
  });
  $("share-secrets").addEventListener("change", makeLink);
  $("share-close").addEventListener("click", () => dialog.close());
  $("share-copy").addEventListener("click", async () => {
    const link = await makeLink();
    try {
      await navigator.clipboard.writeText(link);
      $("share-state").textContent = "Copied.";
    } catch {
      $("share-url").select();
      $("share-state").textContent = "Press Ctrl+C (or ⌘C) to copy.";
    }
  });
}
