// @ts-check
// Growth of the receptive field over the layers, on a scale of powers of two, with the size of the input as a line.
import { LEFT, RIGHT, frame, legend, marker, sentences } from "./chart.js";
import { s } from "./dom.js";
import { grouped, largestOf } from "./numbers.js";

/** @param {any} field the answer of the operation field @param {number} width @returns {import("./chart.js").Drawing} */
export function drawGrowth(field, width) {
  const height = 232;
  /** @type {{name: string, size: number[], layer: number}[]} */
  const points = field.growth.filter((/** @type {any} */ one) => one.size.length);
  const sizes = points.map(({ size }) => size.map(Number));
  const axes = largestOf(sizes.map((size) => size.length), 1);
  const same = sizes.every((size) => size.every((one) => one === size[0]));
  const lines = same ? 1 : axes;
  /** @type {number[]} */
  const input = field.pixels;
  const top = largestOf([...sizes.flat().filter(Number.isFinite), ...input], 2);
  const end = points[points.length - 1]?.size ?? [];
  const side = largestOf(input);
  const caption = !points.length ? "This network has no receptive fields."
    : `Receptive field of each layer, in pixels. At the end: ${same ? grouped(end[0]) : end.map(grouped).join("×")}. ${sentences(field.lines ?? [])}`;
  const { svg, y, inner } = frame({ width, height, top, log: true, x: "layers in order", label: caption });
  const each = inner / Math.max(1, points.length);
  if (side) {
    svg.append(s("line", { x1: LEFT, x2: width - RIGHT, y1: y(side), y2: y(side), class: "limit" }),
      s("text", { x: LEFT + 4, y: y(side) - 4, class: "small" }, `input: ${input.map(grouped).join("×")}`));
  }
  for (let axis = 0; axis < lines; axis += 1) {
    const d = sizes.map((size, at) => `${at ? "L" : "M"}${(LEFT + (at + 0.5) * each).toFixed(1)} ${y(size[Math.min(axis, size.length - 1)] || 1).toFixed(1)}`).join("");
    svg.append(s("path", { d, class: `line line-${axis}` }));
    if (points.length <= 60) {
      sizes.forEach((size, at) => svg.append(s("circle", { cx: LEFT + (at + 0.5) * each, cy: y(size[Math.min(axis, size.length - 1)] || 1), r: 2.2, class: `point line-${axis}` })));
    }
  }
  if (lines > 1) {
    const names = lines === 2 ? ["height", "width"] : lines === 3 ? ["depth", "height", "width"] : ["length"];
    legend(svg, names.map((name, axis) => ({ name, class: `swatch-${axis}` })), width, height);
  }
  const placeOf = new Map(points.map(({ layer }, at) => [layer, at]));
  return {
    svg, caption,
    at: (x) => points[Math.floor((x - LEFT) / each)]?.layer ?? -1,
    mark: marker(svg, height, (layer) => {
      const at = placeOf.get(layer);
      return at === undefined ? null : [LEFT + at * each, LEFT + (at + 1) * each];
    }),
  };
}
