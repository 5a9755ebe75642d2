// @ts-check
// The tools above the table of layers: search, folding, the choice of columns.
import { byId, h } from "./dom.js";
import { columnOf } from "./columns.js";
import { counted, grouped } from "./numbers.js";

/** @param {{search: (text: string) => void, fold: (all: boolean) => void, columns: (keys: string[]) => void}} listeners */
export function tableTools(listeners) {
  const search = h("input", { type: "search", id: "search", placeholder: "conv 3x3", oninput: () => listeners.search(search.value) });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    search.value = "";
    listeners.search("");
  });
  const foldAll = h("button", { type: "button", onclick: () => listeners.fold(true) }, "Fold all");
  const unfold = h("button", { type: "button", onclick: () => listeners.fold(false) }, "Unfold all");
  const list = h("fieldset", {}, h("legend", {}, "Columns of the table"));
  const columns = h("details", { class: "menu" }, h("summary", {}, "Columns"), list);
  const graph = h("button", { type: "button", id: "download-graph" }, "Graph as SVG");
  const status = h("span", { role: "status", id: "layers-status" });
  columns.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    columns.open = false;
    columns.querySelector("summary")?.focus();
  });
  document.addEventListener("click", (event) => {
    if (!columns.contains(/** @type {Node} */ (event.target))) columns.open = false;
  });
  let signature = "";

  /** @param {import("./rows.js").Heading[]} headings @param {string[]} chosen */
  function choices(headings, chosen) {
    /** @type {Map<string, import("./rows.js").Heading>} */
    const known = new Map();
    for (const heading of headings) {
      const column = columnOf(heading.key);
      if (column !== "layer" && !column.startsWith("exact") && !known.has(column)) known.set(column, heading);
    }
    const all = [...known.keys()];
    if (signature !== String(all)) {
      signature = String(all);
      list.replaceChildren(h("legend", {}, "Columns of the table"), ...all.map((key) =>
        h("label", { title: known.get(key)?.about || null }, h("input", { type: "checkbox", value: key, onchange: picked }), ` ${known.get(key)?.title}`)));
    }
    for (const box of list.querySelectorAll("input")) box.checked = chosen.includes(box.value);
  }

  function picked() {
    const boxes = /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll("input")]);
    listeners.columns(["layer", ...boxes.filter((box) => box.checked).map((box) => box.value)]);
  }

  return {
    element: h("div", { class: "tools" }, h("label", { for: "search" }, "Search"), search, foldAll, unfold, columns, graph, status),
    /** @param {{shown: number, all: number, flat: boolean, blocks: boolean, headings: any[], chosen: string[]}} now */
    show(now) {
      foldAll.hidden = unfold.hidden = !now.blocks;
      foldAll.disabled = unfold.disabled = now.flat;
      const all = counted(now.all, "layer");
      const hidden = now.all - now.shown;
      const text = hidden === 0 ? all : now.flat ? `${grouped(now.shown)} of ${all}` : `${all}, ${grouped(hidden)} of them folded`;
      if (status.textContent !== text) status.textContent = text;
      choices(now.headings, now.chosen);
    },
    focus: () => byId("search").focus(),
  };
}
