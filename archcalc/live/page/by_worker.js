// @ts-check
// The calculator of a static site: a worker with Python. Until Python has started, the stored answers of the site are all there is.
import { Superseded, Unreachable, refused } from "./answer.js";
import { parseExact } from "./numbers.js";

/** @typedef {import("./answer.js").Answer} Answer */
/** @typedef {{loaded: number, failed: string}} Start how many bytes have been loaded, and why Python cannot start */

const MOST_BYTES = 50_000_000;

/** @param {(start: Start | null) => void} tell how far Python has started; null: it has @returns {Promise<import("./answer.js").Reach>} */
export async function byWorker(tell) {
  const stored = await storedAnswers();
  /** @type {Map<number, {op: string, request: string, resolve: (answer: Answer) => void, reject: (error: Error) => void}>} */
  const waiting = new Map();
  let failed = "";
  let number = 0;
  /** @type {Worker | null} */
  let worker = null;

  /** The worker, which is made when it is needed first: the page is drawn before it. */
  function needed() {
    if (!worker && !failed) {
      if (typeof WebAssembly === "object") worker = made();
      else fail("this browser has no WebAssembly");
    }
    if (!worker) throw new Unreachable(failed);
    return worker;
  }

  function made() {
    const made = newWorker();
    made.onmessage = ({ data }) => hear(data);
    made.onerror = (event) => {
      event.preventDefault();
      fail(event.message || "its script worker.js cannot be loaded");
    };
    return made;
  }

  function hear(/** @type {any} */ data) {
    if (data.failed) return fail(data.failed);
    if (data.ready) return tell(null);
    if (data.loaded !== undefined) return tell({ loaded: data.loaded, failed: "" });
    const question = waiting.get(data.number);
    waiting.delete(data.number);
    if (data.overtaken) question?.reject(new Superseded());
    else if (data.broken) {
      question?.resolve(refused(`The network is too large for this browser (${data.broken}).`));
      again();
    } else question?.resolve(parseExact(data.answer));
  }

  function fail(/** @type {string} */ reason) {
    failed = `The calculator cannot start: ${reason}. Reload the page to try again.`;
    worker?.terminate();
    worker = null;
    for (const question of waiting.values()) question.reject(new Unreachable(failed));
    waiting.clear();
    tell({ loaded: 0, failed });
  }

  /** A new worker, after Python ended in the old one; it gets the questions that still wait. */
  function again() {
    worker?.terminate();
    worker = null;
    for (const [number, { op, request }] of waiting) needed().postMessage({ number, op, request });
  }

  /** @param {Record<string, any>} asked @returns {Promise<Answer>} */
  async function ask(asked) {
    const request = JSON.stringify(asked);
    const known = stored.get(request);
    if (known) return known;
    const { op } = asked;
    const calculator = needed();
    return new Promise((resolve, reject) => {
      waiting.set(++number, { op, request, resolve, reject });
      calculator.postMessage({ number, op, request });
    });
  }

  return {
    most: MOST_BYTES,
    ask,
    warm() {
      try {
        needed();
      } catch {
        // the page has been told
      }
    },
    async askFile(file, how) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      let letters = "";
      for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
      return ask({ op: "drop", name: file.name, base64: btoa(letters), ...how });
    },
  };
}

/** A worker that is made from a text is under the content policy of the page; one that is loaded from a file is not. */
function newWorker() {
  const script = `import ${JSON.stringify(new URL("worker.js", document.baseURI).href)};`;
  const place = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return new Worker(place, { type: "module" });
}

/** The answers that came with the site, by their questions. @returns {Promise<Map<string, Answer>>} */
async function storedAnswers() {
  try {
    const pairs = parseExact(await (await fetch("first.json")).text());
    return new Map(pairs.map((/** @type {any} */ [question, answer]) => [JSON.stringify(question), answer]));
  } catch {
    return new Map(); // Python answers everything
  }
}
