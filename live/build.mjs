// Bundles CodeMirror into archcalc/live/page/vendor/editor.js, with the licences of all that is inside beside it, and the
// modules of the page into vendor/page.js: a browser loads one file sooner than fifty.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const page = join(here, "..", "archcalc", "live", "page");
const vendor = join(page, "vendor");
const bundle = (/** @type {string} */ entry, options = {}) =>
  build({ absWorkingDir: here, entryPoints: [entry], bundle: true, format: "esm", minify: true, target: "es2022", legalComments: "none", write: false, metafile: true, ...options });

const result = await bundle("editor.js");

// archcalc serves page.js only while this sum is the sum of the modules that lie beside it.
const sum = createHash("sha256");
for (const name of (await readdir(page)).filter((entry) => entry.endsWith(".js")).sort()) sum.update(await readFile(join(page, name)));
const whole = await bundle(join(page, "main.js"), { banner: { js: `// ${sum.digest("hex")}` }, keepNames: true });

const packages = new Set();
for (const input of Object.keys(result.metafile.inputs)) {
  const inside = input.split("node_modules/").at(-1);
  if (inside === input) continue;
  packages.add(inside.startsWith("@") ? inside.split("/").slice(0, 2).join("/") : inside.split("/")[0]);
}

const notices = ["editor.js holds these packages of npm.", ""];
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} ${version} has no licence file`);
  notices.push(`${name} ${version}, ${license}`, "", (await readFile(join(folder, file), "utf8")).trim(), "");
}

await mkdir(vendor, { recursive: true });
await writeFile(join(vendor, "editor.js"), result.outputFiles[0].contents);
await writeFile(join(vendor, "page.js"), whole.outputFiles[0].contents);
await writeFile(join(vendor, "LICENSES.txt"), notices.join("\n"));
console.log(`editor.js: ${result.outputFiles[0].contents.length} bytes, ${packages.size} packages; page.js: ${whole.outputFiles[0].contents.length} bytes`);
