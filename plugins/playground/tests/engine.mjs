// The playground's engine without its page: a line with a method and its argument comes in, a line with what the
// engine says goes out. Arguments: the folder with engine.js and engine.wasm.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import vm from "node:vm";

const folder = process.argv[2];
vm.runInThisContext(`${readFileSync(`${folder}/engine.js`, "utf8")}\n;globalThis.wasm_bindgen = wasm_bindgen;`);
wasm_bindgen.initSync({ module: new WebAssembly.Module(readFileSync(`${folder}/engine.wasm`)) });
const playground = new wasm_bindgen.Playground(new Uint8Array(32).fill(7));

for await (const line of createInterface({ input: process.stdin })) {
  const { method, value } = JSON.parse(line);
  process.stdout.write(`${playground[method](JSON.stringify(value))}\n`);
}
