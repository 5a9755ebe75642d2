// @ts-check
// The state of the page: what a link holds, and what every question to the calculator carries.
// A fragment may come from anybody: sizes are bounded, names and types are checked, and what is unknown is left out.

/** @typedef {string | number | boolean | null | any[]} Setting a list holds settings */
/**
 * @typedef {{text: string, file: string, network: string, settings: Record<string, Setting>, input: string, batch: number,
 *   dtype: string, convention: string, training: boolean, optimizer: string, compare: string}} State
 */

export const MOST_FRAGMENT = 400_000;
export const MOST_TEXT = 1_000_000;

/** @returns {State} */
export function emptyState() {
  return {
    text: "", file: "", network: "", settings: {}, input: "", batch: 1, dtype: "float32", convention: "archcalc", training: false,
    optimizer: "sgd", compare: "",
  };
}

/** A state with the right types, whatever came. @param {any} given @returns {State} */
export function checkedState(given) {
  const state = emptyState();
  if (given === null || typeof given !== "object" || Array.isArray(given)) throw new Error("it holds no state");
  const words = /** @type {const} */ (["file", "network", "input", "dtype", "convention", "optimizer", "compare"]);
  if (typeof given.text === "string") state.text = given.text.slice(0, MOST_TEXT);
  for (const name of words) if (typeof given[name] === "string") state[name] = given[name].slice(0, 400);
  if (Number.isSafeInteger(given.batch) && given.batch > 0) state.batch = given.batch;
  state.training = given.training === true;
  if (given.settings !== null && typeof given.settings === "object") {
    for (const [name, exact] of Object.entries(given.settings).slice(0, 200)) {
      const value = typeof exact === "bigint" ? String(exact) : exact;
      if (/^[A-Za-z_]\w{0,80}$/.test(name) && name !== "__proto__" && isSetting(value, 5)) state.settings[name] = value;
    }
  }
  return state;
}

/** @param {any} value @param {number} levels @returns {boolean} */
function isSetting(value, levels) {
  if (Array.isArray(value)) return levels > 0 && value.length <= 10_000 && value.every((one) => isSetting(one, levels - 1));
  if (typeof value === "string") return value.length <= 400;
  return value === null || typeof value === "boolean" || Number.isFinite(value);
}

const SLICE = 4_096; // bytes that are unpacked at a time: deflate makes a thousand times as many of them at most

/** @param {Uint8Array} bytes @param {CompressionStream | DecompressionStream} way @param {number} most */
async function through(bytes, way, most) {
  let from = 0;
  const slices = new ReadableStream({
    pull(out) {
      if (from < bytes.length) out.enqueue(bytes.subarray(from, (from += SLICE)));
      else out.close();
    },
  });
  const reader = slices.pipeThrough(/** @type {any} */ (way)).getReader();
  /** @type {Uint8Array[]} */
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new Error("it is too large");
    }
    parts.push(value);
  }
  return new Blob(/** @type {any} */ (parts));
}

/** The fragment for a state, without "#". @param {State} state @returns {Promise<string>} */
export async function fragmentOf(state) {
  const plain = emptyState();
  const changed = Object.fromEntries(
    Object.entries(state).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(/** @type {any} */ (plain)[name])),
  );
  const packed = await through(new TextEncoder().encode(JSON.stringify(changed)), new CompressionStream("deflate-raw"), Infinity);
  const bytes = new Uint8Array(await packed.arrayBuffer());
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The state in a fragment; an Error says why there is none. @param {string} fragment @returns {Promise<State>} */
export async function stateIn(fragment) {
  if (fragment.length > MOST_FRAGMENT) throw new Error("it is too long");
  if (!/^[\w-]+$/.test(fragment)) throw new Error("it has letters that no link has");
  let text;
  try {
    const letters = atob(fragment.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    text = await (await through(bytes, new DecompressionStream("deflate-raw"), 2 * MOST_TEXT)).text();
  } catch (error) {
    throw new Error(error instanceof Error && error.message === "it is too large" ? error.message : "it is cut off or changed");
  }
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error("it is cut off or changed");
  }
  return checkedState(given);
}
