// @ts-check
// The layer graph beside the rows, as in the history of a repository: a lane holds an output from the layer that makes
// the output to the last layer that reads the output.
import { s } from "./dom.js";
import { largestOf } from "./numbers.js";

/**
 * @typedef {{lane: number, drawn: boolean, before: number[], after: number[], reads: number[]}} Step
 *   before, after: the item whose output each lane holds above and below the row (-1: none)
 */

/**
 * @param {number[][]} sources for every row the earlier rows that the row reads
 * @param {boolean[]} hidden rows without a dot of their own (open blocks)
 * @returns {{steps: Step[], width: number}}
 */
export function lanesOf(sources, hidden) {
  const last = sources.map((_, at) => at);
  sources.forEach((reads, at) => reads.forEach((source) => { last[source] = at; }));
  /** @type {number[]} */
  const lanes = [];
  let width = 1;
  const steps = sources.map((reads, at) => {
    const before = [...lanes];
    let lane = -1;
    if (!hidden[at]) {
      for (let k = 0; k < lanes.length; k += 1) {
        if (lanes[k] >= 0 && reads.includes(lanes[k]) && last[lanes[k]] === at) {
          if (lane < 0) lane = k;
          lanes[k] = -1;
        }
      }
      if (lane < 0) lane = lanes.findIndex((held) => held < 0);
      if (lane < 0) lane = lanes.length;
      lanes[lane] = last[at] > at ? at : -1;
      while (lanes.length && lanes[lanes.length - 1] < 0) lanes.pop();
    }
    width = Math.max(width, lanes.length, lane + 1);
    return { lane, drawn: !hidden[at], before, after: [...lanes], reads };
  });
  return { steps, width };
}

/**
 * One row of the graph.
 * @param {Step} step @param {number} at @param {number} gap pixels between lanes @param {number} high
 * @param {Set<number>} lit items whose lines are thick
 * @returns {SVGElement[]}
 */
export function rowParts(step, at, gap, high, lit) {
  const x = (/** @type {number} */ lane) => gap / 2 + lane * gap + 2;
  const middle = high / 2;
  const parts = [];
  const line = (/** @type {string} */ d, /** @type {number} */ lane, /** @type {number} */ value, /** @type {boolean} */ on) =>
    s("path", { d, class: `lane lane-${lane % 6}${on ? " lit" : ""}`, "data-value": value });
  step.before.forEach((value, lane) => {
    if (value < 0) return;
    const read = step.drawn && step.reads.includes(value);
    const on = lit.has(value) && lit.has(at) && read;
    const passes = step.after[lane] === value;
    if (passes) parts.push(line(`M${x(lane)} 0V${high}`, lane, value, false));
    if (read) {
      const d = lane === step.lane
        ? `M${x(lane)} 0V${middle}`
        : `M${x(lane)} 0C${x(lane)} ${middle * 0.8} ${x(step.lane)} ${middle * 0.2} ${x(step.lane)} ${middle}`;
      parts.push(line(d, lane, value, on));
    }
  });
  if (step.drawn) {
    if (step.after[step.lane] === at) parts.push(line(`M${x(step.lane)} ${middle}V${high}`, step.lane, at, false));
    parts.push(s("circle", { cx: x(step.lane), cy: middle, r: Math.min(4, gap * 0.42), class: `dot lane-${step.lane % 6}${lit.has(at) ? " lit" : ""}` }));
  }
  return parts;
}

/** The whole graph with names, for a file. @param {{steps: Step[], width: number}} graph @param {string[]} names */
export function wholeGraph(graph, names) {
  const high = 18;
  const gap = 12;
  const side = graph.width * gap + 12;
  const longest = largestOf(names.map((name) => name.length), 1);
  const size = { width: side + longest * 7 + 8, height: graph.steps.length * high };
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${size.width} ${size.height}`, ...size, class: "lanes" });
  graph.steps.forEach((step, at) => {
    svg.append(
      s("g", { transform: `translate(0 ${at * high})` }, ...rowParts(step, at, gap, high, new Set()),
        s("text", { x: side, y: high / 2 + 4, class: "name" }, names[at])),
    );
  });
  return svg;
}
