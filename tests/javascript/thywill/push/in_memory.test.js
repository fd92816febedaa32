import assert from "node:assert/strict";
import { test } from "node:test";
import { InMemory } from "../../../../static/thywill/push/in_memory.js";
import { register } from "../../../../static/thywill/push/register.js";
import { CONFIG, newPage, settle } from "../support/page.js";

/** A page that has begun to ask; pauses end when the test says so. */
async function asking() {
  const page = newPage();
  const pauses = [];
  const sleep = (ms) => new Promise((resolve) => pauses.push({ ms, end: resolve }));
  const connection = new InMemory(page.thywill, { random: () => 0.5, sleep });
  register(page.thywill, connection, undefined);
  page.thywill.bootstrap.fn(CONFIG);
  await settle();
  return { ...page, connection, pauses };
}

const said = (id, body) => ({ id, body, content_type: "text/plain", event: null });

test.beforeEach((t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(console, "error", () => {});
});

test("the first question does not wait, and its answer establishes the connection", async () => {
  const { site, thywill } = await asking();
  assert.equal(site.last.path, "/thywill/push/");
  assert.deepEqual([site.last.body.after, site.last.body.wait], [0, false]);
  assert.equal(thywill.state, "connecting");
  site.last.answer({ messages: [] });
  await settle();
  assert.equal(thywill.state, "live");
  assert.equal(thywill.push.transport, "longpoll");
  assert.deepEqual([site.last.body.after, site.last.body.wait], [0, true]);
});

test("messages are delivered in order, and the next question confirms them", async () => {
  const { site, thywill } = await asking();
  const got = [];
  thywill.push.onReceipt = (message) => got.push(message);
  site.last.answer({ messages: [said(7, "a"), said(8, "b")] });
  await settle();
  assert.deepEqual(got, ["a", "b"]);
  assert.equal(site.last.body.after, 8);
});

test("a site that lets no more pages wait is not asked in a hurry", async () => {
  const { site, pauses } = await asking();
  site.last.answer({ messages: [] });
  await settle();
  site.last.answer({ messages: [] });
  await settle();
  assert.equal(site.requests.length, 2);
  assert.deepEqual(
    pauses.map(({ ms }) => ms),
    [2000],
  );
  pauses[0].end();
  await settle();
  assert.equal(site.requests.length, 3);
});

test("a question without an answer is asked again, from the same message on", async (t) => {
  const { site, heard } = await asking();
  site.last.answer({ messages: [said(3, "x")] });
  await settle();
  site.last.refuse("network");
  await settle();
  assert.deepEqual(heard, ["live", "recovering", "network"]);
  t.mock.timers.tick(250);
  await settle();
  assert.deepEqual([site.last.body.after, site.last.body.wait], [3, false]);
  site.last.answer({ messages: [] });
  await settle();
  assert.equal(heard.at(-1), "live");
});

test("after a refusal for good nothing is asked any more", async (t) => {
  const { site, thywill } = await asking();
  site.last.refuse("unknown-client");
  await settle();
  t.mock.timers.tick(600_000);
  await settle();
  assert.equal(site.requests.length, 1);
  assert.equal(thywill.state, "closed");
});

test("after close nothing is delivered and nothing asked, until open", async () => {
  const { site, thywill } = await asking();
  const got = [];
  thywill.push.onReceipt = (message) => got.push(message);
  site.last.answer({ messages: [] });
  await settle();
  thywill.close();
  site.last.answer({ messages: [said(1, "late")] });
  await settle();
  assert.deepEqual(got, []);
  assert.equal(site.requests.length, 2);
  thywill.open();
  await settle();
  assert.equal(site.requests.length, 3);
});

test("a page joins its channels when the queue is new, and again when it is another one", async () => {
  const { site, thywill } = await asking();
  thywill.channel("room:a");
  assert.equal(site.requests.length, 1);
  const joins = () => site.requests.filter(({ path }) => path === "/thywill/channel/");
  const push = () => site.requests.findLast(({ path }) => path === "/thywill/push/");
  push().answer({ queue: 5, messages: [] });
  await settle();
  assert.equal(joins().length, 1);
  const answer = { destination: "/topic/c", ticket: "", expires_in: null, has_history: false };
  joins()[0].answer(answer);
  push().answer({ queue: 5, messages: [said(1, "a")] });
  await settle();
  assert.equal(joins().length, 1);
  push().answer({ queue: 6, messages: [said(2, "b")] });
  await settle();
  assert.equal(joins().length, 2);
});

test("a channel's message goes to the channel; leaving is told to the site", async () => {
  const { site, thywill } = await asking();
  const heard = [];
  const room = thywill.channel("live:a");
  room.on("said", (data) => heard.push(data));
  const headers = { channel: "live:a" };
  site.last.answer({
    queue: 5,
    messages: [{ id: 1, body: "7", content_type: "application/json", event: "said", headers }],
  });
  await settle();
  assert.deepEqual(heard, [7]);
  site.requests
    .find(({ body }) => body.channel === "live:a")
    .answer({ destination: "/topic/c", ticket: "", expires_in: null, has_history: false });
  await room.joined;
  room.leave();
  const { path, body } = site.last;
  assert.deepEqual([path, body.channel, body.leave], ["/thywill/channel/", "live:a", true]);
});

test("a page that has closed and opens again joins its channels again", async () => {
  const { site, thywill } = await asking();
  const joins = () => site.requests.filter(({ path }) => path === "/thywill/channel/");
  thywill.channel("live:a");
  site.last.answer({ queue: 5, messages: [] });
  await settle();
  const answer = { destination: "/topic/c", ticket: "", expires_in: null, has_history: false };
  joins()[0].answer(answer);
  await settle();
  thywill.close();
  thywill.open();
  await settle();
  site.requests
    .findLast(({ path }) => path === "/thywill/push/")
    .answer({ queue: 5, messages: [] });
  await settle();
  assert.equal(joins().length, 2);
});
