// @ts-check
// The pictures of a result behind tabs, and beside them the window of one unit on the input.
import { Newest } from "./calculator.js";
import { h, remember, remembered, s } from "./dom.js";
import { costColumns, drawCost } from "./picture_cost.js";
import { drawGrowth } from "./picture_growth.js";
import { drawMemory } from "./picture_memory.js";
import { drawShape } from "./picture_shape.js";
import { saveSvg } from "./svg_file.js";

const TABS = [["cost", "Cost"], ["shape", "Shapes"], ["growth", "Field"], ["memory", "Memory"]];

/**
 * @param {HTMLElement} parent @param {HTMLElement} beside
 * @param {{hover: (layer: number) => void, select: (layer: number) => void, ask: (request: Record<string, any>) => Promise<any>}} listeners
 *   ask: for the data of a picture, which are asked only while the picture is shown
 */
export function pictures(parent, beside, listeners) {
  /** @type {any} */
  let result = null;
  let tab = remembered("picture", "cost");
  if (!TABS.some(([name]) => name === tab)) tab = "cost";
  /** @type {Record<string, string>} */
  const metrics = { cost: "macs", memory: "" };
  let training = false;
  /** @type {import("./chart.js").Drawing | null} */
  let drawing = null;
  let lit = -1;
  let width = 0;
  let waiting = 0;
  /** @type {Record<string, any>} */
  let more = {}; // the answers for this result

  const buttons = TABS.map(([name, title]) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "picture", onclick: () => choose(name),
  }, title));
  const list = h("div", { role: "tablist", "aria-label": "Pictures", class: "tabs" }, ...buttons);
  const metric = h("select", { id: "metric", onchange: () => { metrics[tab] = metric.value; draw(); } });
  const label = h("label", { for: "metric" }, "of ");
  const save = h("button", { type: "button", id: "download-picture", onclick: download }, "Download SVG");
  const smallest = h("button", { type: "button", id: "smallest", onclick: () => loads.push({ request: { op: "field", smallest: true }, of: result }) }, "Smallest input without idle layers");
  const canvas = h("div", { class: "canvas" });
  const caption = h("figcaption");
  const panel = h("div", { id: "picture", role: "tabpanel", tabindex: 0 }, h("figure", {}, caption, canvas));
  parent.replaceChildren(h("div", { class: "picture-area" },
    h("div", { class: "picture-main" }, h("div", { class: "tools" }, list, h("span", { class: "metric" }, label, metric), smallest, save), panel), beside));

  list.addEventListener("keydown", (event) => {
    const at = TABS.findIndex(([name]) => name === tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(TABS[(to + TABS.length) % TABS.length][0]);
    buttons[(to + TABS.length) % TABS.length].focus();
  });

  function choose(/** @type {string} */ name) {
    tab = name;
    remember("picture", name);
    draw();
  }

  /** @returns {string[][]} */
  function optionsNow() {
    if (tab === "cost") return costColumns(result).map((/** @type {any} */ one) => [one.key, one.title]);
    if (tab === "memory" && more.memory?.training) return [["inference", "inference"], ["training", "a training step"]];
    return [];
  }

  function choices() {
    const options = optionsNow();
    const now = tab === "memory" ? metrics.memory || (training ? "training" : "inference") : metrics[tab];
    const signature = JSON.stringify(options);
    if (metric.dataset.options !== signature) {
      metric.dataset.options = signature;
      metric.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
    }
    metric.hidden = label.hidden = options.length === 0;
    if (options.some(([value]) => value === now)) metric.value = now;
    return metric.value;
  }

  const loads = new Newest(async (/** @type {{request: {op: string, smallest?: boolean}, of: any}} */ { request, of }) => {
    if (of !== result || (more[request.op] && !request.smallest)) return;
    smallest.disabled = request.smallest === true; // until the answer, which may take seconds
    const answer = await listeners.ask(request);
    smallest.disabled = false;
    if (of !== result || answer === null) return;
    more[request.op] = { ...answer, smallest: request.smallest };
    draw();
  });

  /** @param {number} wide @returns {import("./chart.js").Drawing | null} null while the data are on their way */
  function drawn(wide) {
    const chosen = choices();
    if (tab === "cost") return drawCost(result, wide, chosen);
    if (tab === "shape") return drawShape(result, wide);
    const op = tab === "growth" ? "field" : "memory";
    const answer = more[op];
    if (!answer) {
      loads.push({ request: { op }, of: result });
      return null;
    }
    if (!answer.ok) return { svg: s("svg"), caption: answer.problems.map((/** @type {any} */ one) => one.text).join(" "), at: () => -1, mark: () => {} };
    return tab === "growth" ? drawGrowth(answer, wide) : drawMemory(result, answer, wide, chosen);
  }

  function draw() {
    waiting = 0;
    if (!result) return;
    TABS.forEach(([name], at) => {
      buttons[at].setAttribute("aria-selected", String(name === tab));
      buttons[at].tabIndex = name === tab ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${tab}`);
    smallest.hidden = tab !== "growth" || !more.field?.ok || more.field.smallest === true;
    const next = drawn(Math.max(280, Math.floor(canvas.clientWidth || 600) - 2));
    width = canvas.clientWidth;
    if (!next) return;
    drawing = next;
    canvas.replaceChildren(next.svg);
    caption.textContent = next.caption;
    next.mark(lit);
  }

  function later() {
    if (!waiting) waiting = requestAnimationFrame(draw);
  }

  function layerAt(/** @type {MouseEvent} */ event) {
    const svg = drawing?.svg;
    if (!svg) return -1;
    const box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal;
    return drawing?.at(((event.clientX - box.left) * view.width) / box.width, ((event.clientY - box.top) * view.height) / box.height) ?? -1;
  }

  function download() {
    if (drawing) saveSvg(drawing.svg, result.table.network, tab);
  }

  canvas.addEventListener("mousemove", (event) => listeners.hover(layerAt(event)));
  canvas.addEventListener("mouseleave", () => listeners.hover(-1));
  canvas.addEventListener("click", (event) => { const layer = layerAt(event); if (layer >= 0) listeners.select(layer); });
  new ResizeObserver(() => { if (canvas.clientWidth !== width) later(); }).observe(canvas);

  return {
    /** @param {any} answer @param {boolean} trains */
    show(answer, trains) {
      if (trains !== training) metrics.memory = "";
      [result, training, more] = [answer, trains, {}];
      later();
    },
    light(/** @type {number} */ layer) { lit = layer; drawing?.mark(layer); },
  };
}
