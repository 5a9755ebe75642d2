// @ts-check
// The editor without CodeMirror: a text area with line numbers, marks at lines with problems, completion and help.
import { h } from "./dom.js";
import { plainCompletion } from "./plain_completion.js";
import { plainHelp } from "./plain_help.js";
import { plainLines } from "./plain_lines.js";
import { textPlaces } from "./text_place.js";

/**
 * @typedef {{line: number, column?: number, text: string}} Problem
 * @typedef {{onChange: (text: string) => void, onLine: (line: number) => void,
 *   complete: (text: string, line: number, column: number) => Promise<any>,
 *   hover: (text: string, line: number, column: number) => Promise<any>}} Listeners
 * @typedef {{text: () => string, setText: (text: string) => void, focus: () => void, setProblems: (problems: Problem[]) => void,
 *   light: (line: number) => void, reveal: (line: number, focus?: boolean) => void, kind: string}} Editor
 */

/** @param {HTMLElement} parent @param {Listeners} listeners @returns {Editor} */
export function plainEditor(parent, listeners) {
  const area = h("textarea", {
    "aria-label": "Spec or one-line pattern", "aria-describedby": "editor-help", spellcheck: "false", autocapitalize: "off",
    autocomplete: "off", wrap: "off",
  });
  const sheet = h("div", { class: "sheet" });
  const places = textPlaces(area, sheet);
  const lines = plainLines(area, places.high);
  sheet.append(lines.marks, area);
  /** @type {Problem[]} */
  let problems = [];
  const completion = plainCompletion(area, places, listeners.complete);
  const help = plainHelp(area, places, listeners.hover, (line) => problems.filter((problem) => problem.line === line).map(({ text }) => text));
  const box = h("div", { class: "plain" }, lines.gutter, sheet, ...completion.elements, help.element);
  box.addEventListener("mouseleave", help.close);
  parent.replaceChildren(box);

  const count = () => lines.count(area.value.split("\n").length);
  const lineAt = () => places.placeAt(area.selectionStart).line;

  /** @param {number} line @param {number} above the part of the editor above the line, if it was not in view */
  function intoView(line, above) {
    const high = places.high();
    const top = (line - 1) * high;
    if (top < area.scrollTop || top > area.scrollTop + area.clientHeight - 2 * high) area.scrollTop = Math.max(0, top - area.clientHeight * above);
  }

  new ResizeObserver(() => { // the list of problems takes room; the line that is typed stays in view
    if (document.activeElement === area) intoView(lineAt(), 0.8);
  }).observe(area);

  area.addEventListener("input", () => {
    count();
    listeners.onChange(area.value);
  });
  area.addEventListener("click", () => listeners.onLine(lineAt()));
  area.addEventListener("keyup", (event) => {
    if (/^(Arrow|Page|Home|End)/.test(event.key) && !completion.isOpen()) listeners.onLine(lineAt());
  });
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const before = area.value.slice(0, area.selectionStart);
    const indent = /^[ ]*/.exec(before.slice(before.lastIndexOf("\n") + 1))?.[0] ?? "";
    event.preventDefault();
    document.execCommand("insertText", false, `\n${indent}`); // keeps the undo history of the text area
  });

  return {
    kind: "plain",
    text: () => area.value,
    setText(text) {
      if (text === area.value) return;
      area.value = text;
      area.scrollTop = 0;
      count();
    },
    focus: () => area.focus(),
    setProblems(found) {
      problems = found;
      area.setAttribute("aria-invalid", String(found.length > 0));
      lines.problems(new Set(found.map(({ line }) => line).filter((line) => line > 0)));
    },
    light: lines.light,
    reveal(line, focus = false) {
      intoView(line, 0.3);
      if (!focus) return;
      const [at] = places.lineRange(line);
      area.setSelectionRange(at, at);
      area.focus();
    },
  };
}
