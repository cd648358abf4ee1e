// Opens the playground in Chromium, uses it, and fails at anything that is not as it should be.
// Arguments: the folder that has playwright-core, a folder for pictures or "", and the page's addresses.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [folder, pictures, ...addresses] = process.argv.slice(2);
const { chromium } = createRequire(`${folder}/`)("playwright-core");

const RULES = `
- id: shop
  match: { url: "http://shop.example/<.*>", methods: [GET] }
  authenticators: [{ handler: cookie_session, config: { check_session_url: "http://id.example/whoami" } }]
  authorizer: { handler: allow }
  mutators: [{ handler: header, config: { headers: { X-User: "{{ print .Subject }}" } } }]
`;
const CONFIG = `
authenticators: { cookie_session: { enabled: true, config: { check_session_url: "http://id.example/whoami", preserve_path: true, subject_from: "identity.id" } } }
authorizers: { allow: { enabled: true } }
mutators: { header: { enabled: true, config: { headers: {} } } }
`;
const HOSTILE = "</script><img src=x onerror=alert(1)>";

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== address.split("#")[0] && !request.url().startsWith("data:")) complaints.push(`asks for ${request.url()}`);
  });
  await page.goto(address);
  return { page, complaints, context };
}

const says = (page, text) => page.locator("#verdict .what", { hasText: text }).waitFor({ timeout: 30000 });

async function use(address) {
  const { page, complaints, context } = await open(address);
  await says(page, "Allowed");
  await page.locator("#seen tr.set", { hasText: "X-User" }).waitFor();

  // Rules, a request, and the answer to the call that they make.
  await page.fill("#rules", RULES);
  await page.getByRole("tab", { name: "Configuration" }).click();
  await page.fill("#config", CONFIG);
  await page.fill("#url", "http://shop.example/cart");
  await page.fill("#token", "");
  await page.fill("#headers", "cookie: ory_kratos_session=secret-cookie");
  await says(page, "Needs an answer");
  await page.locator("#ask code", { hasText: "GET http://id.example/whoami" }).waitFor();
  await page.fill("#ask-body", JSON.stringify({ active: true, identity: { id: HOSTILE } }));
  await page.getByRole("button", { name: "Answer", exact: true }).click();
  await says(page, "Allowed");
  await page.locator("#seen td", { hasText: HOSTILE }).waitFor();
  assert.equal(await page.locator("img").count(), 0, "what is typed stays text");

  // No rule for it.
  await page.selectOption("#method", "DELETE");
  await says(page, "Refused with 404");
  await page.locator("#way", { hasText: "is for GET" }).waitFor();
  await page.selectOption("#method", "GET");
  await says(page, "Allowed");

  // A mistake has a place, and the page leads there.
  await page.getByRole("tab", { name: "Rules" }).click();
  await page.fill("#rules", `${RULES}- id: broken\n  match: { url: "http://x/", methods: [GET] }\n  authenticators: [{ handler: nope }]\n`);
  await page.locator("#errors .place", { hasText: "rule broken · authenticators[0].handler" }).waitFor();
  await page.getByRole("tab", { name: "Configuration" }).click();
  await page.locator("#errors button").first().click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "rules");
  await page.fill("#rules", RULES);
  await says(page, "Allowed");

  // Tabs by keyboard.
  await page.locator("#tab-rules").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab-config");

  const plain = await share(page, false);
  const whole = await share(page, true);
  assert.deepEqual(complaints, []);
  await context.close();
  await restores(plain, "Refused with 401", "");
  await restores(whole, "Allowed", "cookie: ory_kratos_session=secret-cookie");
}

async function share(page, secrets) {
  await page.click("#share");
  const box = page.locator("#share-secrets");
  assert.equal(await box.isChecked(), false, "credentials are left out unless somebody says otherwise");
  if (secrets) await box.check();
  await page.waitForFunction((secrets) => document.getElementById("share-secrets").checked === secrets && document.getElementById("share-url").value !== "", secrets);
  await page.waitForTimeout(100);
  const link = await page.inputValue("#share-url");
  await page.click("#share-close");
  return link;
}

async function restores(link, verdict, headers) {
  const { page, complaints, context } = await open(link);
  await says(page, verdict);
  assert.equal(await page.inputValue("#rules"), RULES);
  assert.equal(await page.inputValue("#headers"), headers);
  assert.deepEqual(complaints, []);
  await context.close();
}

// The page's policy holds: what somebody managed to get into it could neither run nor speak to anybody.
async function isClosed(address) {
  const { page, context } = await open(address);
  await says(page, "Allowed");
  const blocked = await page.evaluate(async () => {
    const violations = [];
    addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    await fetch("http://127.0.0.1:9/").catch(() => {});
    await new Promise((done) => setTimeout(done, 200));
    return { violations, ran: window.ran === true };
  });
  assert.equal(blocked.ran, false);
  assert.deepEqual(blocked.violations.sort(), ["connect-src", "script-src-elem"]);
  await context.close();
}

async function examples(address) {
  const { page, complaints, context } = await open(address);
  await says(page, "Allowed");
  const expected = ["Allowed", "Needs an answer", "Allowed", "Refused with 401", "Needs an answer", "Allowed"];
  for (const [number, verdict] of expected.entries()) {
    await page.selectOption("#example", String(number));
    await says(page, verdict);
  }
  assert.equal(await page.locator("#example option").count(), expected.length + 1);
  assert.equal(await page.locator("#errors li").count() > 0, true, "the last example shows mistakes");
  assert.deepEqual(complaints, []);
  await context.close();
}

async function fits(address) {
  for (const [name, width, height] of [["desktop", 1280, 900], ["phone", 390, 844]]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const example of ["1", "5"]) {
        const { page, context } = await open(address, { viewport: { width, height }, colorScheme });
        await says(page, "Allowed");
        await page.selectOption("#example", example);
        await page.waitForTimeout(500);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(wide, 0, `${name}: nothing sticks out`);
        if (pictures) await page.screenshot({ path: `${pictures}/${name}-${colorScheme}-${example}.png`, fullPage: name === "desktop" });
        await context.close();
      }
    }
  }
}

try {
  for (const address of addresses) {
    await use(address);
    await isClosed(address);
  }
  await examples(addresses[0]);
  await fits(addresses[0]);
  console.log("everything is as it should be");
} finally {
  await browser.close();
}
