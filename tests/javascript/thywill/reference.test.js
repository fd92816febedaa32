// The reference of the browser API names what there is, with the defaults that hold.

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { Channel } from "../../../static/thywill/channel.js";
import { Channels } from "../../../static/thywill/channels.js";
import { ThywillError } from "../../../static/thywill/errors.js";
import { TRANSITIONS } from "../../../static/thywill/state.js";
import { newPage } from "./support/page.js";

const PAGE = new URL("../../../documentation/reference/browser.md", import.meta.url);
const text = fs.readFileSync(PAGE, "utf-8");
const thywill = /** @type {any} */ (newPage().thywill);

/** The text from one heading to the next. @param {string} title */
function section(title) {
  const [, rest] = text.split(new RegExp(`^##+ ${title}\n`, "m"));
  assert.ok(rest, title);
  return rest.split(/^##/m)[0] ?? "";
}

/** The cells of the rows of a section's tables, heads left out. @param {string} title */
function rows(title) {
  return [...section(title).matchAll(/^\| (`.*) \|$/gm)].map(([, row = ""]) => row.split(" | "));
}

/** Names in code, without their arguments. @param {string} part */
function names(part) {
  return [...part.matchAll(/`(\w[\w.]*)/g)].map(([, name = ""]) => name);
}

/** The names that the rows of a section begin with. @param {string} title */
function named(title) {
  return new Set(rows(title).flatMap(([cell = ""]) => names(cell)));
}

/** What an object offers: its own, and the methods of its class. @param {any} instance */
function offered(instance) {
  const prototype = Object.getPrototypeOf(instance);
  const inherited = prototype === Object.prototype ? [] : Object.getOwnPropertyNames(prototype);
  return [...Object.keys(instance), ...inherited].filter((name) => name !== "constructor");
}

/** @param {Iterable<string>} values */
const sorted = (values) => [...values].sort();

test("thywill has what is named, and all of it is", () => {
  assert.deepEqual(sorted(named("thywill")), sorted(offered(thywill)));
});

test("thywill.application and thywill.send have what is named, and all of it is", () => {
  for (const part of ["application", "send"]) {
    assert.deepEqual(sorted(named(`thywill.${part}`)), sorted(offered(thywill[part])));
  }
});

test("thywill.push has what is named, for applications and for components", () => {
  const [, forComponents = ""] = section("thywill.push").split("The rest is for");
  const all = [...named("thywill.push"), ...names(forComponents)];
  const told = all.filter((name) => name !== "static");
  assert.deepEqual(sorted(told), sorted(offered(thywill.push)));
});

test("thywill.bootstrap and thywill.loader have what is named", () => {
  const [row = []] = rows("thywill").filter(([name]) => name === "`bootstrap`");
  assert.deepEqual(sorted(names(row[1] ?? "")), sorted(offered(thywill.bootstrap)));
  for (const name of named("thywill.loader")) {
    assert.ok(name.replace("js.", "") in thywill.loader.js, name);
  }
});

test("a channel has what is named; the rest is between the framework's own files", () => {
  const internal = ["connected", "closed", "receive", "refuse"];
  const line = /** @type {any} */ ({});
  const has = offered(new Channel("room:a", line)).filter((name) => !internal.includes(name));
  assert.deepEqual(sorted(named("Channel")), sorted(has));
});

test("every setting has its default, and every number is one", () => {
  /** @type {Record<string, any>} */
  const values = { "thywill.channel": new Channel("room:a", /** @type {any} */ ({})).gapSeconds };
  const settings = rows("Settings of a page");
  assert.equal(settings.length, 6);
  for (const [cell = "", value] of settings) {
    const [name = ""] = names(cell);
    const [, part = "", key = ""] = name.split(".");
    const found = values[name] ?? (key ? thywill[part][key] : thywill[part]);
    assert.equal(String(found), value, name);
  }
  const { maxChannels } = new Channels(thywill);
  assert.match(section("Settings of a page"), new RegExp(`in ${maxChannels} channels at most`));
});

test("the states are those of the table in the code, with what comes after each", () => {
  const told = Object.fromEntries(
    rows("States").map(([state = "", , after = ""]) => [names(state)[0], names(after)]),
  );
  for (const [state, changes] of Object.entries(TRANSITIONS)) {
    const next = sorted(Object.values(changes));
    assert.deepEqual(sorted((told[state] ?? []).filter((name) => name !== "open")), next, state);
  }
  assert.deepEqual(sorted(Object.keys(told)), sorted(Object.keys(TRANSITIONS)));
});

test("an error has what is named", () => {
  const error = new ThywillError("some-code", "Some words.", { cause: "a reason" });
  for (const name of named("ThywillError")) {
    assert.ok(name in error, name);
  }
  for (const name of Object.keys(error).filter((name) => name !== "name")) {
    assert.ok(named("ThywillError").has(name), name);
  }
});
