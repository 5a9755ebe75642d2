// @ts-check
// A text field with a list of networks to choose from: the names of the zoo, searched by name, title and year.
import { h } from "./dom.js";

/** @typedef {{name: string, title: string, year?: any, input?: string}} Entry */

const MOST = 300;
let made = 0;

/**
 * @param {{label: string, placeholder: string, free: boolean, choose: (text: string) => void}} how
 *   free: whether a text that is not in the list may be chosen
 */
export function combo({ label, placeholder, free, choose }) {
  const id = `combo-${++made}`;
  /** @type {Entry[]} */
  let entries = [];
  /** @type {Entry[]} */
  let found = [];
  let at = -1;
  let looked = ""; // the text that the list in view was made for
  const list = h("ul", { role: "listbox", id: `${id}-list`, "aria-label": label, hidden: true });
  const input = h("input", {
    type: "text", id, role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
    placeholder, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
  });
  const element = h("div", { class: "combo" }, h("label", { for: id }, label), input, list);

  function open(/** @type {string} */ text) {
    looked = text;
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = entries.filter((entry) => {
      const text = `${entry.name} ${entry.title} ${entry.year ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const far = (/** @type {Entry} */ { name }) => (name === words[0] ? 0 : words.length && name.startsWith(words[0]) ? 1 : 2);
    found = matches.sort((a, b) => far(a) - far(b)).slice(0, MOST);
    at = -1;
    list.replaceChildren(...found.map((entry, nth) => h("li", {
      role: "option", id: `${id}-${nth}`, "aria-selected": "false",
      onmousedown: (/** @type {Event} */ event) => { event.preventDefault(); take(nth); },
    }, h("b", {}, entry.name), " ", h("span", {}, `${entry.title}${entry.year ? `, ${entry.year}` : ""}`))));
    const none = !entries.length ? "The list of the zoo is not here yet." : free ? "No network of the zoo; Enter takes the text." : "No network of the zoo.";
    if (!found.length) list.append(h("li", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, none));
    show(true);
  }

  function show(/** @type {boolean} */ on) {
    list.hidden = !on;
    input.setAttribute("aria-expanded", String(on));
    if (!on) input.removeAttribute("aria-activedescendant");
  }

  function mark(/** @type {number} */ nth) {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = found.length ? (nth + found.length) % found.length : -1;
    const option = list.children[at];
    if (at < 0 || !option) return;
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function take(/** @type {number} */ nth) {
    const text = nth >= 0 ? found[nth].name : input.value.trim();
    show(false);
    const known = !entries.length || entries.some((entry) => entry.name === text); // before the list is here, the calculator knows
    if (nth < 0 && !free && !known) return;
    input.value = text;
    if (text || free) choose(text);
  }

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => { if (list.hidden) { open(""); input.select(); } });
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open("");
      mark(event.key === "ArrowDown" ? at + 1 : at < 0 ? -1 : at - 1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const first = at < 0 && !list.hidden && found.length > 0 && !free;
      take(list.hidden ? -1 : first ? 0 : at);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      show(false);
    }
  });
  if (free) input.addEventListener("change", () => { if (list.hidden) choose(input.value.trim()); });

  return {
    element,
    input,
    /** @param {Entry[]} all */
    fill(all) {
      entries = all;
      if (!list.hidden) open(looked);
    },
    set(/** @type {string} */ text) { if (document.activeElement !== input) input.value = text; },
  };
}
