// @ts-check
// The spec's own parameters: sliders for numbers, boxes for truth values, choices for words.
import { h } from "./dom.js";
import { parseExact, plainText } from "./numbers.js";

/** @typedef {{name: string, default: any, value: any, kind: string, least?: number, most?: number, step?: number, choices?: any[], about?: string}} Param */

/** @param {HTMLElement} parent @param {(name: string, value: any) => void} change value undefined: back to the default */
export function paramControls(parent, change) {
  /** @type {Map<string, {signature: string, element: HTMLElement, set: (param: Param) => void}>} */
  let made = new Map();
  const list = h("div", { class: "param-list" });
  const summary = h("summary", {}, "Parameters of the spec");
  parent.append(h("details", { open: true }, summary, list));

  /** @param {Param} param */
  function control(param) {
    const id = `param-${param.name}`;
    const label = h("label", { for: id, title: param.about || null }, param.name);
    const reset = h("button", { type: "button", class: "reset", title: `back to ${text(param.default)}`, "aria-label": `${param.name}: back to ${text(param.default)}`,
      onclick: () => change(param.name, undefined) }, "↺");
    const same = (/** @type {Param} */ now) => { reset.hidden = plainText(now.value) === plainText(now.default); };
    if (param.kind === "bool") {
      const box = h("input", { type: "checkbox", id, onchange: () => change(param.name, box.checked) });
      return part(label, [box], reset, (now) => { box.checked = now.value === true; same(now); });
    }
    if (param.choices?.length) {
      const select = h("select", { id, onchange: () => change(param.name, param.choices?.[select.selectedIndex]) },
        ...param.choices.map((choice) => h("option", { value: text(choice) }, text(choice))));
      return part(label, [select], reset, (now) => { select.value = text(now.value); same(now); });
    }
    if (param.kind === "int" || param.kind === "float") {
      const step = param.step ?? (param.kind === "int" ? 1 : "any");
      const number = h("input", { type: "number", id, step, inputmode: "decimal", oninput: () => { if (number.value !== "" && Number.isFinite(Number(number.value))) take(number); } });
      const bounded = Number.isFinite(param.least) && Number.isFinite(param.most) && Number(param.most) > Number(param.least);
      const slider = h("input", { type: "range", min: param.least ?? 0, max: param.most ?? 1,
        step: param.step ?? (param.kind === "int" ? 1 : (Number(param.most) - Number(param.least)) / 100 || "any"),
        "aria-label": `${param.name}, slider`, hidden: !bounded, oninput: () => { number.value = slider.value; take(slider); } });
      // a number that JavaScript would round goes as a text, which archcalc reads
      const take = (/** @type {HTMLInputElement} */ { value }) => change(param.name, Number.isInteger(Number(value)) && !Number.isSafeInteger(Number(value)) ? value : Number(value));
      return part(label, [slider, number], reset, (now) => {
        if (document.activeElement !== slider) slider.value = String(now.value);
        if (document.activeElement !== number) number.value = String(now.value);
        same(now);
      });
    }
    const input = h("input", { type: "text", id, onchange: () => change(param.name, valueOf(input.value, param.kind)) });
    return part(label, [input], reset, (now) => { if (document.activeElement !== input) input.value = text(now.value); same(now); });
  }

  /** @param {HTMLElement} label @param {HTMLElement[]} inputs @param {HTMLElement} reset @param {(param: Param) => void} set */
  function part(label, inputs, reset, set) {
    return { element: h("div", { class: "param" }, label, ...inputs, reset), set };
  }

  return {
    /** @param {Param[]} params */
    show(params) {
      parent.hidden = params.length === 0;
      const next = new Map();
      for (const param of params) {
        const signature = plainText([param.name, param.kind, param.least, param.most, param.step, param.choices, param.default]);
        const before = made.get(param.name);
        next.set(param.name, before?.signature === signature ? before : { signature, ...control(param) });
      }
      const elements = [...next.values()].map(({ element }) => element);
      if (elements.length !== list.children.length || elements.some((element, at) => list.children[at] !== element)) list.replaceChildren(...elements);
      made = next;
      for (const param of params) made.get(param.name)?.set(param);
    },
  };
}

/** @param {any} value */
function text(value) {
  return typeof value === "string" ? value : plainText(value);
}

/** A list is typed as JSON, or without its brackets. @param {string} typed @param {string} kind */
function valueOf(typed, kind) {
  if (kind === "word") return typed;
  for (const form of [typed, `[${typed}]`]) {
    try {
      const value = parseExact(form);
      return plainText(value) === JSON.stringify(JSON.parse(form)) ? value : typed; // archcalc reads what JavaScript would round
    } catch {
      // the next form, or the text itself
    }
  }
  return typed;
}
