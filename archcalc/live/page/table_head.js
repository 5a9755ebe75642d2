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

/** @param {Heading[]} shown @param {Record<string, any>} totals by the names of the columns, as in the data of the command line */
export function totalCells(shown, totals) {
  const text = (/** @type {Heading} */ heading) => (["number", "bigint"].includes(typeof totals[heading.key]) ? cellText(totals, heading) : "");
  return [h("td", { class: "graph" }), ...shown.map((heading, at) => (at === 0 ? h("th", { scope: "row" }, "total") : h("td", { class: isNumeric(heading) ? "n" : null }, text(heading))))];
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
  return h("tr", { class: "sizer", "aria-hidden": "true" }, h("td"), ...widest.map((text) => h("td", {}, h("div", {}, text, "\u2003"))));
}

/** Stands for the rows that are not drawn. */
export function spacer(span = 1) {
  return h("tr", { class: "spacer", "aria-hidden": "true" }, h("td", { colspan: span }));
}
