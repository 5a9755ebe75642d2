// @ts-check
// Shapes: feature maps as volumes. Height and width have one scale, channels another. Equal maps in a row are one volume.
import { KINDS, kindClass, kindOf, rowsOf } from "./chart.js";
import { s } from "./dom.js";
import { counted, grouped } from "./numbers.js";

const HEIGHT = 240;
const MIDDLE = 108;

/** @typedef {{shape: number[], kind: string, name: string, last: string, layers: number[]}} Volume */

/** Volumes of consecutive equal maps; the kind is that of the first layer that does work. @param {any} result @returns {Volume[]} */
function volumesOf(result) {
  /** @type {Volume[]} */
  const volumes = [];
  for (const { layer, type, name } of rowsOf(result)) {
    const shape = result.layers[layer]?.shape;
    if (!shape) continue;
    const before = volumes[volumes.length - 1];
    if (before && String(before.shape) === String(shape) && before.kind !== "input") {
      before.layers.push(layer);
      before.last = name;
      if (before.kind === "other") before.kind = kindOf(type);
    } else volumes.push({ shape, kind: kindOf(type), name, last: name, layers: [layer] });
  }
  return volumes;
}

/** @param {any} result @param {number} width @returns {import("./chart.js").Drawing} */
export function drawShape(result, width) {
  const volumes = volumesOf(result);
  const sides = volumes.map(({ shape }) => (shape.length > 2 ? shape.slice(-2) : shape.length === 2 ? [shape[1], 1] : [1, 1]));
  const largest = Math.max(1, ...sides.map(([high, wide]) => Math.max(high, wide)));
  const most = Math.max(1, ...volumes.map(({ shape }) => shape[0]));
  // The root keeps a map of 7 pixels and one of 224 legible in one picture; the numbers stand beside the volumes.
  const tall = (/** @type {number} */ side) => Math.max(3, 120 * Math.sqrt(side / largest));
  const broad = (/** @type {number} */ channels) => Math.max(2, 34 * Math.sqrt(channels / most));
  const slant = (/** @type {number} */ side) => (side > 1 ? tall(side) * 0.3 : 0);
  const gap = volumes.length > 40 ? 3 : 10;
  const natural = volumes.reduce((sum, { shape }, at) => sum + broad(shape[0]) + slant(sides[at][1]) * 0.5 + gap, 20);
  const scale = Math.max(0.25, Math.min(1.4, (width - 20) / natural));
  const full = Math.max(width, natural * scale + 20);
  const caption = `Feature maps, from the input to the output: ${counted(volumes.length, "volume")}. Sides grow with the root of height, width and channels. `
    + "Equal maps in a row are one volume.";
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${full} ${HEIGHT}`, width: full, height: HEIGHT, role: "img", "aria-label": caption, class: "volumes" });
  /** @type {Map<number, SVGElement>} */
  const groups = new Map();
  /** @type {{from: number, to: number, layer: number}[]} */
  const spans = [];
  let x = 10;
  let [lastLabel, lastChannels, textEnd, channelEnd] = ["", 0, -100, -100];
  volumes.forEach((volume, at) => {
    const [high, deep] = sides[at];
    const [t, w, d] = [tall(high), broad(volume.shape[0]) * scale, slant(deep) * scale * 0.5];
    const rise = d * 0.9;
    const [top, bottom, right] = [MIDDLE + rise / 2 - t / 2, MIDDLE + rise / 2 + t / 2, x + w];
    const group = s("g", { class: `volume ${kindClass(volume.kind)}` },
      s("title", {}, `${volume.layers.length > 1 ? `${volume.name} to ${volume.last}` : volume.name}: ${volume.shape.join("×")}`),
      s("rect", { x, y: top, width: w, height: t }));
    if (d > 0.5) {
      group.append(s("polygon", { points: `${x},${top} ${right},${top} ${right + d},${top - rise} ${x + d},${top - rise}`, class: "top" }),
        s("polygon", { points: `${right},${top} ${right},${bottom} ${right + d},${bottom - rise} ${right + d},${top - rise}`, class: "side" }));
    }
    const label = volume.shape.length > 1 ? volume.shape.slice(1).join("×") : "";
    if (label && label !== lastLabel && x > textEnd) {
      svg.append(s("text", { x, y: 14, class: "small" }, label));
      [lastLabel, textEnd] = [label, x + label.length * 6.4 + 6];
    }
    const channels = grouped(volume.shape[0]);
    if (volume.shape[0] !== lastChannels && x > channelEnd) {
      svg.append(s("text", { x, y: HEIGHT - 40, class: "small" }, channels));
      [lastChannels, channelEnd] = [volume.shape[0], x + channels.length * 6.4 + 4];
    }
    for (const layer of volume.layers) groups.set(layer, group);
    spans.push({ from: x, to: right + d + gap * scale, layer: volume.layers[0] });
    svg.append(group);
    x = right + d + gap * scale;
  });
  svg.append(s("text", { x: 10, y: HEIGHT - 26, class: "soft small" }, "below: channels, above: height×width"));
  const kinds = ["input", ...KINDS].filter((kind) => volumes.some((volume) => volume.kind === kind));
  let at = 10;
  for (const kind of kinds) {
    svg.append(s("rect", { x: at, y: HEIGHT - 14, width: 9, height: 9, class: kindClass(kind) }), s("text", { x: at + 13, y: HEIGHT - 6, class: "small" }, kind));
    at += kind.length * 6.2 + 26;
  }
  /** @type {SVGElement | undefined} */
  let marked;
  return {
    svg, caption,
    at: (px) => spans.find(({ from, to }) => px >= from && px < to)?.layer ?? -1,
    mark: (layer) => {
      marked?.classList.remove("lit");
      marked = groups.get(layer);
      marked?.classList.add("lit");
    },
  };
}
