// @ts-check
// What the pictures share: a frame with axes, the colours of layer types, and a mark at one layer.
import { s } from "./dom.js";
import { grouped, short, ticks } from "./numbers.js";

/**
 * @typedef {{svg: SVGSVGElement, caption: string, at: (x: number, y: number) => number, mark: (layer: number) => void}} Drawing
 *   at: the layer at a point of the picture (-1: none)
 */

export const LEFT = 58;
export const RIGHT = 12;
export const TOP = 14;
export const BOTTOM = 26;

/** The kind of a layer type, for colours and legends. @param {string} type */
export function kindOf(type) {
  if (/^input/.test(type)) return "input";
  if (/conv|patch/.test(type)) return "convolution";
  if (/pool|subsample/.test(type)) return "pooling";
  if (/^linear$|fully|rbf/.test(type)) return "fully connected";
  if (/attention|matmul/.test(type)) return "attention";
  if (/^(add|concat|multiply|mean|join)/.test(type)) return "merge";
  return "other";
}

export const KINDS = ["convolution", "pooling", "fully connected", "attention", "merge", "other"];

/** @param {string} kind */
export const kindClass = (kind) => `kind-${kind.replaceAll(" ", "-")}`;

/**
 * @param {{width: number, height: number, top: number, bytes?: boolean, log?: boolean, x?: string, label: string}} how
 *   top: the largest number of the vertical axis
 */
export function frame({ width, height, top, bytes = false, log = false, x = "", label }) {
  const steps = log ? powers(top) : ticks(top);
  const most = steps[steps.length - 1];
  const high = height - TOP - BOTTOM;
  const y = (/** @type {number} */ value) =>
    TOP + high - high * (log ? Math.log2(Math.max(1, value)) / Math.log2(Math.max(2, most)) : value / most);
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  for (const step of steps) {
    svg.append(
      s("line", { x1: LEFT, x2: width - RIGHT, y1: y(step), y2: y(step), class: step === steps[0] ? "axis" : "grid" }),
      s("text", { x: LEFT - 6, y: y(step) + 4, "text-anchor": "end" }, log ? grouped(step) : short(step, bytes)),
    );
  }
  if (x) svg.append(s("text", { x: (LEFT + width - RIGHT) / 2, y: height - 6, "text-anchor": "middle", class: "soft" }, x));
  return { svg, y, high, inner: width - LEFT - RIGHT };
}

/** @param {number} top */
function powers(top) {
  const most = Math.ceil(Math.log2(Math.max(2, top)));
  const by = Math.max(1, Math.ceil(most / 5));
  const steps = [];
  for (let power = 0; power < most + by; power += by) steps.push(2 ** power);
  return steps;
}

/** Lines of the command line as sentences in a row. @param {string[]} lines */
export function sentences(lines) {
  return lines.map((line) => `${line[0]?.toUpperCase() ?? ""}${line.slice(1)}${/[.:?]$/.test(line) ? "" : "."}`).join(" ");
}

/** A vertical mark that moves to a layer. @param {SVGSVGElement} svg @param {number} height @param {(layer: number) => [number, number] | null} span */
export function marker(svg, height, span) {
  const bar = s("rect", { class: "mark", y: TOP, height: height - TOP - BOTTOM, visibility: "hidden" });
  svg.insertBefore(bar, svg.firstChild);
  return (/** @type {number} */ layer) => {
    const place = layer < 0 ? null : span(layer);
    bar.setAttribute("visibility", place ? "visible" : "hidden");
    if (!place) return;
    const wide = Math.max(3, place[1] - place[0]);
    bar.setAttribute("x", String((place[0] + place[1] - wide) / 2));
    bar.setAttribute("width", String(wide));
  };
}

/** A legend below the picture, in as many lines as it needs. @param {SVGSVGElement} svg @param {{name: string, class: string}[]} entries @param {number} width @param {number} height */
export function legend(svg, entries, width, height) {
  let [x, y] = [LEFT, height + 10];
  for (const entry of entries) {
    const wide = entry.name.length * 6 + 24;
    if (x > LEFT && x + wide > width) [x, y] = [LEFT, y + 15];
    svg.append(s("rect", { x, y: y - 9, width: 9, height: 9, class: entry.class }), s("text", { x: x + 13, y, class: "small" }, entry.name));
    x += wide;
  }
  if (!entries.length) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${y + 6}`);
  svg.setAttribute("height", String(y + 6));
}

/** The rows of a result in order, with their layers. @param {any} result @returns {{values: any, layer: number, type: string, name: string}[]} */
export function rowsOf(result) {
  const layers = new Map();
  result.layers.forEach((/** @type {any} */ layer, /** @type {number} */ at) => { if (layer.row >= 0) layers.set(layer.row, at); });
  return result.table.rows.map((/** @type {any} */ values, /** @type {number} */ row) => ({
    values, layer: layers.get(row) ?? -1, type: values.type, name: values.layer,
  }));
}
