// Checks Kubernetes resources against the schemas of the packages below the folder that is named first on the
// command line. Standard input is a list of resources; standard output a list with one list of problems for each.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [packages] = process.argv.slice(2);

// Where each API group is; Kubernetes' own are all in one package.
const HOMES = {
  "extensions.istio.io": "@kubernetes-models/istio",
  "networking.istio.io": "@kubernetes-models/istio",
  "gateway.envoyproxy.io": "@kubernetes-models/envoy-gateway",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
};

// What a schema leaves to the module.
const FREE = [/^spec\.pluginConfig\./, /^spec\.wasm\.\d+\.config\./];

async function model({ apiVersion, kind }) {
  const home = HOMES[apiVersion.split("/")[0]] ?? "kubernetes-models";
  const file = join(packages, "node_modules", home, apiVersion, `${kind}.js`);
  return (await import(pathToFileURL(file)))[kind];
}

// Validators read each key that they know and skip all others. What nobody has read is a key that is unknown.
function watched(value, path, unread) {
  if (typeof value !== "object" || value === null) return value;
  const children = new Map();
  for (const [key, child] of Object.entries(value)) {
    const place = path === "" ? key : `${path}.${key}`;
    unread.add(place);
    children.set(key, [place, watched(child, place, unread)]);
  }
  return new Proxy(value, {
    get(target, key, receiver) {
      if (!children.has(key)) return Reflect.get(target, key, receiver);
      const [place, child] = children.get(key);
      unread.delete(place);
      return child;
    },
  });
}

// No package has the schema of TrafficExtension (Istio 1.30) yet. It is WasmPlugin's with all that is about wasm
// moved below `wasm`; these keys stayed where they were.
const STAYED = ["match", "phase", "priority", "selector", "targetRefs"];

function asWasmPlugin({ spec: { wasm = {}, ...spec }, ...resource }) {
  const astray = [
    ...Object.keys(spec).filter((key) => !STAYED.includes(key)).map((key) => `spec.${key} is unknown`),
    ...Object.keys(wasm).filter((key) => STAYED.includes(key)).map((key) => `spec.wasm.${key} is unknown`),
  ];
  return [{ ...resource, kind: "WasmPlugin", spec: { ...spec, ...wasm } }, astray];
}

async function problems(resource) {
  const [subject, found] = resource.kind === "TrafficExtension" ? asWasmPlugin(resource) : [resource, []];
  let Model;
  try {
    Model = await model(subject);
  } catch (error) {
    return [`no schema of ${resource.apiVersion} ${resource.kind}: ${error.message}`];
  }
  const unread = new Set();
  try {
    // A new Model would copy the resource, and with it read everything.
    const seen = new Proxy(watched(subject, "", unread), { getPrototypeOf: () => Model.prototype });
    Model.prototype.validate.call(seen);
  } catch (error) {
    found.push(error.message);
  }
  for (const place of unread) {
    const within = [...unread].some((other) => place.startsWith(`${other}.`));
    if (!within && !FREE.some((free) => free.test(place))) found.push(`${place} is unknown`);
  }
  return found;
}

const resources = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const resource of resources) answers.push(await problems(resource));
console.log(JSON.stringify(answers));
