// @ts-check
// The window of one unit on the network input, to scale. Positions in the padding lie outside of the input.
import { h, s } from "./dom.js";

const SIZE = 200;
const UNIT_AXES = ["depth", "height", "width"];

/** @param {HTMLElement} parent @param {(layer: number, unit: number[] | null) => void} asked a unit was chosen */
export function windowPicture(parent, asked) {
  const title = h("h3", {}, "Window of one unit");
  const name = h("p", { class: "window-name" }, "Point at a row of the table, or choose one with the arrow keys.");
  const canvas = h("div", { class: "canvas" });
  const sliders = h("div", { class: "unit" });
  const lines = h("ul", { class: "sentences soft" });
  parent.replaceChildren(title, name, canvas, sliders, lines);
  let shown = -1;
  let signature = "";

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

  /** @param {number} layer @param {number[]} unit @param {number[]} sizes */
  function chooser(layer, unit, sizes) {
    const now = `${layer} ${sizes}`;
    if (now === signature) {
      [...sliders.querySelectorAll("input")].forEach((input, at) => { if (document.activeElement !== input) input.value = String(unit[at]); });
      [...sliders.querySelectorAll("output")].forEach((output, at) => { output.textContent = `${unit[at]} of ${sizes[at]}`; });
      return;
    }
    signature = now;
    const names = sizes.length === 1 ? ["position"] : UNIT_AXES.slice(-sizes.length);
    sliders.replaceChildren(...sizes.map((size, at) => {
      const input = h("input", { type: "range", min: 0, max: Math.max(0, size - 1), value: unit[at], disabled: size < 2,
        oninput: () => asked(layer, [...sliders.querySelectorAll("input")].map((one) => Number(one.value))) });
      return h("label", {}, h("span", {}, `unit, ${names[at] ?? `axis ${at + 1}`}`), input, h("output", {}, `${unit[at]} of ${size}`));
    }));
  }

  return {
    get layer() { return shown; },
    /** @param {any} answer @param {number} layer @param {string} label @param {number[]} shape */
    show(answer, layer, label, shape) {
      shown = layer;
      name.textContent = name.title = `${label}${answer.unit?.length ? `, unit ${answer.unit.join(", ")}` : ""}`;
      const axes = answer.axes ?? [];
      if (axes.length && axes.every((/** @type {any} */ axis) => axis.first !== null)) draw(axes);
      else canvas.replaceChildren();
      chooser(layer, answer.unit ?? [], answer.unit ? shape.slice(1) : []);
      lines.replaceChildren(...(answer.lines ?? []).map((/** @type {string} */ line) => h("li", {}, line)));
    },
    clear(/** @type {string} */ text) {
      shown = -1;
      signature = "";
      name.textContent = text;
      canvas.replaceChildren();
      sliders.replaceChildren();
      lines.replaceChildren();
    },
  };
}
