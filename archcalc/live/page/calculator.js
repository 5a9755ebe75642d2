// @ts-check
// The one way to the calculator: ask(request). Behind it stands the server of `archcalc live`, or a worker with Pyodide.
import { Superseded, Unreachable, refused } from "./answer.js";
import { byWorker } from "./by_worker.js";
import { remember, remembered } from "./dom.js";
import { parseExact } from "./numbers.js";

/** @typedef {import("./answer.js").Answer} Answer */
/** @typedef {import("./answer.js").FileChoices} FileChoices */
/**
 * How the page reaches its calculator, whether CodeMirror is there, and the file with the licences of third parties ("": none);
 * in a site also the bytes that are loaded until Python starts.
 * @typedef {{calculator: "server" | "worker", editor: boolean, licences: string, bytes?: number}} Config
 */

const MOST_BYTES = 256_000_000; // as the server has it

const page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
let number = 0;
/** @type {import("./answer.js").Reach | null} */
let reach = null;

/** @returns {Promise<Config>} */
export async function configuration() {
  return (await fetch("config.json")).json();
}

/** @param {Config} config @param {(start: import("./by_worker.js").Start | null) => void} tell how far Python has started in this browser */
export async function connect(config, tell) {
  reach = config.calculator === "worker" ? await byWorker(tell) : byServer();
}

/** Start what answers, if it has not started: a question that comes later need not wait. */
export function warm() {
  reach?.warm();
}

/** @param {Record<string, any>} request @returns {Promise<Answer>} */
export async function ask(request) {
  if (!reach) throw new Unreachable("The calculator is not there yet.");
  return reach.ask(request);
}

/** The state that shows a file. @param {File} file @param {FileChoices} how @returns {Promise<Answer>} */
export async function askFile(file, how) {
  if (!reach) throw new Unreachable("The calculator is not there yet.");
  if (file.size > reach.most) return refused(`The file has more than ${reach.most / 1e6} MB.`);
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
    most: MOST_BYTES,
    ask: (/** @type {Record<string, any>} */ request) => post("api", JSON.stringify({ ...request, page, number: ++number }), "application/json"),
    askFile: (/** @type {File} */ file, /** @type {FileChoices} */ { input, allow_missing }) =>
      post(`drop?${new URLSearchParams({ name: file.name, input, allow_missing: String(allow_missing) })}`, file, "application/octet-stream"),
    warm() {}, // the server runs
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
