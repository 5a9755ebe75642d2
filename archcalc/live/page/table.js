// @ts-check
// The table of layers with the graph beside it. Only the rows that can be seen are in the page.
import { h, remember, remembered, s } from "./dom.js";
import { FIRST, cellTexts, isNumeric, shownHeadings } from "./columns.js";
import { lanesOf, rowParts } from "./lanes.js";
import { counted } from "./numbers.js";
import { layersOfRows, parentOf, shownItems, sourcesOf, treeOf } from "./rows.js";
import { rowAction } from "./row_keys.js";
import { setTexts, sizer, spacer, titleCells, totalCells, totalTexts, widest, widestCell } from "./table_head.js";
import { tableTools } from "./table_tools.js";

/** @typedef {import("./rows.js").Item} Item */
/** @typedef {{hover: (layer: number) => void, select: (layer: number) => void}} Listeners */

const MANY = 80; // a network with more rows starts with its blocks folded
const ROW = 26; // pixels of a row in the style sheet
const EXTRA = 10; // rows drawn above and below those that can be seen
const WIDEST_GRAPH = 132;

/** @param {HTMLElement} parent @param {Listeners} listeners */
export function layerTable(parent, listeners) {
  /** @type {any} */
  let result = null;
  /** @type {Item[]} */
  let tree = [];
  /** @type {Item[]} */
  let items = [];
  /** @type {number[]} */
  let layerOfRow = [];
  /** @type {ReturnType<typeof lanesOf> | null} */
  let graph = null;
  let foldAll = false;
  /** @type {Set<string>} */
  const toggled = new Set();
  /** @type {{key: string, down: boolean} | null} */
  let sort = null;
  let search = "";
  /** @type {string[]} */
  let chosen = remembered("columns", FIRST);
  let active = 0;
  let [hovered, selected, line] = [-1, -1, 0];

  const head = h("tr", { "aria-rowindex": 1 });
  const body = h("tbody");
  const total = h("tr", { class: "total" });
  const table = h("table", { role: "treegrid", id: "layer-table", "aria-labelledby": "layers-title" }, h("thead", {}, head), body, h("tfoot", {}, total));
  const scroll = h("div", { class: "scroll", tabindex: -1 }, table);
  const tools = tableTools({
    search: (text) => { search = text; refresh(); },
    fold: (all) => { foldAll = all; toggled.clear(); refresh(); },
    columns: (keys) => { chosen = keys; remember("columns", keys); refresh(); },
  });
  parent.replaceChildren(tools.element, scroll);

  const folded = (/** @type {string} */ key) => foldAll !== toggled.has(key);

  function refresh() {
    if (!result) return;
    const shown = shownItems(tree, result.table.rows, { folded, search, sort });
    items = shown.items;
    const hidden = items.map((item, at) => item.block !== null && (items[at + 1]?.row ?? Infinity) < item.end);
    graph = shown.flat ? null : lanesOf(sourcesOf(items, result.layers, layerOfRow), hidden);
    active = Math.min(active, Math.max(0, items.length - 1));
    tools.show({ shown: items.reduce((sum, item) => sum + (item.block ? 0 : 1), 0), all: result.table.rows.length, flat: shown.flat,
      blocks: tree.some((item) => item.block), headings: result.headings, chosen });
    table.classList.toggle("flat", shown.flat);
    table.setAttribute("aria-rowcount", String(items.length + 2));
    redraw();
  }

  const gap = () => Math.min(12, Math.max(3, WIDEST_GRAPH / (graph?.width ?? 1)));
  let high = ROW; // as the browser draws it, for example with larger letters

  /** A column sorts up, then down, then not; a number sorts down first. @param {string} key @param {boolean} numeric */
  function order(key, numeric) {
    if (sort?.key !== key) sort = { key, down: numeric };
    else if (sort.down === numeric) sort = { key, down: !numeric };
    else sort = null;
    refresh();
    /** @type {HTMLElement | null} */ (head.querySelector(`button[data-key="${CSS.escape(key)}"]`))?.focus();
  }

  /** @type {Map<number, HTMLTableRowElement>} */
  const drawn = new Map();
  let [top, bottom, measured] = [spacer(), spacer(), false];
  let painted = new Set();

  /** What the table shows besides its values: while that stays, the rows stay, and only texts that changed are written. */
  let plan = "";

  function redraw() {
    const shown = shownHeadings(result.headings, chosen);
    const values = items.map(valuesOf);
    const widths = [widest(items.map(wholeName)), ...shown.slice(1).map((heading) => widestCell(values, heading))];
    const before = plan;
    plan = JSON.stringify([graph === null, sort, shown, result.layers.map((/** @type {any} */ { row, inputs }) => [row, inputs]),
      items.map((item) => [item.row, item.end, wholeName(item), result.table.rows[item.row].layer, item.block && folded(item.block.key)])]);
    if (plan === before) {
      setTexts(total, totalTexts(shown, result.table.totals ?? {}), 1);
      setTexts(/** @type {HTMLElement} */ (body.firstElementChild), widths.map((text) => `${text}\u2003`), 1);
      for (const [at, row] of drawn) setTexts(row, textsOf(items[at], shown), 2);
      return paint();
    }
    head.replaceChildren(...titleCells(shown, sort, order));
    total.replaceChildren(...totalCells(shown, result.table.totals ?? {}));
    drawn.clear();
    [top, bottom, measured] = [spacer(shown.length + 1), spacer(shown.length + 1), false];
    const hadFocus = body.contains(document.activeElement);
    const place = scroll.scrollTop;
    bottom.style.height = `${items.length * high}px`; // so that the place is kept
    body.replaceChildren(sizer(widths), top, bottom);
    scroll.scrollTop = place;
    draw();
    if (hadFocus) (drawn.get(active) ?? scroll).focus({ preventScroll: true });
  }

  const valuesOf = (/** @type {Item} */ item) => (item.block ? item.block.values : result.table.rows[item.row]);

  const textsOf = (/** @type {Item} */ item, /** @type {import("./rows.js").Heading[]} */ shown) => cellTexts(valuesOf(item), shown.slice(1), item.block !== null);

  /** The rows that can be seen: rows that are drawn already stay as they are. */
  function draw() {
    if (!result) return;
    const from = printing ? 0 : Math.max(0, Math.floor(scroll.scrollTop / high) - EXTRA);
    const to = printing ? items.length : Math.min(items.length, from + Math.ceil((scroll.clientHeight || 800) / high) + 2 * EXTRA);
    const shown = shownHeadings(result.headings, chosen);
    const hadFocus = body.contains(document.activeElement);
    for (const [at, row] of drawn) {
      if (at >= from && at < to) continue;
      row.remove();
      drawn.delete(at);
    }
    let after = top.nextSibling;
    for (let at = from; at < to; at += 1) {
      let row = drawn.get(at);
      if (!row) {
        row = rowOf(at, shown);
        drawn.set(at, row);
      }
      if (row === after) after = row.nextSibling;
      else body.insertBefore(row, after);
    }
    top.style.height = `${from * high}px`;
    bottom.style.height = `${(items.length - to) * high}px`;
    if (hadFocus && !body.contains(document.activeElement)) scroll.focus({ preventScroll: true });
    paint();
    measure(drawn.get(from));
  }

  /** What changes on rows that stay: the row of the keyboard, the chosen row, the lit rows. */
  function paint() {
    const lit = litItems();
    const reachable = drawn.has(active) ? active : Math.min(...drawn.keys());
    for (const [at, row] of drawn) {
      const item = items[at];
      const layer = layerOfRow[item.row];
      row.tabIndex = at === reachable ? 0 : -1;
      row.classList.toggle("lit", lit.has(at));
      row.classList.toggle("same", !item.block && line > 0 && result.layers[layer]?.line === line);
      if (layer === selected && !item.block) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
      if (graph && (lit.has(at) || painted.has(at))) row.querySelector("svg")?.replaceChildren(...rowParts(graph.steps[at], at, gap(), ROW, lit));
    }
    painted = lit;
  }

  function measure(/** @type {HTMLElement | undefined} */ row) {
    const seen = row?.getBoundingClientRect().height;
    if (!seen || measured || Math.abs(seen - high) < 0.5) return;
    measured = true;
    high = seen;
    draw();
  }

  function rowOf(/** @type {number} */ at, /** @type {import("./rows.js").Heading[]} */ shown) {
    const item = items[at];
    const open = item.block ? !folded(item.block.key) : null;
    const cells = textsOf(item, shown).map((text, nth) => h("td", { class: isNumeric(shown[nth + 1]) ? "n" : null }, text));
    const lanes = graph && s("svg", { width: graph.width * gap() + 6, height: ROW, "aria-hidden": "true", class: "lanes" },
      ...rowParts(graph.steps[at], at, gap(), ROW, new Set()));
    return h("tr", {
      "data-item": at, "aria-rowindex": at + 2, "aria-level": item.level + 1, tabindex: -1,
      "aria-expanded": open === null ? null : String(open), class: item.block ? "block" : null,
    }, h("td", { class: "graph" }, lanes), nameCell(item, open), ...cells);
  }

  /** The name of a layer without the names of the blocks around it, which stand in the rows above. */
  function shortName(/** @type {Item} */ item) {
    const name = result.table.rows[item.row].layer;
    if (!graph || item.level === 0) return name;
    const blocks = `${(result.layers[layerOfRow[item.row]]?.blocks ?? []).join(".")}.`;
    return name.startsWith(blocks) ? name.slice(blocks.length) : name;
  }

  /** What the cell of a name holds, with the room of its level. */
  const wholeName = (/** @type {Item} */ item) => "\u2003".repeat(item.level + 1)
    + (item.block ? `${item.block.label} ${counted(item.block.count, "layer")}` : shortName(item));

  function nameCell(/** @type {Item} */ item, /** @type {boolean | null} */ open) {
    const pad = h("span", { class: `level level-${Math.min(item.level, 6)}` });
    if (!item.block) {
      const name = result.table.rows[item.row].layer;
      const inner = shortName(item);
      return h("th", { scope: "row", "data-name": name, title: inner === name ? null : name }, pad, inner);
    }
    return h("th", { scope: "row" }, pad, h("span", { class: "fold", "aria-hidden": "true" }, open ? "▾ " : "▸ "), item.block.label,
      h("small", {}, ` ${counted(item.block.count, "layer")}`));
  }

  function itemOfLayer(/** @type {number} */ layer) {
    const row = result?.layers[layer]?.row ?? -1;
    if (row < 0) return -1;
    for (let at = items.length - 1; at >= 0; at -= 1) if (items[at].row <= row && row < items[at].end) return at;
    return -1;
  }

  function litItems() {
    const at = itemOfLayer(hovered >= 0 ? hovered : selected);
    return new Set(at < 0 ? [] : [at, ...(graph?.steps[at].reads ?? [])]);
  }

  /** The layer of an item: a block stands for its last layer. */
  const layerAt = (/** @type {number} */ at) => (items[at] ? layerOfRow[items[at].end - 1] : -1);

  function toggle(/** @type {number} */ at) {
    const key = items[at]?.block?.key;
    if (!key) return;
    toggled.has(key) ? toggled.delete(key) : toggled.add(key);
    refresh();
  }

  function go(/** @type {number} */ at) {
    active = Math.max(0, Math.min(items.length - 1, at));
    const top = active * high;
    const room = scroll.clientHeight - head.offsetHeight - total.offsetHeight - high;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top > scroll.scrollTop + room) scroll.scrollTop = top - room;
    draw();
    drawn.get(active)?.focus({ preventScroll: true });
    listeners.hover(layerAt(active));
  }

  const itemIn = (/** @type {Event} */ event) => Number(/** @type {HTMLElement} */ (event.target).closest?.("tr[data-item]")?.getAttribute("data-item") ?? -1);
  body.addEventListener("mouseover", (event) => { const at = itemIn(event); if (at >= 0) listeners.hover(layerAt(at)); });
  body.addEventListener("mouseleave", () => listeners.hover(-1));
  body.addEventListener("click", (event) => {
    const at = itemIn(event);
    if (at < 0) return;
    active = at;
    if (items[at].block) toggle(at);
    else listeners.select(layerAt(at));
    drawn.get(active)?.focus({ preventScroll: true });
  });
  body.addEventListener("focusin", (event) => { const at = itemIn(event); if (at >= 0) active = at; });
  scroll.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  scroll.addEventListener("keydown", (event) => {
    const block = items[active]?.block;
    const action = rowAction(event, block ? (folded(block.key) ? "folded" : "open") : "layer");
    if (!action) return;
    event.preventDefault();
    if (action === 1 || action === -1) go(active + action);
    else if (typeof action === "number") go(active + Math.sign(action) * Math.max(1, Math.floor(scroll.clientHeight / high) - 3));
    else if (action === "first") go(0);
    else if (action === "last") go(items.length - 1);
    else if (action === "parent") go(parentOf(items, active));
    else if (action === "toggle") toggle(active);
    else listeners.select(layerAt(active));
  });

  let printing = false;
  addEventListener("beforeprint", () => { printing = true; draw(); });
  addEventListener("afterprint", () => { printing = false; draw(); });
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(scroll);

  return {
    /** @param {any} answer @param {boolean} fresh another network: folding starts anew */
    show(answer, fresh) {
      result = answer;
      const rows = answer.table.rows;
      layerOfRow = layersOfRows(answer);
      tree = treeOf(rows, layerOfRow.map((at) => answer.layers[at]?.blocks ?? []), answer.headings);
      if (fresh) {
        foldAll = rows.length > MANY;
        toggled.clear();
        sort = null;
        active = 0;
        scroll.scrollTop = 0;
      }
      if (sort && !answer.headings.some((/** @type {any} */ heading) => heading.key === sort?.key)) sort = null;
      refresh();
    },
    light(/** @type {number} */ layer) { hovered = layer; paint(); },
    /** @param {number} layer @param {number} at the line of the layer @param {boolean} scrolled whether the row comes into view */
    pick(layer, at, scrolled) {
      selected = layer;
      line = at;
      const item = itemOfLayer(layer);
      if (scrolled && item >= 0) {
        active = item;
        const top = item * high;
        if (top < scroll.scrollTop || top > scroll.scrollTop + scroll.clientHeight - 5 * high) scroll.scrollTop = Math.max(0, top - scroll.clientHeight / 3);
      }
      draw();
    },
    graph: () => ({ graph, names: items.map((item) => (item.block ? item.block.label : result.table.rows[item.row].layer)) }),
  };
}
