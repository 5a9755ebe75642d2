// @ts-check
// What the table of layers shows: rows of layers and of blocks, folded, searched and sorted. Data only, no elements.
import { largestOf } from "./numbers.js";

/**
 * @typedef {{key: string, title: string, kind: string, about?: string}} Heading
 * @typedef {{row: number, name: string, type: string, line: number, blocks: string[], inputs: number[], shape: number[],
 *   side?: any, formula?: string}} Layer
 * @typedef {{label: string, key: string, count: number, values: Record<string, any>}} Block
 * @typedef {{row: number, end: number, level: number, block: Block | null}} Item rows from row to end, without end
 */

const SUMMED = ["count", "bytes"];

/** A sum of whole numbers beyond 2^53 stays exact. @param {any} a @param {any} b */
function added(a, b) {
  const sum = typeof a === "number" && typeof b === "number" ? a + b : NaN;
  return Number.isSafeInteger(sum) || !(whole(a) && whole(b)) ? Number(a) + Number(b) : BigInt(a) + BigInt(b);
}

const whole = (/** @type {any} */ value) => typeof value === "bigint" || Number.isInteger(value);

/** The layer of every row of the table. @param {any} answer @returns {number[]} */
export function layersOfRows(answer) {
  const found = new Array(answer.table.rows.length).fill(-1);
  answer.layers.forEach((/** @type {Layer} */ { row }, /** @type {number} */ at) => { if (row >= 0) found[row] = at; });
  return found;
}

/**
 * The layers of a line, which have rows: of the layers that begin at or before the line, the nearest.
 * @param {Layer[]} layers @param {number} line @returns {number[]}
 */
export function layersOfLine(layers, line) {
  const nearest = largestOf(layers.map((layer) => layer.line).filter((at) => at > 0 && at <= line), 0);
  return layers.flatMap((layer, at) => (nearest > 0 && layer.line === nearest && layer.row >= 0 ? [at] : []));
}

/** The row of the block around an item; the item itself outside blocks. @param {Item[]} items @param {number} at */
export function parentOf(items, at) {
  const parent = items.findLastIndex((item, up) => up < at && item.level < items[at].level);
  return parent < 0 ? at : parent;
}

/** The sum of the numbers of a column; null if there is none. @param {Record<string, any>[]} rows @param {string} key */
export function sumOf(rows, key) {
  const numbers = rows.map((row) => row[key]).filter((value) => typeof value === "number" || typeof value === "bigint");
  return numbers.length ? numbers.reduce(added) : null;
}

/**
 * All rows, and above the rows of each block of several layers a row with its sums.
 * @param {Record<string, any>[]} rows @param {string[][]} blocks the labels of the blocks around each row
 * @param {Heading[]} headings @returns {Item[]}
 */
export function treeOf(rows, blocks, headings) {
  const summed = headings.filter((heading) => SUMMED.includes(heading.kind)).map((heading) => heading.key);
  /** @type {Item[]} */
  const items = [];
  /** @type {Map<string, number>} */
  const uses = new Map();
  const last = headings.find((heading) => heading.key === "output")?.key ?? "output";

  /** @param {number} from @param {number} to @param {number} depth @param {number} level @param {string} path */
  function nest(from, to, depth, level, path) {
    for (let at = from; at < to;) {
      const label = blocks[at][depth];
      let end = at + 1;
      if (label === undefined) {
        items.push({ row: at, end, level, block: null });
        at = end;
        continue;
      }
      while (end < to && blocks[end][depth] === label) end += 1;
      const inner = path ? `${path}.${label}` : label;
      if (end - at > 1) {
        const nth = uses.get(inner) ?? 0;
        uses.set(inner, nth + 1);
        const inside = rows.slice(at, end);
        const values = Object.fromEntries(summed.map((key) => [key, sumOf(inside, key)]));
        values[last] = inside[inside.length - 1][last];
        items.push({ row: at, end, level, block: { label, key: `${inner}#${nth}`, count: end - at, values } });
      }
      nest(at, end, depth + 1, level + (end - at > 1 ? 1 : 0), inner);
      at = end;
    }
  }
  nest(0, rows.length, 0, 0, "");
  return items;
}

/**
 * The items that are shown.
 * @param {Item[]} tree @param {Record<string, any>[]} rows
 * @param {{folded: (key: string) => boolean, search: string, sort: {key: string, down: boolean} | null}} how
 * @returns {{items: Item[], flat: boolean}}
 */
export function shownItems(tree, rows, how) {
  const words = how.search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length || how.sort) {
    const text = (/** @type {Item} */ item) => Object.values(rows[item.row]).join(" ").toLowerCase();
    const items = tree
      .filter((item) => !item.block && (!words.length || (() => { const all = text(item); return words.every((word) => all.includes(word)); })()))
      .map((item) => ({ ...item, level: 0 }));
    if (how.sort) {
      const { key, down } = how.sort;
      items.sort((a, b) => compared(rows[a.row][key], rows[b.row][key], down) || a.row - b.row);
    }
    return { items, flat: true };
  }
  /** @type {Item[]} */
  const items = [];
  let within = Infinity; // the level of the folded block that hides what follows
  for (const item of tree) {
    if (item.level <= within) within = Infinity;
    if (item.level > within) continue;
    items.push(item);
    if (item.block && how.folded(item.block.key)) within = item.level;
  }
  return { items, flat: false };
}

/** What has no number comes last, up or down. @param {any} a @param {any} b @param {boolean} down */
function compared(a, b, down) {
  const none = [a, b].map((value) => value === null || value === undefined || value === "");
  if (none[0] || none[1]) return Number(none[0]) - Number(none[1]);
  const words = [a, b].map((value) => typeof value === "string");
  if (words[0] !== words[1]) return Number(words[0]) - Number(words[1]);
  const order = words[0] ? a.localeCompare(b, "en", { numeric: true }) : a < b ? -1 : a > b ? 1 : 0;
  return down ? -order : order;
}

/**
 * For every item, the earlier items whose outputs it reads.
 * @param {Item[]} items @param {Layer[]} layers @param {number[]} layerOfRow @returns {number[][]}
 */
export function sourcesOf(items, layers, layerOfRow) {
  const itemOfRow = new Map();
  items.forEach((item, at) => {
    if (item.block && items[at + 1] && items[at + 1].row < item.end) return; // an open block: its layers have rows
    for (let row = item.row; row < item.end; row += 1) itemOfRow.set(row, at);
  });
  return items.map((item, at) => {
    if (itemOfRow.get(item.row) !== at) return [];
    const found = new Set();
    for (let row = item.row; row < item.end; row += 1) {
      for (const input of layers[layerOfRow[row]]?.inputs ?? []) {
        const source = itemOfRow.get(layers[input]?.row);
        if (source !== undefined && source !== at) found.add(source);
      }
    }
    return [...found].filter((source) => source < at).sort((a, b) => a - b);
  });
}
