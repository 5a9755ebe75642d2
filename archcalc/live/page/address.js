// @ts-check
// The address of the page: its fragment holds the state and follows every change, or it names a lesson of the course.
import { MOST_FRAGMENT, emptyState, fragmentOf, stateIn } from "./state.js";

let written = ""; // the fragment that this page wrote
let waiting = 0;

/** @param {import("./state.js").State} state */
export function writeAddress(state) {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const fragment = await fragmentOf(state);
    if (courseAddress()) return;
    if (fragment.length > MOST_FRAGMENT) return; // an address that nobody could read
    written = fragment;
    replaceAddress(`#${fragment}`);
  }, 150);
}

/** @param {string} fragment with "#" */
function replaceAddress(fragment) {
  try {
    history.replaceState(null, "", `${location.pathname}${location.search}${fragment}`);
  } catch {
    // a browser that allows few changes of the address in a minute: the next change tries again
  }
}

/** The state in a fragment; null if there is none, or if the page wrote it. An Error says why it cannot be read. @param {string} fragment */
export async function readAddress(fragment) {
  if (!fragment || fragment === written) return null;
  return { ...emptyState(), ...(await stateIn(fragment)) };
}

/** @typedef {{lesson: string, question: string, numbers: Record<string, number | string>}} CoursePlace */

export const addressNow = () => location.hash.slice(1);

/** The lesson, the question and the numbers in the address; null if the address does not name the course. @returns {CoursePlace | null} */
export function courseAddress(fragment = addressNow()) {
  if (!/^course(=|&|$)/.test(fragment)) return null;
  const parts = new URLSearchParams(fragment.slice(0, 1000));
  const [lesson, question] = (parts.get("course") ?? "").split(".");
  parts.delete("course");
  const numbers = Object.fromEntries([...parts].map(([key, text]) => [key, /^\d{1,15}$/.test(text) ? Number(text) : text]));
  return { lesson, question: question ?? "", numbers };
}

/** The fragment of a place in the course, with "#". @param {CoursePlace} place */
export function courseFragment({ lesson, question, numbers }) {
  const name = `course=${lesson}${question ? `.${question}` : ""}`;
  return `#${[name, ...Object.entries(numbers).map(([key, value]) => `${key}=${encodeURIComponent(value)}`)].join("&")}`;
}

/** @param {CoursePlace} place */
export function writeCourseAddress(place) {
  replaceAddress(courseFragment(place));
}
