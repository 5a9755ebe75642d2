// @ts-check
// How far Python has started in this browser: in words, as a bar, and to a screen reader at the start and at the end.
import { byId, h } from "./dom.js";

/**
 * @param {number} all the bytes to load @param {(text: string) => void} speak @param {(text: string) => void} fail
 * @returns {(start: import("./by_worker.js").Start | null) => void}
 */
export function starting(all, speak, fail) {
  const place = byId("starting");
  const part = h("progress", { max: all, value: 0, "aria-label": "Loaded part of Python" });
  const loaded = h("span", { "aria-hidden": "true" });
  const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / 1e6);

  return (start) => {
    if (start === null) {
      place.hidden = true;
      speak("Python has started.");
    } else if (start.failed) {
      place.hidden = true;
      fail(start.failed);
    } else {
      if (place.hidden) {
        place.hidden = false;
        place.replaceChildren("Python starts in this browser. What you change is calculated as soon as it has started.", part, loaded);
      }
      part.value = start.loaded;
      loaded.textContent = start.loaded < all ? `${megabytes(start.loaded)} of ${megabytes(all)} MB` : "starting";
    }
  };
}
