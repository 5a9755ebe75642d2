// @ts-check
// The differences to another network, as archcalc diff prints them.
import { byId, h } from "./dom.js";
import { grouped } from "./numbers.js";

/** @param {any} value @param {boolean} signed */
function cell(value, signed) {
  if (typeof value !== "number" && typeof value !== "bigint") return value ?? "";
  return signed && value > 0 ? `+${grouped(value)}` : grouped(value);
}

/** @param {any} difference the data of archcalc diff --format json; null: no comparison @param {any[]} headings @param {string[]} [problems] */
export function showDifference(difference, headings, problems = []) {
  const section = byId("difference");
  const body = byId("difference-body");
  section.hidden = !difference && !problems.length;
  if (problems.length) {
    body.replaceChildren(...problems.map((text) => h("p", { class: "bad-text" }, text)));
    return;
  }
  if (!difference) return;
  const rows = difference.rows ?? [];
  byId("difference-title").textContent = `Differences: ${difference.from} to ${difference.to}`;
  const columns = headings.filter(({ key }) => rows.some((/** @type {any} */ row) => row[key] !== null && row[key] !== undefined && row[key] !== ""));
  const style = (/** @type {any} */ { key, kind }) => (kind === "text" ? (key === "difference" ? "wide" : null) : "n");
  if (!rows.length) {
    body.replaceChildren(h("p", {}, "No difference: every layer has the same type, settings, shape and costs."));
    return;
  }
  const table = h("table", {},
    h("thead", {}, h("tr", {}, ...columns.map((one) => h("th", { scope: "col", class: style(one) }, one.title)))),
    h("tbody", {}, ...rows.map((/** @type {any} */ row) => h("tr", {}, ...columns.map((one, at) =>
      h(at ? "td" : "th", { scope: at ? null : "row", class: style(one) }, cell(row[one.key], one.key.endsWith("_delta"))))))));
  body.replaceChildren(h("div", { class: "scroll short", tabindex: 0, role: "region", "aria-label": "Table of differences" }, table));
}
