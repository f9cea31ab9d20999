// Runs a WASI command in V8: node wasi.mjs <module> [arguments]. Standard input and output are passed on.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [module, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [module, ...args] });
const { instance } = await WebAssembly.instantiate(await readFile(module), wasi.getImportObject());
wasi.start(instance);
