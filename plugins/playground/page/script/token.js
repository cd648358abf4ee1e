// What a JSON Web Token says, unverified: whether it holds is the engine's to tell.

function decodePart(part) {
  const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

function decodeToken(token) {
  const parts = token.trim().split(".");
  if (parts.length !== 3) return null;
  try {
    return { header: decodePart(parts[0]), claims: decodePart(parts[1]) };
  } catch {
    return null;
  }
}

function showToken(token, now) {
  const view = $("token-view");
  view.replaceChildren();
  if (token.trim() === "") return;
  const decoded = decodeToken(token);
  if (decoded === null) {
    view.append(make("p", { class: "token-note" }, "Not a JSON Web Token: an opaque token, or one that lacks a part."));
    return;
  }
  const part = (title, value) => make("div", {}, make("h3", {}, title), make("pre", { class: "code" }, JSON.stringify(value, null, 2)));
  view.append(
    make("div", { class: "token" }, part("Header", decoded.header), part("Claims", decoded.claims)),
    make("p", { class: "token-note" }, validity(decoded.claims, now)),
  );
}

function validity(claims, now) {
  const said = [];
  const when = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  const isTime = (value) => typeof value === "number" && Math.abs(value) < 8.64e12;
  if (isTime(claims?.nbf) && claims.nbf > now) said.push(`not valid before ${when(claims.nbf)}`);
  if (isTime(claims?.exp)) said.push(claims.exp <= now ? `expired at ${when(claims.exp)}` : `valid until ${when(claims.exp)}`);
  else said.push("says nothing of when it expires");
  return `${sentence(said.join(", "))} Decoded, not verified.`;
}
