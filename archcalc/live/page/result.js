// @ts-check
// The parts of a result that are text: the title, the lines below, the cards, the footer.
import { byId, h } from "./dom.js";

/** The title of the page, if the editor is shown. @param {any} result */
export function showTitle(result) {
  if (byId("course").hidden) document.title = `${result.title} · archcalc live`;
}

/** @param {any} result */
export function showResult(result) {
  showTitle(result);
  byId("title").textContent = result.title;
  byId("about").replaceChildren(...[...(result.about ?? []), ...(result.notes ?? [])].filter((line) => line !== result.title)
    .map((/** @type {string} */ line) => h("p", {}, line)));
  byId("cards").replaceChildren(...result.cards.map((/** @type {any} */ card) => h("div", {},
    h("dt", {}, card.label), h("dd", { class: "figure" }, card.value), ...(card.lines ?? []).map((/** @type {string} */ line) => h("dd", {}, line)))));
  byId("details").hidden = !(result.details ?? []).length;
  byId("details-list").replaceChildren(...(result.details ?? []).map((/** @type {string} */ line) => h("li", {}, line)));
  byId("footer").replaceChildren(...(result.footer ?? []).map((/** @type {string} */ line) => h("li", {}, line)));
}
