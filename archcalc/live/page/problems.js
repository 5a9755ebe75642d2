// @ts-check
// All problems of the text at once, each with a button to its line.
import { byId, h } from "./dom.js";

/** @typedef {{text: string, line: number, column?: number, path?: string}} Problem */

/** @param {Problem[]} problems @param {(line: number) => void} go */
export function showProblems(problems, go) {
  const place = byId("problems");
  place.hidden = problems.length === 0;
  place.replaceChildren(...(problems.length ? [h("ul", {}, ...problems.map((problem) => h("li", {},
    problem.line > 0 && h("button", { type: "button", class: "line", onclick: () => go(problem.line) }, `line ${problem.line}`),
    problem.line > 0 && " ", problem.text, problem.path && h("span", { class: "soft" }, ` (${problem.path})`))))] : []));
}

/** @param {Problem[]} problems */
export function spokenProblems(problems) {
  return problems.map(({ text, line }) => (line ? `Line ${line}: ${text}` : text)).join(" ");
}
