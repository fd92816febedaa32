/**
 * The declarations beside the files of Orbited, `Orbited.d.ts` and those that it needs, are made by
 * the TypeScript compiler from the types in JSDoc. This checks the types, strictly, and then that
 * the declarations are the ones that the compiler makes.
 *
 *     node declarations.js            complain about what is out of date
 *     node declarations.js --write    make all of them anew
 *
 * The compiler works on a copy without declarations: with them beside the files it would believe
 * them, and not read the files.
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";

const HERE = import.meta.dirname;
const STATIC = path.resolve(HERE, "../../orbited/static");
const TSC = path.join(HERE, "node_modules/typescript/bin/tsc");

/** What programs import; declarations are made for these and all that they import. */
const ENTRIES = ["Orbited.js", "protocols/stomp/stomp.js"];

const isDeclaration = (/** @type {string} */ name) => name.endsWith(".d.ts");

/** @param {string} folder @returns {string[]} its declarations, by their path inside it */
function declarations(folder) {
  const names = /** @type {string[]} */ (fs.readdirSync(folder, { recursive: true }));
  return names.filter(isDeclaration).sort();
}

/** Run the compiler, and end with its words if it has something to say. @param {string} folder @param {object} config */
function compile(folder, config) {
  const base = JSON.parse(fs.readFileSync(path.join(HERE, "tsconfig.json"), "utf-8"));
  const file = path.join(folder, "tsconfig.json");
  const { compilerOptions, ...rest } = /** @type {any} */ (config);
  const options = { ...base.compilerOptions, ...compilerOptions };
  fs.writeFileSync(file, JSON.stringify({ ...rest, compilerOptions: options }));
  const run = spawnSync(process.execPath, [TSC, "--project", file], { encoding: "utf-8" });
  if (run.status !== 0) {
    console.error(run.stdout.replaceAll(/^(.*\/)?static\//gm, "orbited/static/") + run.stderr);
    process.exitCode = 1;
  }
  return run.status === 0;
}

/** @param {string} folder with a copy in `static` @returns {boolean} it is as it should be */
function checkAndEmit(folder) {
  const copy = path.join(folder, "static");
  fs.cpSync(STATIC, copy, { recursive: true, filter: (name) => !isDeclaration(name) });
  return (
    compile(folder, { include: ["static/**/*.js"] }) &&
    compile(folder, {
      files: ENTRIES.map((name) => `static/${name}`),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        rootDir: "static",
        outDir: "out",
      },
    })
  );
}

/** @param {string} made the folder with what the compiler has made */
function write(made) {
  for (const name of declarations(STATIC)) fs.rmSync(path.join(STATIC, name));
  for (const name of declarations(made)) {
    fs.copyFileSync(path.join(made, name), path.join(STATIC, name));
  }
}

/** @param {string} made the folder with what the compiler has made */
function compare(made) {
  const names = new Set([...declarations(made), ...declarations(STATIC)]);
  /** @param {string} file */
  const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf-8") : null);
  const stale = [...names].filter(
    (name) => read(path.join(made, name)) !== read(path.join(STATIC, name)),
  );
  if (stale.length === 0) return;
  console.error(`out of date in orbited/static: ${stale.join(", ")}`);
  console.error("to make them anew: npm run declarations, in tests/javascript");
  process.exitCode = 1;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "declarations-"));
try {
  if (checkAndEmit(folder)) {
    const made = path.join(folder, "out");
    if (process.argv.includes("--write")) write(made);
    else compare(made);
  }
} finally {
  fs.rmSync(folder, { recursive: true });
}
