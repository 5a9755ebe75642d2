// @ts-check
// The address of the page: its fragment holds the state, and follows every change.
import { emptyState, fragmentOf, stateIn } from "./state.js";

let written = ""; // the fragment that this page wrote
let waiting = 0;

/** @param {import("./state.js").State} state */
export function writeAddress(state) {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    written = await fragmentOf(state);
    history.replaceState(null, "", `${location.pathname}${location.search}#${written}`);
  }, 150);
}

/** The state in the address; null if there is none, or if the page wrote it. An Error says why it cannot be read. */
export async function readAddress() {
  const fragment = location.hash.slice(1);
  if (!fragment || fragment === written) return null;
  return { ...emptyState(), ...(await stateIn(fragment)) };
}
