// @ts-check
// Memory over time: bytes that are alive at each operator of a run, by their role.
import { LEFT, BOTTOM, frame, legend, marker, sentences } from "./chart.js";
import { s } from "./dom.js";
import { grouped, short } from "./numbers.js";

const HEIGHT = 226;

/**
 * @param {any} result @param {any} memory the answer of the operation memory @param {number} width
 * @param {string} metric "inference" or "training" @returns {import("./chart.js").Drawing}
 */
export function drawMemory(result, memory, width, metric) {
  const run = memory[metric === "training" ? "training" : "inference"] ?? null;
  /** @type {[number, number, string, number, number[]][]} */
  const moments = run?.moments ?? [];
  const peak = Number(run?.peak.bytes ?? 0);
  const what = metric === "training" ? "a training step" : "an inference run";
  const caption = run === null ? (memory.notes?.[0] ?? `There is no ${what}.`)
    : `Bytes alive during ${what}, batch ${result.table.batch ?? 1}. Peak: ${grouped(run.peak.bytes)} bytes (${short(peak, true)}) at `
      + `${result.layers[run.peak.layer]?.name ?? "the end"}, operator ${run.peak.operator}. ${sentences(run.lines)}`;
  const { svg, y, inner } = frame({ width, height: HEIGHT, top: peak || 1, bytes: true, x: "operators in order of time", label: caption });
  const total = Math.max(1, run?.count ?? 1);
  const x = (/** @type {number} */ at) => LEFT + (inner * at) / total;
  const end = (/** @type {number} */ nth) => x(nth + 1 < moments.length ? moments[nth + 1][0] : total);
  const titles = new Map((memory.roles ?? []).map((/** @type {any} */ role) => [role.key, role.title]));
  const roles = run?.roles ?? [];
  const below = new Array(moments.length).fill(0);
  roles.forEach((/** @type {string} */ role, /** @type {number} */ nth) => {
    const floor = [...below];
    moments.forEach(([, , , , parts], at) => { below[at] += Number(parts[nth] ?? 0); });
    if (below.every((height, at) => height === floor[at])) return;
    const up = below.map((height, at) => `${at ? "V" : `M${x(moments[0][0]).toFixed(1)} `}${y(height).toFixed(1)}H${end(at).toFixed(1)}`).join("");
    let down = "";
    for (let at = floor.length - 1; at >= 0; at -= 1) down += `V${y(floor[at]).toFixed(1)}H${x(moments[at][0]).toFixed(1)}`;
    svg.append(s("path", { d: `${up}${down}z`, class: `role role-${nth % 6}` }));
  });
  if (run) {
    svg.append(s("circle", { cx: x(run.peak.at + 0.5), cy: y(peak), r: 4, class: "peak" }));
    const shown = roles.map((/** @type {string} */ role, /** @type {number} */ nth) => ({ name: String(titles.get(role) ?? role), class: `role-${nth % 6}` }))
      .filter((/** @type {any} */ _, /** @type {number} */ nth) => moments.some(([, , , , parts]) => Number(parts[nth]) > 0));
    legend(svg, [...shown, { name: "peak", class: "peak" }], width, HEIGHT);
  }
  /** @type {Map<number, [number, number]>} */
  const spans = new Map();
  moments.forEach(([at, layer], nth) => {
    const found = spans.get(layer);
    if (!found) spans.set(layer, [x(at), end(nth)]);
    else if (metric !== "training") found[1] = end(nth);
  });
  return {
    svg, caption,
    at: (px) => {
      const time = ((px - LEFT) / inner) * total;
      const nth = moments.findLastIndex(([at]) => at <= time);
      return nth < 0 || px < LEFT ? -1 : moments[nth][1];
    },
    mark: marker(svg, HEIGHT, (layer) => spans.get(layer) ?? null),
  };
}
