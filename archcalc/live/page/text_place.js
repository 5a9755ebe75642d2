// @ts-check
// Places in a text area: lines and columns (both from 1), offsets in the text, and pixels of the window.
import { h } from "./dom.js";

/** @typedef {{line: number, column: number}} Place */

/** @param {HTMLTextAreaElement} area @param {HTMLElement} sheet the element around the area, with the same letters */
export function textPlaces(area, sheet) {
  const ruler = h("div", { class: "ruler", "aria-hidden": "true" });
  sheet.append(ruler);
  const high = () => parseFloat(getComputedStyle(area).lineHeight);
  const padding = () => { const { paddingTop, paddingLeft } = getComputedStyle(area); return { top: parseFloat(paddingTop), left: parseFloat(paddingLeft) }; };

  /** Where a line begins and ends in the text. @param {number} line @returns {[number, number]} */
  function lineRange(line) {
    const text = area.value;
    let from = 0;
    for (let at = 1; at < line; at += 1) {
      const next = text.indexOf("\n", from);
      if (next < 0) return [text.length, text.length];
      from = next + 1;
    }
    const end = text.indexOf("\n", from);
    return [from, end < 0 ? text.length : end];
  }

  /** @param {number} offset @returns {Place} */
  function placeAt(offset) {
    const before = area.value.slice(0, offset);
    return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
  }

  /** The left end of a place, and the top and bottom of its line, in pixels of the window. @param {Place} place */
  function boxOf({ line, column }) {
    const [from] = lineRange(line);
    ruler.textContent = area.value.slice(from, from + column - 1);
    const { left, top } = area.getBoundingClientRect();
    const around = padding();
    const y = top + around.top + (line - 1) * high() - area.scrollTop;
    return { left: left + around.left + ruler.getBoundingClientRect().width - area.scrollLeft, top: y, bottom: y + high() };
  }

  /** The place under a point of the window; null beside the text. All letters count as equally wide. @param {number} x @param {number} y @returns {Place | null} */
  function placeUnder(x, y) {
    ruler.textContent = "0000000000";
    const wide = ruler.getBoundingClientRect().width / 10;
    const { left, top } = area.getBoundingClientRect();
    const around = padding();
    const line = Math.floor((y - top - around.top + area.scrollTop) / high()) + 1;
    const column = Math.floor((x - left - around.left + area.scrollLeft) / wide) + 1;
    if (line < 1 || column < 1) return null;
    const [from, end] = lineRange(line);
    return column <= end - from ? { line, column } : null;
  }

  return { high, lineRange, placeAt, boxOf, placeUnder };
}

/** Puts a box above or below a place; on the other side where there is no room. @param {HTMLElement} box @param {{left: number, top: number, bottom: number}} at @param {"above" | "below"} side */
export function putBox(box, at, side) {
  const { offsetWidth, offsetHeight } = box;
  const room = { above: at.top >= offsetHeight + 4, below: at.bottom + offsetHeight + 4 <= innerHeight };
  const below = side === "below" ? room.below || !room.above : !room.above;
  box.style.left = `${Math.max(4, Math.min(at.left, innerWidth - offsetWidth - 8))}px`;
  box.style.top = `${below ? at.bottom + 2 : at.top - offsetHeight - 2}px`;
}
