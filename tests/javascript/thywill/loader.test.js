import assert from "node:assert/strict";
import { test } from "node:test";
import { loader } from "../../../static/thywill/loader.js";
import { settle } from "./support/page.js";

globalThis.document = { baseURI: "http://site.example/thywill/init/" };

test("json and text are fetched, and given to the old callback too", async (t) => {
  t.mock.method(globalThis, "fetch", async () => new Response('{"a": 1}'));
  const heard = [];
  assert.deepEqual(await loader.js.fn("/x.json", "json", (data) => heard.push(data)), { a: 1 });
  assert.equal(await loader.js.fn("/x.txt", "text"), '{"a": 1}');
  await settle();
  assert.deepEqual(heard, [{ a: 1 }]);
});

test("a script is run as a module", async () => {
  const module = await loader.js.fn("data:text/javascript,export const answer = 42");
  assert.equal(module.answer, 42);
});

test("what cannot be had is told to onError and rejects", async (t) => {
  t.mock.method(globalThis, "fetch", async () => new Response("", { status: 404 }));
  const heard = t.mock.method(loader.js, "onError", () => {});
  await assert.rejects(loader.js.fn("/gone.json", "json"), /gone\.json: 404/);
  assert.equal(heard.mock.callCount(), 1);
});
