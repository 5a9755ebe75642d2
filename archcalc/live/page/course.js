// @ts-check
// The course: lessons of guided questions. Every number comes from the calculator, and the progress stays in this browser.
import { courseAddress, courseFragment, writeCourseAddress } from "./address.js";
import { Superseded } from "./answer.js";
import { Newest, ask } from "./calculator.js";
import { numberFields } from "./course_numbers.js";
import { questionBox } from "./course_question.js";
import { copyText, h, remember, remembered } from "./dom.js";

/** @typedef {import("./address.js").CoursePlace} CoursePlace */

/** A network of a lesson as text. @param {any} first @param {boolean} open @param {(state: any) => void} openState */
function networkBox(first, open, openState) {
  let { state } = first;
  const text = h("pre", { tabindex: 0, role: "region", "aria-label": `Text of the network: ${first.title}` });
  const element = h("details", { class: "network", open }, h("summary", {}, first.title), text,
    h("button", { type: "button", onclick: () => openState(state) }, "Open in the editor"));
  return { element, show(/** @type {any} */ now) { state = now.state; text.textContent = state.text; } };
}

/**
 * @param {HTMLElement} parent
 * @param {{openState: (state: any) => void, say: (text: string, bad?: boolean) => void, failed: (error: unknown) => void}} listeners
 */
export function courseSection(parent, listeners) {
  const list = h("ol", { class: "lessons" });
  const forget = h("button", { type: "button", hidden: true, onclick: () => { remember("course", {}); marks(); title.focus(); } }, "Forget my progress");
  const title = h("h2", { tabindex: -1 });
  const intro = h("div", { class: "intro" });
  const sources = h("ul", { class: "sentences soft sources" });
  const numbers = numberFields((changed) => { typed = true; requests.push({ ...place, numbers: changed }); });
  const networks = h("div", { class: "networks" });
  const questions = h("div", { class: "questions" });
  const next = h("p", { class: "next" });
  const body = h("div", { class: "lesson", hidden: true }, title, intro, h("div", { class: "lesson-grid" },
    h("div", { class: "beside" }, numbers.element, networks),
    h("div", {}, questions, next)), h("section", { class: "about-sources", "aria-label": "Sources" }, h("h3", {}, "Sources"), sources));
  parent.replaceChildren(
    h("nav", { "aria-label": "Lessons" }, h("h2", {}, "Course"), list, forget),
    body,
  );
  /** @type {CoursePlace} */
  let place = { lesson: "", question: "", numbers: {} };
  /** @type {any[]} */
  let lessons = [];
  /** @type {any} */
  let shown = null; // the last answer that holds a lesson
  /** @type {ReturnType<typeof questionBox>[]} */
  let boxes = [];
  /** @type {ReturnType<typeof networkBox>[]} */
  let texts = [];
  let typed = false; // the numbers come from the fields of the page

  /** @returns {Record<string, Record<string, string>>} */
  const progress = () => {
    const known = remembered("course", {});
    return known !== null && typeof known === "object" ? known : {};
  };

  const requests = new Newest(async (/** @type {CoursePlace} */ wanted) => {
    try {
      const answer = await ask({ op: "course", lesson: wanted.lesson, numbers: wanted.numbers });
      const fromFields = typed;
      typed = false;
      if (answer.ok) draw(wanted, answer, !fromFields);
      else refuse(wanted, (answer.problems ?? []).map(({ text }) => text));
    } catch (error) {
      if (!(error instanceof Superseded)) listeners.failed(error);
    }
  });

  /** @param {CoursePlace} wanted @param {string[]} sentences */
  function refuse(wanted, sentences) {
    if (shown?.lesson.key === wanted.lesson) return numbers.refuse(sentences);
    listeners.say(sentences.join(" "), true);
    const known = lessons.some((one) => one.key === wanted.lesson);
    if (!known || Object.keys(wanted.numbers).length) requests.push({ lesson: known ? wanted.lesson : lessons[0].key, question: "", numbers: {} });
  }

  /** @param {CoursePlace} wanted @param {any} answer @param {boolean} fresh */
  function draw(wanted, answer, fresh) {
    const another = shown?.lesson.key !== answer.lesson.key;
    shown = answer;
    place = wanted;
    body.hidden = false;
    title.textContent = answer.lesson.title;
    document.title = `${answer.lesson.title} · archcalc live`;
    intro.replaceChildren(...answer.intro.map((/** @type {string} */ text) => h("p", {}, text)));
    sources.replaceChildren(...answer.sources.map((/** @type {any} */ one) => h("li", {}, h("a", { href: one.link, rel: "noreferrer", target: "_blank" }, one.text))));
    numbers.show(answer.numbers, fresh || another);
    if (another) {
      texts = answer.networks.map((/** @type {any} */ one, /** @type {number} */ at) =>
        networkBox(one, at === 0 || !one.state.text.includes("\n"), listeners.openState));
      networks.replaceChildren(...texts.map((text) => text.element));
      boxes = answer.questions.map((/** @type {any} */ one, /** @type {number} */ at) => questionBox(answer.lesson.key, at + 1, {
        guess: (text) => judge(one.key, text), link: () => copyLink(one.key), done: (how) => done(one.key, how),
      }));
      questions.replaceChildren(...boxes.map((box) => box.element));
    }
    texts.forEach((text, at) => text.show(answer.networks[at]));
    boxes.forEach((box, at) => box.show(answer.questions[at]));
    const following = lessons[lessons.findIndex((one) => one.key === answer.lesson.key) + 1];
    next.replaceChildren(...(following ? ["Next: ", h("a", { href: courseFragment({ lesson: following.key, question: "", numbers: {} }) }, following.title)] : []));
    if (courseAddress()) writeCourseAddress(place); // the reader may have left the course
    marks();
    if (!another && !wanted.question) return;
    const at = answer.questions.findIndex((/** @type {any} */ one) => one.key === wanted.question);
    if (at >= 0) boxes[at].focus();
    else if (wanted.question) listeners.say(`The lesson has no question "${wanted.question.slice(0, 60)}".`, true);
    else {
      title.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    place = { ...place, question: "" };
  }

  /** @param {string} question @param {string} guess */
  async function judge(question, guess) {
    try {
      const answer = await ask({ op: "course", lesson: place.lesson, numbers: place.numbers, question, guess });
      return answer.ok ? answer.verdict : { kind: "unread", text: (answer.problems ?? []).map(({ text }) => text).join(" ") };
    } catch (error) {
      listeners.failed(error);
      return null;
    }
  }

  /** @param {string} question */
  async function copyLink(question) {
    try {
      await copyText(`${location.origin}${location.pathname}${courseFragment({ ...place, question })}`);
      listeners.say("Copied: a link to this question, with your numbers.");
    } catch (error) {
      listeners.say(error instanceof Error ? error.message : String(error), true);
    }
  }

  /** @param {string} question @param {"solved" | "shown"} how */
  function done(question, how) {
    const known = progress();
    const lesson = { ...known[place.lesson] };
    if (lesson[question] !== "solved") lesson[question] = how;
    remember("course", { ...known, [place.lesson]: lesson });
    marks();
  }

  /** The list of lessons and the questions, with what the student has done. */
  function marks() {
    const known = progress();
    forget.hidden = Object.keys(known).length === 0;
    list.replaceChildren(...lessons.map((one) => {
      const solved = one.questions.filter((/** @type {any} */ question) => known[one.key]?.[question.key] === "solved").length;
      return h("li", {}, h("a", { href: courseFragment({ lesson: one.key, question: "", numbers: {} }), "aria-current": one.key === shown?.lesson.key ? "page" : null }, one.title),
        " ", h("span", { class: "soft" }, `${solved} of ${one.questions.length} solved`));
    }));
    boxes.forEach((box, at) => box.mark(known[shown.lesson.key]?.[shown.questions[at].key]));
  }

  return {
    /** @param {CoursePlace} wanted */
    async show(wanted) {
      if (!lessons.length) lessons = (await ask({ op: "course" })).lessons;
      typed = false;
      if (shown && wanted.lesson === "") wanted = { ...place, question: "" };
      else if (wanted.lesson === "") wanted = { ...wanted, lesson: lessons[0].key };
      await requests.push(wanted);
    },
  };
}
