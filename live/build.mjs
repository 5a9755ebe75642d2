// Bundles CodeMirror into archcalc/live/page/vendor/editor.js, and the licences of all that is inside beside it.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "..", "archcalc", "live", "page", "vendor");

const result = await build({
  absWorkingDir: here,
  entryPoints: ["editor.js"],
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  legalComments: "none",
  metafile: true,
  write: false,
});

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
await writeFile(join(vendor, "LICENSES.txt"), notices.join("\n"));
console.log(`editor.js: ${result.outputFiles[0].contents.length} bytes, ${packages.size} packages`);
