// @ts-check
// A picture of the page as a file that needs no style sheet: the colours that are seen are written into the elements.
import { downloadText, h } from "./dom.js";
import { wholeGraph } from "./lanes.js";

const PROPERTIES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "font-family", "font-size", "font-style", "font-weight", "visibility"];

/** @param {SVGSVGElement} svg an element of the page @returns {string} */
export function svgText(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const from = [svg, ...svg.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, at) => {
    const seen = getComputedStyle(element);
    for (const property of PROPERTIES) {
      const value = seen.getPropertyValue(property);
      if (value) to[at].setAttribute(property, value);
    }
    to[at].removeAttribute("class");
  });
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.insertBefore(paper, copy.firstChild);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}

/** @param {SVGSVGElement} svg @param {string} network @param {string} what */
export function saveSvg(svg, network, what) {
  downloadText(`${network || "network"}-${what}.svg`.replace(/[^\w.-]+/g, "-"), "image/svg+xml", svgText(svg));
}

/** The layer graph of the table, all rows of it; false if there is none. @param {{graph: any, names: string[]}} shown @param {string} network */
export function saveGraph({ graph, names }, network) {
  if (!graph) return false;
  const svg = wholeGraph(graph, names);
  const place = h("div", { class: "unseen" }, svg); // in the page, so that the style sheet applies
  document.body.append(place);
  saveSvg(svg, network, "graph");
  place.remove();
  return true;
}
