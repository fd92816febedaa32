// The reference of the browser half names what there is, with the defaults that hold.

import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";

import { Errors, Statuses } from "../../../orbited/static/comet/errors.js";
import { Settings } from "../../../orbited/static/comet/settings.js";
import { Orbited, TCPSocket } from "../../../orbited/static/Orbited.js";

const PAGE = new URL("../../../documentation/reference/orbited-js.md", import.meta.url);
const text = fs.readFileSync(PAGE, "utf-8");

await import("../../../orbited/static/protocols/stomp/stomp.js");
const { STOMPClient } = /** @type {any} */ (globalThis);

/** The text from one heading to the next of its rank. @param {string} title */
function section(title) {
  const [, rest = ""] = text.split(`\n## ${title}\n`);
  return rest.split("\n## ")[0] ?? "";
}

/** First and second cells of the rows of all tables, names without their arguments. @param {string} part */
function rows(part) {
  const found = [...part.matchAll(/^\| (`.*?) \| (.*?) \|/gm)];
  return found.map(([, first = "", second = ""]) => [first, second]);
}

/** Names in code at the beginnings of rows. @param {string} part */
function named(part) {
  return rows(part).flatMap(([cell = ""]) =>
    [...cell.matchAll(/`(\w+)/g)].map(([, name = ""]) => name),
  );
}

/** What a class offers: methods, properties and callbacks. @param {any} instance */
function offered(instance) {
  const prototype = Object.getPrototypeOf(instance);
  return [...Object.keys(instance), ...Object.getOwnPropertyNames(prototype)].filter(
    (name) => !/^(constructor|toString|READY_STATE_.*)$/.test(name),
  );
}

test("every setting has its default", () => {
  const documented = Object.fromEntries(rows(section("Orbited.settings")));
  for (const [name, value] of Object.entries(new Settings())) {
    if (name === "url") continue;
    const written = JSON.stringify(value).replaceAll(",", ", ");
    assert.equal(documented[`\`${name}\``], `\`${written}\``, name);
  }
});

test("no setting is named that is not there", () => {
  for (const name of named(section("Orbited.settings"))) {
    assert.ok(name in new Settings(), name);
  }
});

test("TCPSocket has what is named, and all of it is", () => {
  const [members = ""] = section("TCPSocket").split("### Close codes");
  assert.deepEqual(named(members).sort(), offered(new TCPSocket()).sort());
});

test("every close code is in the table", () => {
  const [, table = ""] = section("TCPSocket").split("### Close codes");
  const listed = [...table.matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map(([, code, name]) => [
    name,
    Number(code),
  ]);
  assert.deepEqual(Object.fromEntries(listed), { ...Errors, ...Statuses });
});

test("STOMPClient has what is named, and all of it is", () => {
  const part = section("STOMPClient");
  const mentioned = new Set([...part.matchAll(/`(\w+)[`(]/g)].map(([, name]) => name));
  const names = offered(new STOMPClient());
  for (const name of names) assert.ok(mentioned.has(name), name);
  for (const name of named(part)) assert.ok(names.includes(name), name);
});

test("the old names are all told", () => {
  const known = ["TCPSocket", "settings", "Errors", "Statuses", "test"];
  for (const name of Object.keys(Orbited)) {
    assert.ok(known.includes(name) || section("Old names").includes(`Orbited.${name}`), name);
  }
});
