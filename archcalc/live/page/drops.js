// @ts-check
// Files that are dropped on the page, or opened by its button.
import { ask } from "./calculator.js";
import { byId } from "./dom.js";

const MOST_BYTES = 50_000_000;

/** A text as text, anything else as bytes. @param {File} file @returns {Promise<Record<string, any>>} */
async function requestFor(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0") && !/\.onnx$/i.test(file.name)) return { op: "drop", name: file.name, text };
  } catch {
    // no text
  }
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { op: "drop", name: file.name, base64: btoa(letters) };
}

/**
 * @param {(state: any, notes: string[]) => void} opened
 * @param {(text: string, bad?: boolean) => void} say
 */
export function drops(opened, say) {
  const sign = byId("drop");
  const input = byId("file-input");

  async function take(/** @type {File | undefined} */ file) {
    if (!file) return;
    if (file.size > MOST_BYTES) {
      say(`${file.name} has ${Math.round(file.size / 1e6)} MB. At most ${MOST_BYTES / 1e6} MB can be read here.`, true);
      return;
    }
    try {
      const answer = await ask(await requestFor(file));
      if (answer.ok) opened(answer.state, answer.notes ?? []);
      else say(answer.problems?.map(({ text, line }) => (line ? `${file.name}, line ${line}: ${text}` : `${file.name}: ${text}`)).join(" ") ?? "", true);
    } catch (error) {
      say(error instanceof Error && error.message ? error.message : `${file.name} cannot be read.`, true);
    }
  }

  const holdsFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => { if (holdsFile(event)) { depth += 1; sign.hidden = false; event.preventDefault(); } });
  addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) sign.hidden = true; });
  addEventListener("dragover", (event) => { if (holdsFile(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    sign.hidden = true;
    if (!holdsFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    take(event.dataTransfer?.files[0]);
  }, true);
  input.addEventListener("change", () => {
    take(input.files[0]);
    input.value = "";
  });
}
