// @ts-check
// The columns of the table of layers: which are shown, and how their cells read.
import { grouped } from "./numbers.js";

/** @typedef {import("./rows.js").Heading} Heading */

export const FIRST = ["layer", "type", "output", "params", "macs", "memory", "rf", "step"];

const AXES = /_(channels|depth|height|width|length)$/;

/** The column that a heading belongs to: rf for rf_height. @param {string} key */
export function columnOf(key) {
  return key.replace(AXES, "");
}

/** The headings that are shown: those of the chosen columns. @param {Heading[]} headings @param {string[]} chosen */
export function shownHeadings(headings, chosen) {
  return headings.filter((heading) => heading.key === "layer" || chosen.includes(columnOf(heading.key)));
}

/** Whether the cells are numbers, aligned right. @param {Heading} heading */
export function isNumeric(heading) {
  return heading.kind !== "text";
}

/** @param {Record<string, any>} row @param {Heading} heading @param {boolean} [block] */
export function cellText(row, heading, block = false) {
  const value = row[heading.key];
  if (value === undefined) return "";
  if (value === null) {
    if (block) return "";
    if (heading.key.startsWith("step")) return "whole";
    return heading.kind === "text" ? "" : "-";
  }
  if (typeof value === "number" || typeof value === "bigint") return grouped(value);
  return String(value);
}

/** The cells of a row; a field that is only known as a bound has its sign. @param {Record<string, any>} row @param {Heading[]} shown @param {boolean} block */
export function cellTexts(row, shown, block) {
  return shown.map((heading) => `${!block && isBound(row, heading.key) ? "≤" : ""}${cellText(row, heading, block)}`);
}

/** The exactness of a cell of a field: true if the number is a bound. @param {Record<string, any>} row @param {string} key */
function isBound(row, key) {
  const [column, axis] = [columnOf(key), AXES.exec(key)?.[0] ?? ""];
  const mark = column === "rf" ? "exact" : column === "rf_with_gates" ? "exact_with_gates" : "";
  return mark !== "" && (row[mark + axis] ?? row[mark]) === "bound";
}
