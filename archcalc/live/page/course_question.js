// @ts-check
// One question of the course: a field for the guess, the verdict, and hints by degrees.
import { h } from "./dom.js";

/**
 * @typedef {{key: string, title: string, problem: string, text: string, noun: string, formula: string, answer: string, because: string,
 *   steps: {label: string, expression: string, result: string}[]}} Question
 * @typedef {{kind: string, text: string}} Verdict
 */

const HINTS = ["Hint: the formula", "Hint: with your numbers", "Show the answer"];
const ANSWER = HINTS.length;

/**
 * @param {string} lesson @param {number} nth
 * @param {{guess: (text: string) => Promise<Verdict | null>, link: () => void, done: (how: "solved" | "shown") => void}} listeners
 */
export function questionBox(lesson, nth, listeners) {
  const id = `q-${lesson}-${nth}`;
  const mark = h("span", { class: "done" });
  const title = h("span");
  const text = h("label", { for: id });
  const field = h("input", { type: "text", id, autocomplete: "off", spellcheck: "false", maxlength: 100, "aria-describedby": `${id}-noun ${id}-verdict` });
  const noun = h("span", { id: `${id}-noun`, class: "soft" });
  const verdict = h("p", { id: `${id}-verdict`, class: "verdict", role: "status" });
  const hints = h("div", { class: "hints", "aria-live": "polite", tabindex: -1 });
  const more = h("button", { type: "button", class: "hint", onclick: reveal });
  const link = h("button", { type: "button", class: "link", "aria-label": `Copy link to question ${nth}`, onclick: listeners.link }, "Copy link");
  const form = h("form", { class: "guess" }, text,
    h("div", { class: "guess-row" }, field, noun, h("button", { type: "submit" }, "Check"), more, link));
  const problem = h("p", { class: "bad-text", hidden: true });
  const element = h("article", { class: "question", id: `question-${lesson}-${nth}` }, h("h3", {}, `${nth}. `, title, " ", mark), problem, form, verdict, hints);
  /** @type {Question | null} */
  let shown = null;
  let level = 0;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const slow = setTimeout(() => say({ kind: "", text: "Checking: the calculator is busy or starts." }), 300);
    const found = await listeners.guess(field.value);
    clearTimeout(slow);
    say(found);
  });

  /** @param {Verdict | null} found */
  function say(found) {
    verdict.textContent = found?.text ?? "";
    verdict.dataset.kind = found?.kind ?? "";
    field.setAttribute("aria-invalid", String(found?.kind === "wrong" || found?.kind === "unread"));
    if (found?.kind !== "right") return;
    level = ANSWER;
    listeners.done("solved");
    draw();
  }

  function reveal() {
    level += 1;
    draw();
    if (level < ANSWER) return;
    listeners.done("shown");
    hints.focus({ preventScroll: true }); // the button is gone
  }

  function draw() {
    if (!shown) return;
    more.hidden = level >= ANSWER;
    more.textContent = HINTS[level] ?? "";
    const { formula, steps, answer, because } = shown;
    hints.replaceChildren(...[
      level >= 1 && h("p", { class: "formula" }, formula),
      level >= 2 && h("ol", { class: "steps" }, ...steps.map(({ label, expression, result }, at) => {
        const known = at < steps.length - 1 || level >= ANSWER;
        return h("li", {}, h("span", { class: "label" }, label), h("span", { class: "sum" },
          expression, expression && " = ", known ? h("b", {}, result) : "?"));
      })),
      level >= ANSWER && h("p", { class: "answer" }, h("b", {}, `Answer: ${answer}.`), " ", because),
    ].filter((child) => child !== false));
  }

  return {
    element,
    focus() { field.focus(); element.scrollIntoView({ block: "start" }); },
    /** @param {Question} question with the numbers of now; what was opened before follows them */
    show(question) {
      shown = question;
      title.textContent = question.title;
      text.textContent = question.text ?? "";
      noun.textContent = question.noun ?? "";
      problem.textContent = question.problem;
      problem.hidden = !question.problem;
      form.hidden = verdict.hidden = hints.hidden = Boolean(question.problem);
      if (level === ANSWER && verdict.textContent) verdict.textContent = "The numbers have changed. The answer below follows them.";
      else say(null);
      if (level === ANSWER) verdict.dataset.kind = "";
      draw();
    },
    /** @param {string | undefined} how */
    mark(how) {
      mark.textContent = how === "solved" ? "✓ solved" : how === "shown" ? "answer shown" : "";
      mark.dataset.how = how ?? "";
    },
  };
}
