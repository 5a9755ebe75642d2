// @ts-check
// The numbers of a lesson, which the student changes.
import { h } from "./dom.js";

/**
 * @typedef {{kind: string, key: string, label: string, value: any, default: any, step: number, least?: number, most?: number, choices?: string[]}} LessonNumber
 * @param {(numbers: Record<string, number | string>) => void} changed with the numbers that differ from those of the lesson
 */
export function numberFields(changed) {
  const fields = h("div", { class: "fields" });
  const problem = h("p", { class: "bad-text", id: "course-problem", role: "status" });
  const reset = h("button", { type: "button", onclick: () => changed({}) }, "Back to the numbers of the lesson");
  const element = h("section", { class: "numbers", "aria-label": "Your numbers" }, h("h3", {}, "Your numbers"), fields, problem, reset);
  /** @type {LessonNumber[]} */
  let numbers = [];
  let waiting = 0;

  const inputs = () => /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([...fields.querySelectorAll("input, select")]);

  function given() {
    /** @type {Record<string, number | string>} */
    const found = {};
    inputs().forEach((input, at) => {
      const { kind, key, default: normal } = numbers[at];
      const value = kind === "number" && /^\d{1,15}$/.test(input.value.trim()) ? Number(input.value) : input.value.trim();
      if (value !== normal) found[key] = value;
    });
    return found;
  }

  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(() => changed(given()), 120);
  }

  /** @param {LessonNumber} one */
  function field({ kind, key, label, value, least, most, step, choices }) {
    const id = `course-${key}`;
    const input = kind === "number"
      ? h("input", { type: "number", id, min: least, max: most, step, inputmode: "numeric", "aria-describedby": "course-problem", oninput: later })
      : h("select", { id, onchange: later }, ...(choices ?? []).map((word) => h("option", { value: word }, word)));
    input.value = String(value);
    return h("div", { class: "number" }, h("label", { for: id }, label), input);
  }

  return {
    element,
    /** @param {LessonNumber[]} now @param {boolean} fresh another lesson, or numbers that the student did not type */
    show(now, fresh) {
      if (fresh || now.length !== numbers.length) fields.replaceChildren(...now.map(field));
      numbers = now;
      inputs().forEach((input) => input.removeAttribute("aria-invalid"));
      problem.textContent = "";
      reset.hidden = now.every((one) => one.value === one.default);
    },
    /** @param {string[]} sentences */
    refuse(sentences) {
      problem.textContent = `${sentences.join(". ")}. The questions keep the last good numbers.`;
      reset.hidden = false;
      inputs().forEach((input, at) => input.setAttribute("aria-invalid", String(sentences.some((text) => text.startsWith(`${numbers[at].label}:`)))));
    },
  };
}
