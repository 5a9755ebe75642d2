// @ts-check
// The window of one unit on the network input, to scale. Positions in the padding lie outside of the input.
import { Superseded } from "./answer.js";
import { Newest, ask } from "./calculator.js";
import { h, s } from "./dom.js";

const SIZE = 200;
const UNIT_AXES = ["depth", "height", "width"];

/**
 * What is asked for: a layer, its number, the state that it is of, and one of its units; null: the one in the middle.
 * @typedef {{layer: import("./rows.js").Layer, at: number, state: import("./state.js").State, unit: number[] | null}} Wanted
 */

/** @param {HTMLElement} parent */
export function windowPicture(parent) {
  const title = h("h3", {}, "Window of one unit");
  const name = h("p", { class: "window-name" }, "Point at a row of the table, or choose one with the arrow keys.");
  const canvas = h("div", { class: "canvas" });
  const sliders = h("div", { class: "unit" });
  const lines = h("ul", { class: "sentences soft" });
  parent.replaceChildren(title, name, canvas, sliders, lines);
  let signature = "";
  /** @type {Wanted | null} */
  let wanted = null;
  let resting = 0;

  const questions = new Newest(async (/** @type {Wanted} */ one) => {
    try {
      const answer = await ask({ op: "window", state: one.state, layer: one.at, unit: one.unit });
      if (one !== wanted) return;
      if (answer.ok) show(answer, one);
      else clear(answer.problems?.[0]?.text ?? "");
    } catch (error) {
      if (one === wanted && !(error instanceof Superseded)) clear(error instanceof Error ? error.message : "");
    }
  });

  /** Asks, once the pointer rests; at once if a unit was chosen. @param {Wanted} one */
  function follow(one) {
    wanted = one;
    clearTimeout(resting);
    resting = setTimeout(() => questions.push(one), one.unit ? 0 : 60);
  }

  /** @param {{from: number, to: number}} a @param {number} by */
  const span = ({ from, to }, by) => Math.max(1, (to - from) * by);

  /** @param {any[]} exact height and width, or the length alone */
  function draw(exact) {
    const axes = exact.map((axis) => ({ input: Number(axis.input), first: Number(axis.first), last: Number(axis.last) }));
    const [y, x] = axes.length > 1 ? axes.slice(-2) : [null, axes[0]];
    const box = (/** @type {any} */ axis) => (axis ? { from: Math.min(0, axis.first), to: Math.max(axis.input, axis.last + 1) } : { from: 0, to: 1 });
    const [bx, by] = [box(x), box(y)];
    const most = Math.max(bx.to - bx.from, y ? by.to - by.from : 1);
    const scale = SIZE / most;
    const high = y ? span(by, scale) : 26;
    const px = (/** @type {number} */ at) => 2 + (at - bx.from) * scale;
    const py = (/** @type {number} */ at) => (y ? 2 + (at - by.from) * scale : 2 + at * 26);
    const rect = (/** @type {number} */ x0, /** @type {number} */ x1, /** @type {number} */ y0, /** @type {number} */ y1, /** @type {string} */ kind) =>
      s("rect", { x: px(x0), y: py(y0), width: Math.max(2, px(x1) - px(x0)), height: Math.max(2, py(y1) - py(y0)), class: kind });
    const text = `Input ${exact.map((axis) => axis.input).join("×")}, window ${exact.map((axis) => `${axis.first} to ${axis.last}`).join(" × ")}`;
    const svg = s("svg", { viewBox: `0 0 ${span(bx, scale) + 4} ${high + 4}`, width: span(bx, scale) + 4, height: high + 4, role: "img", "aria-label": text });
    svg.append(rect(0, x.input, 0, y ? y.input : 1, "input-map"));
    svg.append(rect(x.first, x.last + 1, y ? y.first : 0, y ? y.last + 1 : 1, "window"));
    canvas.replaceChildren(svg);
  }

  /** @param {number} at the number of the layer @param {number[]} unit @param {number[]} sizes */
  function chooser(at, unit, sizes) {
    const now = `${at} ${sizes}`;
    if (now === signature) {
      [...sliders.querySelectorAll("input")].forEach((input, nth) => { if (document.activeElement !== input) input.value = String(unit[nth]); });
      [...sliders.querySelectorAll("output")].forEach((output, nth) => { output.textContent = `${unit[nth]} of ${sizes[nth]}`; });
      return;
    }
    signature = now;
    const names = sizes.length === 1 ? ["position"] : UNIT_AXES.slice(-sizes.length);
    sliders.replaceChildren(...sizes.map((size, nth) => {
      const input = h("input", { type: "range", min: 0, max: Math.max(0, size - 1), value: unit[nth], disabled: size < 2,
        oninput: () => { if (wanted) follow({ ...wanted, unit: [...sliders.querySelectorAll("input")].map((one) => Number(one.value)) }); } });
      return h("label", {}, h("span", {}, `unit, ${names[nth] ?? `axis ${nth + 1}`}`), input, h("output", {}, `${unit[nth]} of ${size}`));
    }));
  }

  /** @param {any} answer @param {Wanted} of */
  function show(answer, { layer, at }) {
    name.textContent = name.title = `${layer.name}${answer.unit?.length ? `, unit ${answer.unit.join(", ")}` : ""}`;
    const axes = answer.axes ?? [];
    if (axes.length && axes.every((/** @type {any} */ axis) => axis.first !== null)) draw(axes);
    else canvas.replaceChildren();
    chooser(at, answer.unit ?? [], answer.unit ? layer.shape.slice(1) : []);
    lines.replaceChildren(...(answer.lines ?? []).map((/** @type {string} */ line) => h("li", {}, line)));
  }

  /** @param {string} text */
  function clear(text) {
    wanted = null;
    clearTimeout(resting);
    signature = "";
    name.textContent = text;
    canvas.replaceChildren();
    sliders.replaceChildren();
    lines.replaceChildren();
  }

  return { follow, clear };
}
