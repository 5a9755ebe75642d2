// @ts-check
// Shapes: feature maps as volumes, branches in lanes. Height and width have one scale, channels another.
import { KINDS, kindClass, legend } from "./chart.js";
import { s } from "./dom.js";
import { counted, grouped } from "./numbers.js";
import { placed, volumesOf } from "./shape_layout.js";

const [MOST, MOST_LINES] = [1_500, 3_000]; // volumes and lines in the picture
const TALLEST = 120;
const HIGHEST = 440; // pixels of all lanes
const [ABOVE, BELOW, ARC] = [22, 18, 8]; // for sizes, for what stands below, and for lines below a lane
const LABEL = 12;

/** @typedef {import("./shape_layout.js").Volume} Volume */

/** @param {any} result @param {number} width @returns {import("./chart.js").Drawing} */
export function drawShape(result, width) {
  const all = volumesOf(result);
  const volumes = all.slice(0, MOST);
  const sides = volumes.map(({ shape }) => (shape.length > 2 ? shape.slice(-2) : shape.length === 2 ? [shape[1], 1] : [1, 1]));
  const largest = Math.max(1, ...sides.map(([high, wide]) => Math.max(high, wide)));
  const most = Math.max(1, ...volumes.map(({ shape }) => shape[0]));
  const gap = volumes.length > 40 ? 5 : 10;
  // The root keeps a map of 7 pixels and one of 224 legible in one picture; the numbers stand beside the volumes.
  const rooted = (/** @type {number} */ side) => Math.sqrt(side / largest);
  const natural = (/** @type {number} */ at) => broad(at) + slanted(at) + gap;
  const broad = (/** @type {number} */ at) => Math.max(2, 34 * Math.sqrt(volumes[at].shape[0] / most));
  const slanted = (/** @type {number} */ at) => (sides[at][1] > 1 ? TALLEST * rooted(sides[at][1]) * 0.15 : 0);
  const at = new Map(volumes.map((volume, nth) => [volume, nth]));
  const { spots, lanes, end } = placed(volumes, (volume) => natural(at.get(volume) ?? 0));
  const scale = Math.max(0.25, Math.min(1.4, (width - 20) / Math.max(1, end)));
  const full = Math.max(width, Math.ceil(end * scale + 20));

  // A lane is as high as its highest volume; all lanes together shrink to the height of the picture.
  const highs = new Array(lanes).fill(0);
  volumes.forEach((_, nth) => { highs[spots[nth].lane] = Math.max(highs[spots[nth].lane], TALLEST * rooted(sides[nth][0]) + slanted(nth)); });
  const around = LABEL + ARC;
  const fit = Math.min(1, Math.max(0.15, (HIGHEST - lanes * around) / highs.reduce((sum, high) => sum + high, 0)));
  const tops = highs.map((_, lane) => ABOVE + highs.slice(0, lane).reduce((sum, high) => sum + high * fit + around, 0));
  const middle = (/** @type {number} */ lane) => tops[lane] + (highs[lane] * fit) / 2;
  const bottom = (/** @type {number} */ lane) => tops[lane] + highs[lane] * fit;
  const height = Math.ceil(bottom(lanes - 1) || 0) + around + BELOW;

  const caption = `Feature maps, from the input to the output: ${counted(all.length, "volume")}. Sides grow with the root of height, width and channels. `
    + "Equal maps in a row are one volume. Branches lie below each other; a line leads to the layer that reads the map."
    + (all.length > MOST ? ` The picture has the first ${grouped(MOST)} volumes.` : "");
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${full} ${height}`, width: full, height, role: "img", "aria-label": caption, class: "volumes" });
  const lines = s("g", { class: "flows" });
  svg.append(lines);
  /** @type {Map<number, SVGElement>} */
  const groups = new Map();
  /** @type {{left: number, right: number, lane: number, layer: number}[]} */
  const boxes = [];
  const ends = volumes.map((_, nth) => {
    const left = 10 + spots[nth].x * scale;
    const [tall, wide] = [Math.max(3, TALLEST * fit * rooted(sides[nth][0])), broad(nth) * scale];
    const deep = slanted(nth) * scale;
    const rise = Math.min(deep * 0.9, tall / 2);
    const y = middle(spots[nth].lane) + rise / 2 - tall / 2;
    return { left, right: left + wide, top: y, bottom: y + tall, deep, rise, lane: spots[nth].lane };
  });

  /** @type {Map<number, number[]>} */
  const inLane = new Map();
  volumes.forEach((_, nth) => {
    if (!inLane.has(spots[nth].lane)) inLane.set(spots[nth].lane, []);
    inLane.get(spots[nth].lane)?.push(nth);
  });
  /** The volumes of a lane between two volumes. */
  const between = (/** @type {number} */ lane, /** @type {number} */ from, /** @type {number} */ to) =>
    (inLane.get(lane) ?? []).filter((nth) => nth > from && nth < to && ends[nth].left < ends[to].left && ends[nth].right > ends[from].right);
  const flow = (/** @type {number} */ from, /** @type {number} */ to) => {
    const [a, b] = [ends[from], ends[to]];
    const [ya, yb] = [middle(a.lane), middle(b.lane)];
    const x = a.right + a.deep;
    const bend = Math.min(16, Math.max(2, (b.left - x) / 2));
    const passed = between(a.lane, from, to);
    if (a.lane === b.lane && !passed.length) return `M${x} ${ya}H${b.left}`;
    if (a.lane === b.lane) {
      const low = Math.max(a.bottom, b.bottom, ...passed.map((nth) => ends[nth].bottom)) + ARC;
      return `M${a.right - 1} ${a.bottom}C${a.right} ${low} ${a.right} ${low} ${a.right + bend} ${low}H${b.left - bend}C${b.left} ${low} ${b.left} ${low} ${b.left + 1} ${b.bottom}`;
    }
    return !passed.length
      ? `M${x} ${ya}H${b.left - bend}C${b.left - bend / 2} ${ya} ${b.left - bend / 2} ${yb} ${b.left} ${yb}`
      : `M${x} ${ya}C${x + bend / 2} ${ya} ${x + bend / 2} ${yb} ${x + bend} ${yb}H${b.left}`;
  };

  const labels = { size: "", sizeEnd: -100, channels: new Array(lanes).fill(0), channelsEnd: new Array(lanes).fill(-100) };
  volumes.forEach((volume, nth) => {
    const { left, right, top, bottom: low, deep, rise, lane } = ends[nth];
    for (const from of volume.reads) if (lines.childElementCount < MOST_LINES) lines.append(s("path", { d: flow(from, nth) }));
    const group = s("g", { class: `volume ${kindClass(volume.kind)}` },
      s("title", {}, `${volume.layers.length > 1 ? `${volume.name} to ${volume.last}` : volume.name}: ${volume.shape.join("×")}`),
      s("rect", { x: left, y: top, width: right - left, height: low - top }));
    if (deep > 0.5) {
      group.append(s("polygon", { points: `${left},${top} ${right},${top} ${right + deep},${top - rise} ${left + deep},${top - rise}`, class: "top" }),
        s("polygon", { points: `${right},${top} ${right},${low} ${right + deep},${low - rise} ${right + deep},${top - rise}`, class: "side" }));
    }
    const size = volume.shape.length > 1 ? volume.shape.slice(1).join("×") : "";
    if (lane === 0 && size && size !== labels.size && left > labels.sizeEnd) {
      svg.append(s("text", { x: Math.min(left, full - size.length * 6.4), y: 14, class: "small" }, size));
      [labels.size, labels.sizeEnd] = [size, left + size.length * 6.4 + 6];
    }
    const channels = grouped(volume.shape[0]);
    if (volume.shape[0] !== labels.channels[lane] && left > labels.channelsEnd[lane]) {
      svg.append(s("text", { x: Math.min(left, full - channels.length * 6.4), y: bottom(lane) + around - 2, class: "small" }, channels));
      [labels.channels[lane], labels.channelsEnd[lane]] = [volume.shape[0], left + channels.length * 6.4 + 4];
    }
    for (const layer of volume.layers) groups.set(layer, group);
    boxes.push({ left, right: right + deep + gap * scale, lane, layer: volume.layers[0] });
    svg.append(group);
  });
  svg.append(s("text", { x: 10, y: height - 6, class: "soft small" }, "below: channels, above: height×width"));
  const kinds = ["input", ...KINDS].filter((kind) => volumes.some((volume) => volume.kind === kind));
  legend(svg, kinds.map((kind) => ({ name: kind, class: kindClass(kind) })), full, height);
  /** @type {SVGElement | undefined} */
  let marked;
  return {
    svg, caption,
    at: (px, py) => {
      const lane = Math.max(0, tops.findLastIndex((top) => py >= top - around / 2));
      return boxes.find((box) => box.lane === lane && px >= box.left && px < box.right)?.layer ?? -1;
    },
    mark: (layer) => {
      marked?.classList.remove("lit");
      marked = groups.get(layer);
      marked?.classList.add("lit");
    },
  };
}
