// @ts-check
// Save, and Ctrl+S: to the file that archcalc live opened, or as a download where there is no such file.
import { byId } from "./dom.js";

/** @param {string} file "" if none was opened @param {{save: () => Promise<void>, download: () => Promise<void>, failed: (error: unknown) => void}} ways */
export function saving(file, ways) {
  const button = byId("save");
  button.hidden = !file;
  button.title = file ? `Save ${file}` : "";
  const work = () => (file ? ways.save() : ways.download()).catch(ways.failed);
  button.addEventListener("click", work);
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    work();
  });
}
