// @ts-check
// The calculator in a worker: Python with archcalc, all of it from the files of this site.
// In: {number, op, request}, with the request in JSON. Out: {number, answer} in JSON, {number, overtaken}, or {number, broken}
// if Python ended; and before them {loaded} in bytes, then {ready} or {failed} with the reason.

const scope = /** @type {any} */ (globalThis);
const place = (/** @type {string} */ name) => new URL(name, import.meta.url).href;
const tell = (/** @type {any} */ message) => scope.postMessage(message);

/** @type {{number: number, op: string, request: string}[]} */
let questions = [];
/** @type {((request: string) => string) | null} */
let answer = null;
/** @type {Set<string>} */
let overtaken = new Set();
let planned = false;

scope.onmessage = (/** @type {MessageEvent} */ { data }) => {
  questions.push(data);
  plan();
};

/** Answers after all messages that have arrived: of some operations only the newest is answered. */
function plan() {
  if (planned || !answer || !questions.length) return;
  planned = true;
  setTimeout(() => {
    planned = false;
    const { number, op, request } = /** @type {any} */ (questions.shift());
    if (overtaken.has(op) && questions.some((newer) => newer.op === op)) tell({ number, overtaken: true });
    else reply(number, request);
    plan();
  });
}

function reply(/** @type {number} */ number, /** @type {string} */ request) {
  try {
    tell({ number, answer: answer?.(request) });
  } catch (error) { // Python catches its own errors: this is the end of Python
    answer = null;
    tell({ number, broken: String(error).slice(0, 200) });
  }
}

let loaded = 0;
let told = 0;
/** A file of the site, whose bytes are counted. @param {string} url @param {RequestInit} [how] */
async function load(url, how) {
  const name = url.slice(url.lastIndexOf("/") + 1);
  const found = await fetchPlain(url, how).catch(() => { throw new Error(`${name} cannot be loaded`); });
  if (!found.ok || !found.body) throw new Error(`${name} cannot be loaded (HTTP ${found.status})`);
  const count = new TransformStream({
    transform(chunk, out) {
      loaded += chunk.length;
      if (loaded - told > 100_000) tell({ loaded: (told = loaded) });
      out.enqueue(chunk);
    },
  });
  const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream"; // whatever type the host sends
  return new Response(found.body.pipeThrough(count), { headers: { "Content-Type": type } });
}
const fetchPlain = scope.fetch.bind(scope);

/** @returns {Promise<any>} */
async function start() {
  // Pyodide only warns if a file is missing or no WebAssembly, and then waits for ever
  let stop = (/** @type {unknown} */ _error) => {};
  const stopped = new Promise((_, reject) => { stop = reject; });
  const watched = (/** @type {Promise<any>} */ work) => work.catch((error) => { stop(error); throw error; });
  scope.fetch = (/** @type {any} */ url, /** @type {any} */ how) => watched(load(String(url), how));
  const instantiate = WebAssembly.instantiateStreaming.bind(WebAssembly);
  WebAssembly.instantiateStreaming = /** @type {any} */ ((/** @type {any} */ source, /** @type {any} */ imports) => watched(instantiate(source, imports)));
  return Promise.race([stopped, run()]);
}

async function run() {
  const archive = scope.fetch(place("archcalc.zip"));
  const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all([
    script("pyodide/pyodide.js"), script("pyodide/pyodide.asm.js"),
  ]);
  const python = await loadPyodide({ indexURL: place("pyodide/"), createPyodideModule });
  python.unpackArchive(await (await archive).arrayBuffer(), "zip");
  overtaken = new Set(python.pyimport("archcalc.live.desk").OVERTAKEN.toJs());
  return python.pyimport("archcalc.live.calculator").answer_text;
}

/** @param {string} name @returns {Promise<any>} */
async function script(name) {
  try {
    return await import(place(name));
  } catch (error) {
    const found = await fetchPlain(place(name)).catch(() => null);
    const type = found?.headers.get("Content-Type");
    const wrong = found?.ok && !/javascript/.test(type ?? "") ? `the host sends it as ${type}, not as text/javascript` : error;
    throw new Error(found?.ok ? `${name} does not run: ${wrong}` : `${name} cannot be loaded${found ? ` (HTTP ${found.status})` : ""}`);
  }
}

start().then((ready) => {
  answer = ready;
  tell({ ready: true });
  plan();
}, (error) => tell({ failed: String(error?.message ?? error).slice(0, 400) }));
