// @ts-check
// What a question to the calculator leads to: an answer, or one of two errors.

/** @typedef {{ok: boolean, problems?: {text: string, line: number, path?: string}[], [key: string]: any}} Answer */
/** @typedef {{input: string, allow_missing: boolean}} FileChoices */
/**
 * How questions reach the calculator. warm: get ready for the next question. most: the bytes of the largest file.
 * @typedef {{most: number, ask: (request: Record<string, any>) => Promise<Answer>, askFile: (file: File, how: FileChoices) => Promise<Answer>, warm: () => void}} Reach
 */

/** Thrown when a newer question of this page took the place of this one. */
export class Superseded extends Error {}

/** Thrown when no answer can come: the server has ended, or Python could not start. */
export class Unreachable extends Error {}

/** @param {string} text @returns {Answer} */
export function refused(text) {
  return { ok: false, problems: [{ text, line: 0, path: "" }] };
}
