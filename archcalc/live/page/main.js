// @ts-check
// The page: the state, the questions to the calculator, and who shows the answers.
import { addressNow, courseAddress, readAddress, writeAddress } from "./address.js";
import { Superseded, Unreachable } from "./answer.js";
import { Newest, ask, configuration, connect, warm } from "./calculator.js";
import { codeEditor } from "./code_editor.js";
import { combo } from "./combo.js";
import { controls } from "./controls.js";
import { courseSection } from "./course.js";
import { showDifference } from "./difference.js";
import { byId, h } from "./dom.js";
import { drops } from "./drops.js";
import { exports } from "./out.js";
import { paramControls } from "./params.js";
import { pictures } from "./pictures.js";
import { plainEditor } from "./plain_editor.js";
import { showProblems, spokenProblems } from "./problems.js";
import { showResult } from "./result.js";
import { layersOfLine } from "./rows.js";
import { saving } from "./saving.js";
import { starting } from "./starting.js";
import { checkedState, emptyState } from "./state.js";
import { saveGraph } from "./svg_file.js";
import { layerTable } from "./table.js";
import { colours } from "./theme.js";
import { showView } from "./view.js";
import { windowPicture } from "./window.js";

/** @type {import("./state.js").State} */
let state = emptyState();
/** @type {any} */
let result = null; // the last good answer
let shownState = state; // the state of that answer
let fresh = true; // the next result is of another network: folding and scrolling start anew

/** @type {import("./plain_editor.js").Editor} */
let editor;
const preset = combo({ label: "Network", placeholder: "search the zoo", free: false, choose: (net) => { say(""); openNamed(net); } });
const choices = controls(byId("controls"), (part) => change(part));
const params = paramControls(byId("params"), (name, value) => {
  const settings = { ...state.settings };
  if (value === undefined) delete settings[name];
  else settings[name] = value;
  change({ settings });
});
const links = { hover, select };
const table = layerTable(byId("table"), links);
const windowBox = h("section", { class: "window-area", tabindex: 0, "aria-label": "Window of one unit" }); // it may scroll, without a control inside
const drawn = pictures(byId("pictures"), windowBox, { ...links, ask: (request) => quietly({ ...request, state: shownState }, true) });
const unitWindow = windowPicture(windowBox);
const out = exports(() => state, say);
const course = courseSection(byId("course"), { openState: (given) => open(given), say, failed });

/** @param {string} text @param {boolean} [bad] @param {...Node} more */
function say(text, bad = false, ...more) {
  const notice = byId("notice");
  notice.hidden = !text;
  notice.classList.toggle("bad", bad);
  notice.replaceChildren(h("button", { type: "button", "aria-label": "Close the message", class: "close", onclick: () => say("") }, "×"), h("span", {}, text), " ", ...more);
  if (text && !bad) setTimeout(() => { if (notice.textContent === `×${text} `) say(""); }, 6000);
}

/** @param {Partial<import("./state.js").State>} part @returns {Promise<void>} when the answer is shown, or overtaken */
function change(part) {
  state = { ...state, ...part };
  choices.set(state);
  writeAddress(state);
  return analyses.push(state);
}

/** @param {any} given @param {string[]} [notes] @returns {Promise<void>} when the answer is shown */
async function open(given, notes = []) {
  if (courseAddress()) history.pushState(null, "", `${location.pathname}${location.search}`);
  showView(result);
  state = checkedState({ ...state, network: "", settings: {}, input: "", file: "", ...given });
  fresh = true;
  const shown = change({}); // asked first: the calculator works while the editor draws the text
  editor.setText(state.text);
  preset.set(state.network);
  if (notes.length) say(notes.join(" "));
  await shown;
}

let named = 0; // the networks that were asked for by name: only the last one is opened
/** @param {string} net */
async function openNamed(net) {
  const nth = ++named;
  try {
    const answer = await ask({ op: "spec", net });
    if (nth !== named) return;
    if (!answer.ok) return say(spokenProblems(answer.problems ?? []), true);
    const { text, network, settings, file } = answer.state;
    open({ text, network, settings, file });
  } catch (error) {
    failed(error);
  }
}

let broken = false; // the message says that no answer came
/** @param {unknown} error */
function failed(error) {
  if (error instanceof Superseded) return;
  broken = true;
  byId("results").classList.add("stale");
  say(error instanceof Unreachable ? error.message : `The page has a mistake: ${error}`, true);
}

const analyses = new Newest(async (/** @type {import("./state.js").State} */ asked) => {
  const busy = setTimeout(() => byId("results").setAttribute("aria-busy", "true"), 300);
  try {
    const answer = await ask({ op: "analyze", state: asked });
    const newest = analyses.next === null;
    if (broken) say("");
    broken = false;
    if (answer.ok) {
      [result, shownState] = [answer, asked];
      show(newest);
    } else if (newest) wrong(answer.problems ?? []);
  } catch (error) {
    if (error instanceof Superseded && analyses.next === null) analyses.next = state; // another question came between
    else failed(error);
  } finally {
    clearTimeout(busy);
    byId("results").removeAttribute("aria-busy");
  }
});

function show(/** @type {boolean} */ newest) {
  byId("results").classList.remove("stale");
  byId("stale").hidden = true;
  showResult(result);
  choices.show(result);
  params.show(result.params);
  table.show(result, fresh);
  drawn.show(result, shownState.training);
  differences.push({ of: result, asked: shownState });
  fresh = false;
  if (newest) {
    editor.setProblems([]);
    showProblems([], goToLine);
    speak(`${result.title}: ${result.cards.slice(0, 2).map((/** @type {any} */ card) => `${card.label} ${card.value}`).join(", ")}`);
  }
  if (pinned >= 0 && result.layers[pinned]) askWindow(pinned);
  else firstWindow();
}

const differences = new Newest(async (/** @type {{of: any, asked: import("./state.js").State}} */ { of, asked }) => {
  if (!asked.compare) return showDifference(null, []);
  const answer = await quietly({ op: "diff", state: asked }, true);
  if (of !== result || answer === null) return;
  if (answer.ok) showDifference(answer.diff, answer.headings);
  else showDifference(null, [], (answer.problems ?? []).map((/** @type {any} */ one) => one.text));
});

function wrong(/** @type {any[]} */ problems) {
  byId("results").classList.add("stale");
  byId("stale").hidden = result === null;
  editor.setProblems(problems);
  showProblems(problems, goToLine);
  speak(spokenProblems(problems));
}

let speech = 0;
/** Tells a screen reader, once the text rests. @param {string} text */
function speak(text) {
  clearTimeout(speech);
  speech = setTimeout(() => { byId("spoken").textContent = text; }, 900);
}

const goToLine = (/** @type {number} */ line) => editor.reveal(line, true);

let [lit, pinned] = [-1, -1];
function hover(/** @type {number} */ layer) {
  if (layer === lit) return;
  lit = layer;
  table.light(layer);
  drawn.light(layer);
  const shown = layer >= 0 ? layer : pinned;
  const line = result?.layers[shown]?.line ?? 0;
  editor.light(line);
  if (line && layer >= 0 && !byId("editor").contains(document.activeElement)) editor.reveal(line);
  if (shown >= 0) askWindow(shown);
}

/** @param {number} layer @param {boolean} [fromEditor] */
function select(layer, fromEditor = false) {
  if (layer < 0 || !result?.layers[layer]) return;
  pinned = layer;
  const { line } = result.layers[layer];
  table.pick(layer, line, true);
  drawn.light(layer);
  editor.light(line);
  if (line && !fromEditor) editor.reveal(line);
  askWindow(layer);
}

function selectLine(/** @type {number} */ line) {
  if (!result || byId("results").classList.contains("stale")) return;
  const found = layersOfLine(result.layers, line);
  if (!found.length) return;
  const next = found[(found.indexOf(pinned) + 1) % found.length];
  select(found.length > 1 && found.includes(pinned) ? next : found[0], true);
}

const askWindow = (/** @type {number} */ layer) => unitWindow.follow({ layer: result.layers[layer], at: layer, state: shownState, unit: null });

/** Without a chosen layer, the window of the last map is shown. */
function firstWindow() {
  pinned = -1;
  const last = result.layers.findLastIndex((/** @type {any} */ layer) => layer.row >= 0 && layer.shape.length > 1);
  if (last >= 0) askWindow(last);
  else unitWindow.clear("This network has no maps.");
}

/**
 * Shows what an address names: a lesson of the course, or a state.
 * @param {() => void | Promise<void>} first where it names nothing, and nothing is shown yet @param {string} fragment
 */
async function followAddress(first, fragment) {
  showView(result);
  const place = courseAddress(fragment);
  if (place) return course.show(place).catch(failed);
  if (await fromLink(fragment)) return;
  if (result) writeAddress(state);
  else await first();
}

/** @param {string} fragment */
async function fromLink(fragment) {
  try {
    const given = await readAddress(fragment);
    if (given) await open(given);
    return given !== null;
  } catch (error) {
    say(`The link cannot be read: ${error instanceof Error ? error.message : error}.`, true);
    return false;
  }
}

/** @param {boolean} bundled whether CodeMirror is there */
async function makeEditor(bundled) {
  const listeners = {
    onChange: (/** @type {string} */ text) => change({ text }),
    onLine: selectLine,
    complete: (/** @type {string} */ text, /** @type {number} */ line, /** @type {number} */ column) => quietly({ op: "complete", state: { ...state, text }, line, column }),
    hover: (/** @type {string} */ text, /** @type {number} */ line, /** @type {number} */ column) => quietly({ op: "hover", state: { ...state, text }, line, column }),
  };
  const bundle = bundled ? await import(new URL("vendor/editor.js", location.href).href) : null;
  editor = bundle ? codeEditor(byId("editor"), listeners, bundle) : plainEditor(byId("editor"), listeners);
  byId("editor-help").textContent = bundle ? "Ctrl+Space: what fits here. Ctrl+F: search. Point at a word: what the word means. Escape, then Tab, leaves the editor."
    : "A spec in YAML, or a one-line pattern such as INPUT 32x32x3 -> CONV3-32 -> FC-10. Ctrl+Space: what fits here. Ctrl+I, or point at a word: what the word means.";
}

/** An answer, or nothing: help that comes too late is no mistake. @param {Record<string, any>} request @param {boolean} [withProblems] */
async function quietly(request, withProblems = false) {
  try {
    const answer = await ask(request);
    return answer.ok || withProblems ? answer : null;
  } catch {
    return null;
  }
}

async function begin() {
  byId("unstarted").remove();
  colours();
  byId("preset").replaceWith(preset.element);
  preset.element.id = "preset";
  if (matchMedia("(max-width: 640px)").matches) byId("settings").open = false;
  const config = await configuration();
  const started = connect(config, starting(config.bytes ?? 0, speak, (text) => say(text, true))).then(() => ask({ op: "start" }));
  const [start] = await Promise.all([started, makeEditor(config.editor)]);
  byId("reach").textContent = config.calculator === "server" ? "Calculated on this computer." : "Calculated in this browser.";
  if (config.licences) byId("licences").append(h("a", { href: config.licences }, "Licences of third parties"), ".");
  if (!start.ok) throw new Error(spokenProblems(start.problems ?? []));
  byId("version").textContent = `archcalc ${start.version}.`;
  choices.fill(start);
  out.fill(start.formats ?? ["yaml", "markdown", "csv", "latex", "torch", "json"]);
  saving(start.file ?? "", {
    save: async () => {
      const answer = await ask({ op: "save", text: state.text });
      if (answer.ok) say(`Saved: ${start.file}.`);
      else say(spokenProblems(answer.problems ?? []), true);
    },
    download: out.download, failed,
  });
  drops((given, notes) => { say(""); open(given, notes); }, say);
  const first = () => open(start.open);
  addEventListener("hashchange", ({ newURL }) => followAddress(first, new URL(newURL).hash.slice(1))); // the page may have replaced the address since
  byId("download-graph").addEventListener("click", () => {
    if (!saveGraph(table.graph(), result.table.network)) say("The graph is there while the table is in the order of the network.", true);
  });
  await followAddress(first, addressNow());
  const zoo = start.zoo ?? (await quietly({ op: "zoo" }))?.networks ?? [];
  preset.fill(zoo);
  choices.zoo(zoo);
  requestAnimationFrame(() => setTimeout(warm)); // after the first results are drawn
}

begin().catch(failed);

export { ask }; // for a browser's console, and for tests
