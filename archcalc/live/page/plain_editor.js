// @ts-check
// The editor without CodeMirror: a text area with line numbers, marks at lines with problems, and the line of a row.
import { h } from "./dom.js";

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
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const marks = h("div", { class: "marks", "aria-hidden": "true" });
  const area = h("textarea", {
    "aria-label": "Spec or one-line pattern", "aria-describedby": "editor-help", spellcheck: "false", autocapitalize: "off",
    autocomplete: "off", wrap: "off",
  });
  const box = h("div", { class: "plain" }, gutter, h("div", { class: "sheet" }, marks, area));
  parent.replaceChildren(box);

  /** @type {Map<number, string>} */
  let problems = new Map();
  let lit = 0;
  let lines = 0;

  const lineHeight = () => parseFloat(getComputedStyle(area).lineHeight);

  function number() {
    const count = area.value.split("\n").length;
    if (count === lines) return;
    lines = count;
    mark();
  }

  function mark() {
    gutter.replaceChildren(
      ...Array.from({ length: lines }, (_, at) => h("div", { class: problems.has(at + 1) ? "bad" : null }, at + 1)),
    );
    const high = lineHeight();
    const bars = [...problems.keys()].map((line) => ({ line, kind: "bad" }));
    if (lit) bars.push({ line: lit, kind: "lit" });
    marks.replaceChildren(...bars.map(({ line, kind }) => {
      const bar = h("div", { class: kind });
      bar.style.top = `${(line - 1) * high}px`;
      bar.style.height = `${high}px`;
      return bar;
    }));
    follow();
  }

  function follow() {
    gutter.style.transform = marks.style.transform = `translateY(${-area.scrollTop}px)`;
  }

  const lineAt = () => area.value.slice(0, area.selectionStart).split("\n").length;

  /** @param {number} line @param {number} above the part of the editor above the line, if it was not in view */
  function intoView(line, above) {
    const high = lineHeight();
    const top = (line - 1) * high;
    if (top < area.scrollTop || top > area.scrollTop + area.clientHeight - 2 * high) area.scrollTop = Math.max(0, top - area.clientHeight * above);
  }

  new ResizeObserver(() => { // the list of problems takes room; the line that is typed stays in view
    if (document.activeElement === area) intoView(lineAt(), 0.8);
  }).observe(area);

  area.addEventListener("input", () => {
    number();
    listeners.onChange(area.value);
  });
  area.addEventListener("scroll", follow);
  area.addEventListener("click", () => listeners.onLine(lineAt()));
  area.addEventListener("keyup", (event) => {
    if (/^(Arrow|Page|Home|End)/.test(event.key)) listeners.onLine(lineAt());
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
      number();
    },
    focus: () => area.focus(),
    setProblems(found) {
      problems = new Map(found.filter(({ line }) => line > 0).map(({ line, text }) => [line, text]));
      area.setAttribute("aria-invalid", String(found.length > 0));
      mark();
    },
    light(line) {
      if (line === lit) return;
      lit = line;
      mark();
    },
    reveal(line, focus = false) {
      intoView(line, 0.3);
      if (!focus) return;
      const at = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      area.setSelectionRange(at, at);
      area.focus();
    },
  };
}
