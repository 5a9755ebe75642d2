// @ts-check
// The editor with CodeMirror 6: YAML, completion and help from the calculator, problems underlined.
// CodeMirror lives in a shadow root: there its styles are sheets made by script, which the page's content policy allows.
import { h } from "./dom.js";

/** @typedef {import("./plain_editor.js").Problem} Problem */

/**
 * @param {HTMLElement} parent @param {import("./plain_editor.js").Listeners} listeners @param {any} cm the bundle
 * @returns {import("./plain_editor.js").Editor}
 */
export function codeEditor(parent, listeners, cm) {
  const { Decoration, EditorState, EditorView, StateEffect, StateField, tags } = cm;
  const host = h("div", { class: "code" });
  parent.replaceChildren(host);
  const root = host.attachShadow({ mode: "open" });

  const problemsEffect = StateEffect.define();
  const lightEffect = StateEffect.define();
  const bounded = (/** @type {any} */ doc, /** @type {number} */ line) => doc.line(Math.min(Math.max(1, line), doc.lines));

  const problemField = StateField.define({
    create: () => ({ marks: Decoration.none, list: /** @type {Problem[]} */ ([]) }),
    update(/** @type {any} */ value, /** @type {any} */ change) {
      let { marks, list } = value;
      marks = marks.map(change.changes);
      for (const effect of change.effects) {
        if (!effect.is(problemsEffect)) continue;
        list = effect.value;
        marks = Decoration.set(list.flatMap((/** @type {Problem} */ problem) => underlines(change.state.doc, problem)), true);
      }
      return marks === value.marks && list === value.list ? value : { marks, list };
    },
    provide: (/** @type {any} */ field) => EditorView.decorations.from(field, (/** @type {any} */ value) => value.marks),
  });

  function underlines(/** @type {any} */ doc, /** @type {Problem} */ problem) {
    if (problem.line < 1 || problem.line > doc.lines) return [];
    const line = doc.line(problem.line);
    const indent = line.text.length - line.text.trimStart().length;
    const from = Math.min(line.to, line.from + (problem.column ? problem.column - 1 : indent));
    const rows = [Decoration.line({ class: "cm-bad-line" }).range(line.from)];
    if (from < line.to) rows.push(Decoration.mark({ class: "cm-bad", attributes: { title: problem.text } }).range(from, line.to));
    return rows;
  }

  const lightField = StateField.define({
    create: () => Decoration.none,
    update(/** @type {any} */ marks, /** @type {any} */ change) {
      let now = marks.map(change.changes);
      for (const effect of change.effects) {
        if (!effect.is(lightEffect)) continue;
        now = effect.value > 0 && effect.value <= change.state.doc.lines
          ? Decoration.set([Decoration.line({ class: "cm-lit" }).range(change.state.doc.line(effect.value).from)])
          : Decoration.none;
      }
      return now;
    },
    provide: (/** @type {any} */ field) => EditorView.decorations.from(field),
  });

  const colours = cm.HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
    { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
    { tag: [tags.number, tags.bool, tags.keyword, tags.atom], color: "var(--code-number)" },
    { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--soft)" },
  ]);

  const look = EditorView.theme({
    "&": { height: "100%", backgroundColor: "var(--paper)", color: "var(--ink)", fontSize: "var(--code-size)" },
    "&.cm-focused": { outline: "2px solid var(--link)", outlineOffset: "-2px" },
    ".cm-scroller": { fontFamily: "var(--code-font)", lineHeight: "1.5" },
    ".cm-content": { caretColor: "var(--ink)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--active)" },
    ".cm-lit": { backgroundColor: "var(--mark)", outline: "1px solid transparent", outlineOffset: "-1px", "--soft": "var(--ink)", "--code-comment": "var(--ink)" },
    ".cm-bad-line": { backgroundColor: "var(--bad-paper)" },
    ".cm-bad": { textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      backgroundColor: "var(--select)",
    },
    ".cm-tooltip, .cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)" },
    ".cm-tooltip": { borderRadius: ".35rem", boxShadow: "0 2px 8px var(--shadow)", zIndex: "20" },
    ".cm-help": { padding: ".35rem .6rem", maxWidth: "26rem", fontSize: ".85rem" },
    ".cm-help p": { margin: ".15rem 0", overflowWrap: "anywhere" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--code-font)", maxWidth: "min(30rem, 88vw)" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--link)", color: "var(--paper)" },
    ".cm-completionInfo": { padding: ".35rem .6rem", maxWidth: "20rem" },
    ".cm-completionDetail": { color: "inherit", opacity: ".8", fontStyle: "normal" },
    ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
    ".cm-panel input, .cm-panel button": { font: "inherit" },
  });

  /** Places without a value, as in "conv: {kernel: , out: }", are filled one after the other with Tab. @param {string} text */
  function applied(text) {
    const parts = text.split(/: (?=[,}]|$)/);
    return parts.length > 1 ? cm.snippet(parts.map((part) => part.replaceAll("\\", "\\\\")).join(": ${}")) : text;
  }

  async function completions(/** @type {any} */ context) {
    if (!context.explicit && !context.matchBefore(/[\w.]+$|[:\-,[{>]\s?$/)) return null;
    const line = context.state.doc.lineAt(context.pos);
    const answer = await listeners.complete(context.state.doc.toString(), line.number, context.pos - line.from + 1);
    if (!answer?.options?.length || context.aborted) return null;
    return {
      from: Math.min(context.pos, line.from + answer.from - 1),
      to: Math.max(context.pos, Math.min(line.to, line.from + answer.to - 1)),
      options: answer.options.map((/** @type {any} */ option) => ({
        label: option.label, apply: applied(option.apply ?? option.label), type: option.kind, detail: option.detail, info: option.about || undefined,
      })),
      validFor: /^[\w.]*$/,
    };
  }

  const help = cm.hoverTooltip(async (/** @type {any} */ view, /** @type {number} */ at) => {
    const line = view.state.doc.lineAt(at);
    const bad = view.state.field(problemField).list.filter((/** @type {Problem} */ problem) => problem.line === line.number);
    const answer = await listeners.hover(view.state.doc.toString(), line.number, at - line.from + 1);
    const texts = [...bad.map((/** @type {Problem} */ problem) => problem.text), ...(answer?.lines ?? [])];
    if (!texts.length || at > view.state.doc.length) return null;
    const from = answer?.from ? Math.min(line.to, line.from + answer.from - 1) : at;
    const end = answer?.to ? Math.min(line.to, line.from + answer.to - 1) : at;
    return {
      pos: Math.min(from, at), end: Math.max(end, at), above: true,
      create: () => ({ dom: h("div", { class: "cm-help" }, ...texts.map((text) => h("p", {}, text))) }),
    };
  }, { hoverTime: 350 });

  let quiet = false; // the page sets the text itself
  const listener = EditorView.updateListener.of((/** @type {any} */ update) => {
    if (update.docChanged && !quiet) listeners.onChange(update.state.doc.toString());
    else if (update.selectionSet && !quiet && update.transactions.some((/** @type {any} */ one) => one.isUserEvent("select"))) {
      listeners.onLine(update.state.doc.lineAt(update.state.selection.main.head).number);
    }
  });

  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      extensions: [
        cm.lineNumbers(), cm.highlightActiveLineGutter(), cm.history(), cm.drawSelection(), cm.highlightActiveLine(),
        EditorState.allowMultipleSelections.of(true), cm.indentUnit.of("  "), cm.yaml(), cm.syntaxHighlighting(colours),
        cm.autocompletion({ override: [completions], closeOnBlur: true, icons: false }), cm.search({ top: true }), help,
        cm.keymap.of([...cm.completionKeymap, ...cm.defaultKeymap, ...cm.historyKeymap, ...cm.searchKeymap]),
        EditorView.contentAttributes.of({ "aria-label": "Spec or one-line pattern", "aria-describedby": "editor-help", spellcheck: "false", tabindex: "0" }),
        problemField, lightField, listener, look,
      ],
    }),
  });

  /** @param {number} from a place in the text @param {number} above the part of the editor above the line, if it was not in view */
  function intoView(from, above) {
    const { top, height } = view.lineBlockAt(from);
    const { scrollTop, clientHeight } = view.scrollDOM; // scrollIntoView of CodeMirror would scroll the page as well
    if (top < scrollTop || top + height > scrollTop + clientHeight) view.scrollDOM.scrollTop = Math.max(0, top - clientHeight * above);
  }

  new ResizeObserver(() => { // the list of problems takes room; the line that is typed stays in view
    if (view.hasFocus) intoView(view.state.selection.main.head, 0.8);
  }).observe(host);

  return {
    kind: "code",
    text: () => view.state.doc.toString(),
    setText(text) {
      if (text === view.state.doc.toString()) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
      quiet = false;
    },
    focus: () => view.focus(),
    setProblems(found) {
      view.dispatch({ effects: problemsEffect.of(found) });
    },
    light(line) {
      view.dispatch({ effects: lightEffect.of(line) });
    },
    reveal(line, focus = false) {
      const from = bounded(view.state.doc, line).from;
      intoView(from, 0.3);
      if (!focus) return;
      view.dispatch({ selection: { anchor: from } });
      view.focus();
    },
  };
}
