// @ts-check
// Files that are dropped on the page, or opened by its button.
import { askFile } from "./calculator.js";
import { byId, h } from "./dom.js";

/**
 * @param {(state: any, notes: string[]) => void} opened
 * @param {(text: string, bad: boolean, ...more: Node[]) => void} say
 */
export function drops(opened, say) {
  const sign = byId("drop");
  const input = byId("file-input");

  /** @param {File | undefined} file @param {{input: string, allow_missing: boolean}} how @param {string[]} notes */
  async function take(file, how = { input: "", allow_missing: false }, notes = []) {
    if (!file) return;
    const name = file.name.length > 80 ? `${file.name.slice(0, 77)}…` : file.name;
    try {
      await file.slice(0, 1).arrayBuffer(); // a folder, and a file that is gone, cannot be read
    } catch {
      return say(`${name} cannot be read. A folder is no network.`, true);
    }
    try {
      const answer = await askFile(file, how);
      if (answer.ok) opened(answer.state, [...notes, ...(answer.notes ?? [])]);
      else refuse(file, how, (answer.problems ?? []).map(({ text }) => (text.startsWith(file.name) ? text : `${name}: ${text}`)));
    } catch (error) {
      say(error instanceof Error && error.message ? error.message : `${name} cannot be read.`, true);
    }
  }

  /** Says what is wrong, and offers what the command line offers with an option. @param {File} file @param {{input: string, allow_missing: boolean}} how @param {string[]} problems */
  function refuse(file, how, problems) {
    const text = problems.join(" ");
    const more = [];
    if (text.includes("--input")) {
      const size = h("input", { type: "text", id: "file-size", placeholder: "3x224x224" });
      more.push(h("label", { for: "file-size" }, "Input "), size, h("button", { type: "button", onclick: () => take(file, { ...how, input: size.value.trim() }) }, "Read again"));
    }
    if (text.includes("--allow-missing") && !how.allow_missing) {
      more.push(h("button", { type: "button", onclick: () => take(file, { ...how, allow_missing: true }) }, "Read without these layers"));
    }
    say(text, true, ...more);
  }

  const holdsFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (!holdsFile(event)) return;
    depth += 1;
    sign.hidden = false;
    event.preventDefault();
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) sign.hidden = true;
  });
  addEventListener("dragover", (event) => { if (holdsFile(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    sign.hidden = true;
    if (!holdsFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const files = event.dataTransfer?.files;
    take(files?.[0], undefined, files && files.length > 1 ? ["One file is opened at a time: the first of those dropped."] : []);
  }, true);
  input.addEventListener("change", () => {
    take(input.files[0]);
    input.value = "";
  });
}
