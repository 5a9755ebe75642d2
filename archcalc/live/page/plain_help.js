// @ts-check
// Help at a word of the text area: where the mouse rests, or at the caret with a key.
import { h } from "./dom.js";
import { putBox } from "./text_place.js";

const REST = 350; // milliseconds that the mouse rests

/**
 * @param {HTMLTextAreaElement} area @param {ReturnType<typeof import("./text_place.js").textPlaces>} places
 * @param {import("./plain_editor.js").Listeners["hover"]} hover @param {(line: number) => string[]} problems of a line
 */
export function plainHelp(area, places, hover, problems) {
  const box = h("div", { class: "help", role: "status", hidden: true });
  let [line, from, to] = [0, 0, 0]; // the word that is explained
  let asked = 0;
  let resting = 0;

  function close() {
    clearTimeout(resting);
    asked += 1;
    box.hidden = true;
    line = 0;
  }

  /** @param {import("./text_place.js").Place} place @param {boolean} always whether to say that there is no help */
  async function show(place, always) {
    const mine = ++asked;
    const answer = await hover(area.value, place.line, place.column);
    if (mine !== asked) return;
    const lines = [...problems(place.line), ...(answer?.lines ?? [])];
    if (!lines.length && !always) return close();
    [line, from, to] = [place.line, answer?.from ?? place.column, answer?.to ?? place.column];
    box.hidden = false; // before its text, so that a screen reader notices the text
    box.replaceChildren(...(lines.length ? lines : ["There is no help at this place."]).map((text) => h("p", {}, text)));
    putBox(box, places.boxOf({ line, column: Math.min(from, place.column) }), "above");
  }

  const within = (/** @type {import("./text_place.js").Place | null} */ place) => place !== null && place.line === line && place.column >= from && place.column <= to;

  area.addEventListener("mousemove", (event) => {
    clearTimeout(resting);
    const place = places.placeUnder(event.clientX, event.clientY);
    if (!box.hidden && within(place)) return;
    if (!box.hidden) close();
    if (place && !event.buttons) resting = setTimeout(() => show(place, false), REST);
  });
  area.addEventListener("mousedown", close);
  area.addEventListener("input", close);
  area.addEventListener("scroll", close);
  area.addEventListener("blur", close);
  addEventListener("scroll", () => { if (!box.hidden) close(); }, { passive: true });
  area.addEventListener("keydown", (event) => {
    const key = event.key === "F1" || (event.key === "i" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey);
    if (key) {
      event.preventDefault();
      show(places.placeAt(area.selectionEnd), true);
    } else if (!box.hidden && !["Shift", "Control", "Alt", "Meta"].includes(event.key)) {
      if (event.key === "Escape") event.preventDefault();
      close();
    }
  });

  return { element: box, close };
}
