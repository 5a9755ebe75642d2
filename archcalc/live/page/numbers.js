// @ts-check
// Numbers as archcalc prints them, and JSON whose whole numbers stay exact.

const GROUPS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 });
const COUNTS = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "K"]];
const BYTES = [[1e18, "EB"], [1e15, "PB"], [1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "KB"]];

/** 138357544 as 138,357,544. @param {number | bigint} number */
export function grouped(number) {
  return GROUPS.format(number);
}

/** The first letter of a heading's kind of unit. @param {number} number @param {boolean} bytes */
export function short(number, bytes = false) {
  for (const [size, unit] of bytes ? BYTES : COUNTS) {
    if (Math.abs(number) >= /** @type {number} */ (size)) {
      const value = number / /** @type {number} */ (size);
      return `${Math.abs(value) < 1e6 ? Number(value.toPrecision(3)) : value.toExponential(1)} ${unit}`;
    }
  }
  return `${Number(number.toPrecision(3))}${bytes ? " B" : ""}`;
}

/** A share as 74.3 %. @param {number} part @param {number} whole */
export function percent(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : "";
}

/** @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

const LARGE = `${Math.random()} is large: `;

/**
 * JSON with whole numbers beyond 2^53 as BigInt. The slow way is taken only if such a number is there.
 * @param {string} text @returns {any}
 */
export function parseExact(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const parts = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g; // a text, whose digits stay, or a number
  const marked = text.replace(parts, (part) => (/^-?\d{16,}$/.test(part) && !Number.isSafeInteger(Number(part)) ? `"${LARGE}${part}"` : part));
  return JSON.parse(marked, (_, value) => (typeof value === "string" && value.startsWith(LARGE) ? BigInt(value.slice(LARGE.length)) : value));
}

/** A value as a text, whatever is in it. @param {any} value */
export function plainText(value) {
  return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)) ?? "";
}

/** The largest of many numbers: Math.max takes each as an argument, and fails on many. @param {number[]} numbers @param {number} [least] */
export function largestOf(numbers, least = 0) {
  return numbers.reduce((most, number) => (number > most ? number : most), least);
}

/** Round steps for an axis from 0 to at least ``top``. @param {number} top @param {number} most @returns {number[]} */
export function ticks(top, most = 4) {
  if (!(top > 0)) return [0, 1];
  const rough = top / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  const steps = [];
  for (let at = 0; at < top + step * 0.999; at += step) steps.push(Number(at.toPrecision(12)));
  return steps;
}
