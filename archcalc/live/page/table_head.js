// @ts-check
// The titles and the totals of the table of layers, and the rows that keep its size.
import { cellText, isNumeric } from "./columns.js";
import { h } from "./dom.js";
import { grouped } from "./numbers.js";

/** @typedef {import("./rows.js").Heading} Heading */

/** @param {Heading[]} shown @param {{key: string, down: boolean} | null} sort @param {(key: string, numeric: boolean) => void} order */
export function titleCells(shown, sort, order) {
  const graph = h("th", { scope: "col", class: "graph" }, h("span", { class: "unseen" }, "Graph"));
  return [graph, ...shown.map((heading) => h("th", {
    scope: "col", class: isNumeric(heading) ? "n" : null, title: heading.about || null,
    "aria-sort": sort?.key === heading.key ? (sort.down ? "descending" : "ascending") : null,
  }, h("button", { type: "button", "data-key": heading.key, onclick: () => order(heading.key, isNumeric(heading)) }, heading.title)))];
}

/** The texts of the totals. @param {Heading[]} shown @param {Record<string, any>} totals by the names of the columns, as in the data of the command line */
export function totalTexts(shown, totals) {
  return shown.map(({ key }, at) => {
    if (at === 0) return "total";
    return ["number", "bigint"].includes(typeof totals[key]) ? grouped(totals[key]) : "";
  });
}

/** @param {Heading[]} shown @param {Record<string, any>} totals */
export function totalCells(shown, totals) {
  return [h("td", { class: "graph" }), ...totalTexts(shown, totals).map((text, at) => (at === 0 ? h("th", { scope: "row" }, text) : h("td", { class: isNumeric(shown[at]) ? "n" : null }, text)))];
}

/** Other texts in the cells of a row, which stay. @param {Element} row @param {string[]} texts @param {number} from the first cell */
export function setTexts(row, texts, from) {
  texts.forEach((text, at) => {
    const cell = row.children[from + at];
    const place = cell.firstElementChild ?? cell;
    if (place.textContent !== text) place.textContent = text;
  });
}

/** @param {string[]} texts */
export function widest(texts) {
  return texts.reduce((most, text) => (text.length > most.length ? text : most), "");
}

/** The widest text of a column: of its words, or its largest number. @param {Record<string, any>[]} rows @param {Heading} heading */
export function widestCell(rows, heading) {
  /** @type {number | bigint} */
  let largest = 0;
  let words = "";
  for (const row of rows) {
    const value = row[heading.key];
    if (typeof value === "number" || typeof value === "bigint") { if (value > largest) largest = value; }
    else words = widest([words, cellText(row, heading)]);
  }
  return widest([words, grouped(largest)]);
}

/** A row without height that holds the widest texts, so that columns keep their widths. @param {string[]} widest */
export function sizer(widest) {
  return h("tr", { class: "sizer", "aria-hidden": "true" }, h("td"), ...widest.map((text) => h("td", {}, h("div", {}, `${text}\u2003`))));
}

/** Stands for the rows that are not drawn. */
export function spacer(span = 1) {
  return h("tr", { class: "spacer", "aria-hidden": "true" }, h("td", { colspan: span }));
}
