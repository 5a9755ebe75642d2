// @ts-check
// The choices above the page: network of the text, input, batch, dtype, convention, training, optimizer, comparison.
import { combo } from "./combo.js";
import { h } from "./dom.js";

/** @typedef {import("./state.js").State} State */

/** @param {HTMLElement} form @param {(part: Partial<State>) => void} change */
export function controls(form, change) {
  const field = (/** @type {string} */ id, /** @type {string} */ label, /** @type {HTMLElement} */ control, /** @type {string} */ kind = "") =>
    h("div", { class: `field ${kind}`, id: `field-${id}` }, h("label", { for: id }, label), control);
  const select = (/** @type {string} */ id, /** @type {(value: string) => void} */ chosen) => {
    const made = h("select", { id, onchange: () => chosen(made.value) });
    return made;
  };
  const network = select("network", (value) => change({ network: value, settings: {} }));
  const input = h("input", { type: "text", id: "input", spellcheck: "false", placeholder: "3x224x224", oninput: () => change({ input: input.value.trim() }) });
  const batch = h("input", { type: "number", id: "batch", min: 1, step: 1, inputmode: "numeric", oninput: () => {
    const value = Number(batch.value);
    const good = Number.isSafeInteger(value) && value > 0;
    batch.setAttribute("aria-invalid", String(!good));
    if (good) change({ batch: value });
  } });
  const dtype = select("dtype", (value) => change({ dtype: value }));
  const convention = select("convention", (value) => change({ convention: value }));
  const optimizer = select("optimizer", (value) => change({ optimizer: value }));
  const run = (/** @type {boolean} */ training) => h("input", { type: "radio", name: "run", value: String(training), onchange: () => change({ training }) });
  const [inference, training] = [run(false), run(true)];
  const compare = combo({ label: "Compare with", placeholder: "none", free: true, choose: (text) => change({ compare: text }) });
  const optimizerField = field("optimizer", "Optimizer", optimizer);
  const networkField = field("network", "Network of the text", network);

  form.append(
    networkField, field("input", "Input", input), field("batch", "Batch", batch, "narrow"), field("dtype", "Data type", dtype),
    field("convention", "Convention", convention),
    h("fieldset", { class: "field run" }, h("legend", {}, "Run"), h("label", {}, inference, " inference"), h("label", {}, training, " training")),
    optimizerField, compare.element,
  );
  form.addEventListener("submit", (event) => event.preventDefault());

  /** @type {{name: string, about: string}[]} */
  let conventions = [];
  const options = (/** @type {HTMLSelectElement} */ element, /** @type {string[][]} */ entries) => {
    const signature = JSON.stringify(entries);
    if (element.dataset.options === signature) return;
    element.dataset.options = signature;
    element.replaceChildren(...entries.map(([value, text]) => h("option", { value }, text)));
  };
  const put = (/** @type {HTMLInputElement | HTMLSelectElement} */ element, /** @type {string} */ value) => {
    if (document.activeElement !== element || element instanceof HTMLSelectElement) element.value = value;
  };

  return {
    /** @param {any} start */
    fill(start) {
      conventions = start.conventions;
      options(dtype, start.dtypes.map((/** @type {string} */ name) => [name, name]));
      options(convention, conventions.map(({ name }) => [name, name]));
      options(optimizer, start.optimizers.map((/** @type {string} */ name) => [name, name]));
    },
    /** @param {import("./combo.js").Entry[]} zoo */
    zoo(zoo) { compare.fill(zoo); },
    /** @param {State} state */
    set(state) {
      put(input, state.input);
      put(batch, String(state.batch));
      put(dtype, state.dtype);
      put(convention, state.convention);
      put(optimizer, state.optimizer);
      [inference.checked, training.checked] = [!state.training, state.training];
      optimizerField.hidden = !state.training;
      compare.set(state.compare);
      convention.title = conventions.find(({ name }) => name === state.convention)?.about ?? "";
    },
    /** @param {any} answer */
    show(answer) {
      networkField.hidden = answer.networks.length < 2;
      options(network, answer.networks.map((/** @type {any} */ one) => [one.name, one.title && one.title !== one.name ? `${one.name}: ${one.title}` : one.name]));
      put(network, answer.name);
      input.placeholder = answer.input;
    },
  };
}
