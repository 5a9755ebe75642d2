// @ts-check
// What leaves the page: the text or the table in a format, and the link.
import { ask } from "./calculator.js";
import { byId, copyText, downloadText, h } from "./dom.js";
import { MOST_FRAGMENT, fragmentOf } from "./state.js";

const TITLES = {
  yaml: "YAML spec", markdown: "Markdown table", csv: "CSV table", latex: "LaTeX table", json: "JSON", text: "Text table", torch: "PyTorch source",
};

/**
 * @param {() => import("./state.js").State} state
 * @param {(text: string, bad?: boolean) => void} say
 */
export function exports(state, say) {
  const format = byId("format");

  async function made() {
    const answer = await ask({ op: "export", state: state(), format: format.value });
    if (answer.ok) return answer;
    throw new Error(answer.problems?.map(({ text }) => text).join(" ") ?? "There is nothing to export.");
  }

  const guarded = (/** @type {() => Promise<string>} */ work) => async () => {
    try {
      say(await work());
    } catch (error) {
      say(error instanceof Error && error.message ? error.message : "This did not work. Try again.", true);
    }
  };

  byId("copy").addEventListener("click", guarded(async () => {
    const { text } = await made();
    await copyText(text);
    return `Copied: ${format.selectedOptions[0].textContent}.`;
  }));
  byId("download").addEventListener("click", guarded(async () => {
    const { file, type, text } = await made();
    downloadText(file, type, text);
    return `Downloaded: ${file}.`;
  }));
  byId("copy-link").addEventListener("click", guarded(async () => {
    const fragment = await fragmentOf(state());
    if (fragment.length > MOST_FRAGMENT) throw new Error("The text is too large for a link. Save or download the text.");
    await copyText(`${location.origin}${location.pathname}#${fragment}`);
    return "Copied: a link that holds the text and all choices.";
  }));

  return {
    /** @param {string[]} formats */
    fill(formats) {
      format.replaceChildren(...formats.map((name) => h("option", { value: name }, /** @type {any} */ (TITLES)[name] ?? name)));
    },
    /** The text as a file, where no server saves it. */
    download: guarded(async () => {
      const { file, type, text } = await (async () => {
        const answer = await ask({ op: "export", state: state(), format: "yaml" });
        return answer.ok ? answer : { file: "network.yaml", type: "application/yaml", text: state().text };
      })();
      downloadText(file, type, text);
      return `Downloaded: ${file}.`;
    }),
  };
}
