// @ts-check
// Which of the two is shown: the editor with its results, or the course. The address says it.
import { courseAddress } from "./address.js";
import { byId } from "./dom.js";
import { showTitle } from "./result.js";

/** @param {any} result the last good answer; null: none yet */
export function showView(result) {
  const inCourse = courseAddress() !== null;
  document.body.dataset.view = inCourse ? "course" : "editing";
  byId("editing").hidden = inCourse;
  byId("course").hidden = !inCourse;
  byId("course-link").textContent = inCourse ? "Editor" : "Course";
  byId("course-link").href = inCourse ? "#" : "#course";
  if (result) showTitle(result);
}
