// Tables that sort, search and fold. Without this script every row is there, in the order of the network.
"use strict";

const START_FOLDED = 80; // a table with more rows starts with its blocks folded

function numberOf(text) {
  const plain = text.replaceAll(",", "");
  if (/^-?\d+$/.test(plain)) return BigInt(plain);
  return plain === "" || Number.isNaN(Number(plain)) ? null : Number(plain);
}

function keyOf(cell, numeric) {
  const text = cell.dataset.v ?? cell.textContent.trim();
  return numeric ? numberOf(text) : text;
}

function compared(a, b, direction, numeric) {
  const none = [a, b].map((key) => key === null || key === "");
  if (none[0] || none[1]) return none[0] - none[1]; // what has no number comes last, up or down
  if (!numeric) return direction * a.localeCompare(b, "en", { numeric: true });
  return direction * (a < b ? -1 : a > b ? 1 : 0);
}

function prepare(table) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const titles = [...table.tHead.rows[0].cells];
  const blocks = rows.filter((row) => row.classList.contains("block"));
  const layers = rows.filter((row) => !row.classList.contains("block"));
  const words = new Map(layers.map((row) => [row, [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase()]));
  const tools = document.querySelector(`.tools[data-for="${table.id}"]`);
  const status = tools.querySelector("[role=status]");
  const search = tools.querySelector("input");
  const folded = new Set();
  let column = -1;
  let direction = 0;

  function show() {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const flat = direction !== 0 || wanted.length > 0;
    let shown = 0;
    let within = Infinity; // the level of the folded block that hides what follows
    for (const row of rows) {
      const level = Number(row.dataset.level ?? 0);
      if (level <= within) within = Infinity;
      const isBlock = row.classList.contains("block");
      const matches = !isBlock && wanted.every((word) => words.get(row).includes(word));
      row.hidden = flat ? !matches : level > within;
      if (isBlock && folded.has(row) && within === Infinity) within = level;
      if (!isBlock && !row.hidden) shown += 1;
    }
    table.classList.toggle("flat", flat);
    for (const button of tools.querySelectorAll("button")) button.disabled = flat;
    const all = `${layers.length} ${status.dataset.what}`;
    const hidden = layers.length - shown;
    status.textContent = hidden === 0 ? all : flat ? `${shown} of ${all}` : `${all}, ${hidden} of them folded`;
  }

  function sort(at) {
    direction = column === at ? (direction === 1 ? -1 : direction === -1 ? 0 : 1) : 1;
    column = direction === 0 ? -1 : at;
    titles.forEach((title, i) => {
      if (i === column) title.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      else title.removeAttribute("aria-sort");
    });
    let order = rows;
    if (direction !== 0) {
      const numeric = titles[at].classList.contains("n");
      const keys = new Map(layers.map((row) => [row, keyOf(row.cells[at], numeric)]));
      order = [...layers].sort((a, b) => compared(keys.get(a), keys.get(b), direction, numeric));
      order.push(...blocks);
    }
    body.append(...order);
    show();
  }

  function fold(row, closed) {
    if (closed) folded.add(row);
    else folded.delete(row);
    row.querySelector("button").setAttribute("aria-expanded", String(!closed));
  }

  function button(cell, pressed) {
    const made = document.createElement("button");
    made.type = "button";
    made.append(...cell.childNodes);
    made.addEventListener("click", pressed);
    cell.append(made);
  }

  titles.forEach((title, at) => button(title, () => sort(at)));
  for (const row of blocks) {
    button(row.cells[0], () => { fold(row, !folded.has(row)); show(); });
    fold(row, rows.length > START_FOLDED);
  }
  search.addEventListener("input", show);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { search.value = ""; show(); }
  });
  for (const one of tools.querySelectorAll("button")) {
    one.hidden = blocks.length === 0;
    one.addEventListener("click", () => { for (const row of blocks) fold(row, one.dataset.fold === "all"); show(); });
  }
  tools.hidden = false;
  show();
}

document.querySelectorAll("table.sortable").forEach(prepare);
