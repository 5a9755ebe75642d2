// @ts-check
// The one way to the calculator: ask(request). Behind it stands the server of `archcalc live`, or a worker with Pyodide.
import { parseExact } from "./numbers.js";
import { remember, remembered } from "./dom.js";

/** @typedef {{ok: boolean, problems?: {text: string, line: number, path?: string}[], [key: string]: any}} Answer */

/** Thrown when a newer question of this page took the place of this one. */
export class Superseded extends Error {}

/** Thrown when no answer can come: the server has ended, or the worker could not start. */
export class Unreachable extends Error {}

const MOST_BYTES_IN_BROWSER = 50_000_000;

const page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
let number = 0;
/**
 * @typedef {{ask: (request: Record<string, any>) => Promise<Answer>, askFile: (file: File, how: FileChoices) => Promise<Answer>}} Reach
 * @typedef {{input: string, allow_missing: boolean}} FileChoices
 */
/** @type {Reach | null} */
let reach = null;

/** How the calculator is reached: "server" or "worker". @returns {Promise<string>} */
export async function connect() {
  let kind = "server";
  try {
    const config = await (await fetch("config.json")).json();
    if (config.calculator === "worker") kind = "worker";
  } catch {
    // no config.json: a server that keeps none
  }
  reach = kind === "worker" ? await byWorker() : byServer();
  return kind;
}

/** @param {Record<string, any>} request @returns {Promise<Answer>} */
export async function ask(request) {
  if (!reach) throw new Unreachable("The calculator is not there yet.");
  return reach.ask(request);
}

/** The state that shows a file. @param {File} file @param {FileChoices} how @returns {Promise<Answer>} */
export async function askFile(file, how) {
  if (!reach) throw new Unreachable("The calculator is not there yet.");
  return reach.askFile(file, how);
}

function byServer() {
  const place = new URL(location.href).searchParams.get("token");
  const token = place ?? remembered("token", "");
  if (place) remember("token", place); // a copied link has no token; the page of the same server may still open it

  /** @param {string} path @param {string | Blob} body @param {string} type @returns {Promise<Answer>} */
  async function post(path, body, type) {
    let answer;
    try {
      answer = await fetch(path, { method: "POST", headers: { "Content-Type": type, "X-Archcalc-Token": token }, body });
    } catch {
      throw new Unreachable("The calculator does not answer. Is archcalc live still running?");
    }
    if (answer.status === 409) throw new Superseded();
    if (answer.status === 403) throw new Unreachable("The calculator does not know this page. Open the address that archcalc live printed.");
    if (answer.status === 413) return refused("This is too large for the page.");
    if (!answer.ok) return refused(`The calculator failed (HTTP ${answer.status}). The next edit asks again.`);
    try {
      return parseExact(await answer.text());
    } catch {
      throw new Unreachable("The answer of the calculator was cut off.");
    }
  }

  return {
    ask: (/** @type {Record<string, any>} */ request) => post("api", JSON.stringify({ ...request, page, number: ++number }), "application/json"),
    askFile: (/** @type {File} */ file, /** @type {FileChoices} */ { input, allow_missing }) =>
      post(`drop?${new URLSearchParams({ name: file.name, input, allow_missing: String(allow_missing) })}`, file, "application/octet-stream"),
  };
}

/** @param {string} text @returns {Answer} */
function refused(text) {
  return { ok: false, problems: [{ text, line: 0, path: "" }] };
}

async function byWorker() {
  const worker = new Worker("worker.js", { type: "module" });
  /** @type {Map<number, {resolve: (answer: Answer) => void, reject: (error: Error) => void}>} */
  const waiting = new Map();
  worker.onmessage = ({ data }) => {
    if (typeof data.number !== "number") return; // progress while Pyodide starts
    const question = waiting.get(data.number);
    waiting.delete(data.number);
    if (!question) return;
    if (data.error) question.reject(new Unreachable(String(data.error)));
    else question.resolve(typeof data.answer === "string" ? parseExact(data.answer) : data.answer);
  };
  worker.onerror = (event) => {
    for (const question of waiting.values()) question.reject(new Unreachable(event.message || "The calculator did not start."));
    waiting.clear();
  };
  const ask = (/** @type {Record<string, any>} */ request) =>
    new Promise((/** @type {(answer: Answer) => void} */ resolve, reject) => {
      waiting.set(++number, { resolve, reject });
      worker.postMessage({ number, request: { ...request, page, number } });
    });
  return {
    ask,
    async askFile(/** @type {File} */ file, /** @type {FileChoices} */ how) {
      if (file.size > MOST_BYTES_IN_BROWSER) return refused(`A file has at most ${MOST_BYTES_IN_BROWSER / 1e6} MB here.`);
      const bytes = new Uint8Array(await file.arrayBuffer());
      let letters = "";
      for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
      return ask({ op: "drop", name: file.name, base64: btoa(letters), ...how });
    },
  };
}

/**
 * Asks the newest request whenever the last is answered; what lies between is never asked.
 * @template T
 */
export class Newest {
  /** @param {(request: T) => Promise<void>} work */
  constructor(work) {
    this.work = work;
    /** @type {T | null} */
    this.next = null;
    this.busy = false;
  }

  /** @param {T} request */
  async push(request) {
    this.next = request;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.next !== null) {
        const now = this.next;
        this.next = null;
        await this.work(now);
      }
    } finally {
      this.busy = false;
    }
  }
}
