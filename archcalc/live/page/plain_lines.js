// @ts-check
// The line numbers beside the text area, and the marks behind its lines. Only the numbers that can be seen are in the page.
import { h } from "./dom.js";

const EXTRA = 30; // numbers above and below those that can be seen

/** @param {HTMLTextAreaElement} area @param {() => number} lineHeight */
export function plainLines(area, lineHeight) {
  const numbers = h("div", { class: "line-numbers" });
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" }, numbers);
  const marks = h("div", { class: "marks", "aria-hidden": "true" });
  let lines = 1;
  /** @type {Set<number>} */
  let bad = new Set();
  let lit = 0;
  let [from, to] = [0, 0]; // the lines that have numbers, from 0, without ``to``

  function draw() {
    const high = lineHeight();
    from = Math.max(0, Math.floor(area.scrollTop / high) - EXTRA);
    to = Math.min(lines, from + Math.ceil((area.clientHeight || 600) / high) + 2 * EXTRA);
    gutter.style.width = `${String(lines).length + 3}ch`;
    numbers.style.paddingTop = `${from * high}px`;
    numbers.replaceChildren(...Array.from({ length: to - from }, (_, at) => h("div", { class: bad.has(from + at + 1) ? "bad" : null }, from + at + 1)));
    const bars = [...bad].map((line) => ({ line, kind: "bad" }));
    if (lit) bars.push({ line: lit, kind: "lit" });
    marks.replaceChildren(...bars.map(({ line, kind }) => {
      const bar = h("div", { class: kind });
      bar.style.top = `${(line - 1) * high}px`;
      bar.style.height = `${high}px`;
      return bar;
    }));
    follow();
  }

  function follow() {
    numbers.style.transform = marks.style.transform = `translateY(${-area.scrollTop}px)`;
  }

  area.addEventListener("scroll", () => {
    const first = area.scrollTop / lineHeight();
    const last = first + area.clientHeight / lineHeight();
    if ((first < from && from > 0) || (last > to && to < lines)) draw();
    else follow();
  });
  new ResizeObserver(draw).observe(area);

  return {
    gutter, marks,
    /** @param {number} count */
    count(count) {
      if (count === lines) return;
      lines = count;
      draw();
    },
    /** @param {Set<number>} found lines with problems */
    problems(found) {
      if (found.size === bad.size && [...found].every((line) => bad.has(line))) return;
      bad = found;
      draw();
    },
    /** @param {number} line 0: none */
    light(line) {
      if (line === lit) return;
      lit = line;
      draw();
    },
  };
}
