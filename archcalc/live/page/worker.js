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

/** Why Python cannot start, in words for the reader of the page. */
class Failure extends Error {}

let loaded = 0;
let told = 0;
const fetchPlain = scope.fetch.bind(scope);
/** A file of the site, whose bytes are counted. @param {string} url @param {RequestInit} [how] */
async function load(url, how) {
  const name = url.replace(place("."), "");
  const found = await fetchPlain(url, how).catch(() => { throw new Failure(`${name} cannot be loaded`); });
  if (!found.ok || !found.body) throw new Failure(`${name} cannot be loaded (HTTP ${found.status})`);
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

/** @param {string} name @returns {Promise<any>} */
async function script(name) {
  try {
    return await import(place(name));
  } catch (error) {
    const found = await fetchPlain(place(name)).catch(() => null);
    const type = found?.headers.get("Content-Type") ?? "no type";
    if (!found?.ok) throw new Failure(`${name} cannot be loaded${found ? ` (HTTP ${found.status})` : ""}`);
    if (!/javascript/.test(type)) throw new Failure(`the host sends ${name} as ${type}, not as text/javascript`);
    throw error;
  }
}

/** Python's function that answers. Where a file is missing, or is no WebAssembly, Pyodide only warns and waits for ever. */
async function start() {
  let stop = (/** @type {unknown} */ _error) => {};
  const stopped = new Promise((_, reject) => { stop = reject; });
  const watched = (/** @type {Promise<any>} */ work) => work.catch((error) => { stop(error); throw error; });
  scope.fetch = (/** @type {any} */ url, /** @type {any} */ how) => watched(load(String(url), how));
  const instantiate = WebAssembly.instantiateStreaming.bind(WebAssembly);
  WebAssembly.instantiateStreaming = (source, imports) => watched(instantiate(source, imports));
  return Promise.race([stopped, python()]);
}

async function python() {
  const archive = scope.fetch(place("archcalc.data"));
  const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all([
    script("pyodide/pyodide.js"), script("pyodide/pyodide.asm.js"),
  ]);
  const made = await loadPyodide({ indexURL: place("pyodide/"), createPyodideModule });
  made.unpackArchive(await (await archive).arrayBuffer(), "gztar");
  overtaken = new Set(made.pyimport("archcalc.live.desk").OVERTAKEN.toJs());
  return made.pyimport("archcalc.live.calculator").answer_text;
}

/** The words of a failure, or the last line of another error, such as that of Python's traceback. @param {any} error */
function reason(error) {
  if (error instanceof Failure) return error.message;
  const lines = String(error?.message || error).trim().split("\n");
  return `Python does not run in this browser (${lines[lines.length - 1].slice(0, 300)})`;
}

start().then((ready) => {
  answer = ready;
  tell({ ready: true });
  plan();
}, (error) => tell({ failed: reason(error) }));
