// @ts-check
// What a key does in the table of layers, as in a tree: https://www.w3.org/WAI/ARIA/apg/patterns/treegrid/.

/**
 * A number: rows down (2 and -2: a page). No action: the key is not for the table.
 * @param {KeyboardEvent} event @param {"layer" | "open" | "folded"} row
 * @returns {number | "first" | "last" | "parent" | "toggle" | "select" | null}
 */
export function rowAction(event, row) {
  if (event.target instanceof Element && event.target.closest("thead")) return null;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  switch (event.key) {
    case "ArrowDown": return 1;
    case "ArrowUp": return -1;
    case "PageDown": return 2;
    case "PageUp": return -2;
    case "Home": return "first";
    case "End": return "last";
    case "ArrowRight": return row === "folded" ? "toggle" : 1;
    case "ArrowLeft": return row === "open" ? "toggle" : "parent";
    case "Enter": case " ": return row === "layer" ? "select" : "toggle";
    default: return null;
  }
}
