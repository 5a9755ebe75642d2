// @ts-check
// Where the feature maps of a network lie in the picture of shapes: branches beside each other, in lanes. Data only.
import { kindOf, rowsOf } from "./chart.js";

/**
 * @typedef {{shape: number[], kind: string, name: string, last: string, layers: number[], reads: number[]}} Volume
 *   a map, or equal maps in a row; reads: the volumes that its first layer reads
 * @typedef {{x: number, wide: number, lane: number}} Spot
 */

const LOOKED = 40; // volumes of a lane that are looked at, from the last one back

/** Equal maps in a row, without branches between them, are one volume; its kind is that of the first layer that does work. @param {any} result @returns {Volume[]} */
export function volumesOf(result) {
  /** @type {Volume[]} */
  const volumes = [];
  /** @type {Map<number, number>} */
  const volumeOf = new Map();
  const readers = new Array(result.layers.length).fill(0);
  for (const { inputs } of result.layers) for (const input of inputs) readers[input] += 1;
  for (const { layer, type, name } of rowsOf(result)) {
    const found = result.layers[layer];
    if (!found) continue;
    const { shape, inputs } = found;
    const at = volumeOf.get(inputs[0]);
    const before = at === undefined ? null : volumes[at];
    const goesOn = inputs.length === 1 && readers[inputs[0]] === 1 && before && before.kind !== "input" && String(before.shape) === String(shape);
    if (goesOn && at !== undefined) {
      before.layers.push(layer);
      before.last = name;
      if (before.kind === "other") before.kind = kindOf(type);
      volumeOf.set(layer, at);
    } else {
      const reads = [...new Set(inputs.flatMap((/** @type {number} */ input) => volumeOf.get(input) ?? []))];
      volumeOf.set(layer, volumes.length);
      volumes.push({ shape, kind: kindOf(type), name, last: name, layers: [layer], reads });
    }
  }
  return volumes;
}

/**
 * A place for every volume: behind all volumes that it reads. A volume goes on in the lane of what it reads, if the lane
 * is free there; else it begins a branch in the next free lane.
 * @param {Volume[]} volumes @param {(volume: Volume) => number} width with the gap behind the volume
 * @returns {{spots: Spot[], lanes: number, end: number}}
 */
export function placed(volumes, width) {
  /** @type {Spot[]} */
  const spots = [];
  /** @type {Spot[][]} */
  const lanes = [];
  let end = 0;
  for (const volume of volumes) {
    const wide = width(volume);
    const read = volume.reads.map((at) => spots[at]);
    const x = Math.max(0, ...read.map((spot) => spot.x + spot.wide));
    const own = read.length ? Math.min(...read.map(({ lane }) => lane)) : 0;
    let lane = own;
    while (!isFree(lanes[lane] ?? [], x, x + wide)) lane += 1;
    const spot = { x, wide, lane };
    spots.push(spot);
    (lanes[lane] ??= []).push(spot);
    end = Math.max(end, x + wide);
  }
  return { spots, lanes: lanes.length, end };
}

/** Whether nothing of a lane lies between two places. @param {Spot[]} lane @param {number} from @param {number} to */
export function isFree(lane, from, to) {
  return lane.slice(-LOOKED).every((spot) => spot.x + spot.wide <= from + 0.01 || spot.x >= to - 0.01);
}
