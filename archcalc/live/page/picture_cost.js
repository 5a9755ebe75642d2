// @ts-check
// Cost: a bar for each layer.
import { LEFT, BOTTOM, KINDS, frame, kindClass, kindOf, legend, marker, rowsOf } from "./chart.js";
import { s } from "./dom.js";
import { grouped, largestOf, percent } from "./numbers.js";
import { sumOf } from "./rows.js";

/** The columns that can be drawn: numbers that add up. @param {any} result */
export function costColumns(result) {
  return result.headings.filter((/** @type {any} */ heading) => ["count", "bytes"].includes(heading.kind)
    && result.table.rows.some((/** @type {any} */ row) => Number(row[heading.key]) > 0));
}

/** @param {any} result @param {number} width @param {string} metric @returns {import("./chart.js").Drawing} */
export function drawCost(result, width, metric) {
  const height = 232;
  const columns = costColumns(result);
  const heading = columns.find((/** @type {any} */ one) => one.key === metric) ?? columns[0];
  const rows = rowsOf(result);
  const numbers = rows.map(({ values }) => (heading && Number.isFinite(Number(values[heading.key])) ? Number(values[heading.key]) : 0));
  const largest = numbers.indexOf(largestOf(numbers));
  const exact = rows.map(({ values }) => values);
  const sum = heading ? sumOf(exact, heading.key) : 0;
  const caption = !heading || !sum ? "No layer has a cost in this column."
    : `${heading.title} of each layer. Largest: ${rows[largest].name}, ${grouped(exact[largest][heading.key])} of ${grouped(sum)} (${percent(numbers[largest], Number(sum))}).`;
  const { svg, y, inner } = frame({ width, height, top: numbers[largest] || 1, bytes: heading?.kind === "bytes", x: "layers in order", label: caption });
  const each = inner / Math.max(1, rows.length);
  const wide = Math.max(1, each - (each > 4 ? 1 : 0));
  /** @type {Map<string, string[]>} */
  const paths = new Map();
  numbers.forEach((number, at) => {
    if (number <= 0) return;
    const kind = kindOf(rows[at].type);
    const [x, top] = [LEFT + at * each, y(number)];
    if (!paths.has(kind)) paths.set(kind, []);
    paths.get(kind)?.push(`M${x.toFixed(2)} ${height - BOTTOM}V${top.toFixed(1)}h${wide.toFixed(2)}V${height - BOTTOM}z`);
  });
  for (const [kind, parts] of paths) svg.append(s("path", { d: parts.join(""), class: kindClass(kind) }));
  legend(svg, KINDS.filter((kind) => paths.has(kind)).map((kind) => ({ name: kind, class: kindClass(kind) })), width, height);
  const rowOf = new Map(rows.map(({ layer }, at) => [layer, at]));
  return {
    svg, caption,
    at: (x) => rows[Math.floor((x - LEFT) / each)]?.layer ?? -1,
    mark: marker(svg, height, (layer) => {
      const at = rowOf.get(layer);
      return at === undefined ? null : [LEFT + at * each, LEFT + (at + 1) * each];
    }),
  };
}
