// @ts-check
// Completion in the text area: a list below the caret, from the calculator. The focus stays in the text area.
import { h } from "./dom.js";
import { counted } from "./numbers.js";
import { putBox } from "./text_place.js";

/** @typedef {{label: string, kind: string, detail: string, about: string, apply: string}} Option */

const MOST = 60;
const DELAY = 100; // milliseconds after a key
const STARTS = /[\w.]+$|[:\-,[{>]\s?$/; // what stands before a place where completion is offered without being asked
const EMPTY = /: (?=[,}]|$)/; // a place that waits for a value, as in "conv: {kernel: , out: }"

/**
 * @param {HTMLTextAreaElement} area @param {ReturnType<typeof import("./text_place.js").textPlaces>} places
 * @param {import("./plain_editor.js").Listeners["complete"]} complete
 */
export function plainCompletion(area, places, complete) {
  const list = h("ul", { class: "choices", role: "listbox", id: "completions", "aria-label": "What fits here", hidden: true,
    tabindex: 0, onmousedown: (/** @type {Event} */ event) => event.preventDefault() }); // the list scrolls, and the focus stays
  const spoken = h("div", { class: "unseen", role: "status" });
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-haspopup", "listbox");
  area.setAttribute("aria-controls", list.id);

  /** @type {Option[]} */
  let all = []; // the last answer
  /** @type {Option[]} */
  let shown = [];
  let [line, from, after] = [0, 0, 0]; // where the word of the answer begins, and the letters of the word behind the caret
  let at = 0;
  let filling = 0; // the line with places that wait for values
  let waiting = 0;
  let asked = 0;

  const caret = () => places.placeAt(area.selectionEnd);
  const before = () => area.value.slice(area.value.lastIndexOf("\n", area.selectionEnd - 1) + 1, area.selectionEnd);

  function close() {
    clearTimeout(waiting);
    asked += 1;
    all = [];
    if (list.hidden) return;
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
    spoken.textContent = "";
  }

  async function ask() {
    clearTimeout(waiting);
    const mine = ++asked;
    const here = caret();
    const answer = await complete(area.value, here.line, here.column);
    if (mine !== asked || document.activeElement !== area) return;
    all = answer?.options ?? [];
    [line, from, after] = [here.line, answer?.from ?? here.column, Math.max(0, (answer?.to ?? here.column) - here.column)];
    refresh();
  }

  /** The options that go on from what is typed: those that begin so first. */
  function refresh() {
    const here = caret();
    const word = before().slice(from - 1).toLowerCase();
    if (here.line !== line || here.column < from || !/^[\w.]*$/.test(word)) return close();
    const found = all.filter(({ label }) => label.toLowerCase().includes(word));
    const starts = found.filter(({ label }) => label.toLowerCase().startsWith(word));
    shown = [...starts, ...found.filter((option) => !starts.includes(option))].slice(0, MOST);
    if (!shown.length) return close();
    list.replaceChildren(...shown.map((option, nth) => h("li", {
      role: "option", id: `completion-${nth}`, "aria-selected": "false", title: option.about || null,
      onmousedown: () => take(nth),
    }, h("b", {}, option.label), option.detail && h("span", {}, ` ${option.detail}`))));
    list.hidden = false;
    putBox(list, places.boxOf({ line, column: from }), "below");
    at = -1;
    mark(0);
    spoken.textContent = counted(shown.length, "choice");
  }

  function mark(/** @type {number} */ nth) {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = (nth + shown.length) % shown.length;
    const option = list.children[at];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", option.id);
  }

  const applied = (/** @type {Option} */ option) => option.apply || option.label;

  /** Whether taking an option would change the text. */
  const changes = (/** @type {number} */ nth) => applied(shown[nth]) !== before().slice(from - 1) + area.value.slice(area.selectionEnd, area.selectionEnd + after);

  function take(/** @type {number} */ nth) {
    const text = applied(shown[nth]);
    const start = places.lineRange(line)[0] + from - 1;
    area.setSelectionRange(start, area.selectionEnd + after);
    area.focus();
    document.execCommand("insertText", false, text); // keeps the undo history of the text area
    close();
    const place = EMPTY.exec(text);
    if (!place) return;
    filling = line;
    area.setSelectionRange(start + place.index + 2, start + place.index + 2);
  }

  /** The next place of the line that waits for a value, or the end of the line; false if the line has none. */
  function nextPlace() {
    const here = caret();
    if (here.line !== filling) return false;
    const [start, end] = places.lineRange(here.line);
    const next = EMPTY.exec(area.value.slice(area.selectionEnd, end));
    const to = next ? area.selectionEnd + next.index + 2 : end;
    if (!next) filling = 0;
    area.setSelectionRange(to, to);
    return start <= to;
  }

  area.addEventListener("input", (event) => {
    const typed = /** @type {InputEvent} */ (event).inputType === "insertText" && !(/** @type {InputEvent} */ (event).isComposing);
    if (!list.hidden && all.length) refresh();
    if (!list.hidden) return;
    close();
    if (typed && STARTS.test(before())) waiting = setTimeout(ask, DELAY);
  });
  area.addEventListener("blur", () => { close(); filling = 0; });
  area.addEventListener("mousedown", close);
  area.addEventListener("scroll", () => { if (!list.hidden) putBox(list, places.boxOf({ line, column: from }), "below"); });
  addEventListener("scroll", () => { if (!list.hidden) putBox(list, places.boxOf({ line, column: from }), "below"); }, { passive: true });
  area.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    const open = !list.hidden;
    if (event.key === " " && event.ctrlKey && !event.metaKey && !event.altKey) ask();
    else if (!plain) return;
    else if (open && event.key === "ArrowDown") mark(at + 1);
    else if (open && event.key === "ArrowUp") mark(at - 1);
    else if (open && event.key === "PageDown") mark(Math.min(shown.length - 1, at + 8));
    else if (open && event.key === "PageUp") mark(Math.max(0, at - 8));
    else if (open && (event.key === "Enter" || event.key === "Tab") && changes(at)) take(at);
    else if (event.key === "Tab" && filling && nextPlace()) close();
    else if (event.key === "Escape" && (open || filling)) { close(); filling = 0; }
    else {
      if (open && /^(Arrow|Home|End|Enter|Tab)/.test(event.key)) close();
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  });

  return { elements: [list, spoken], isOpen: () => !list.hidden };
}
