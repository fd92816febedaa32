import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel } from "../../../static/thywill/channel.js";
import { ThywillError } from "../../../static/thywill/errors.js";
import { settle } from "./support/page.js";

const DESTINATION = "/topic/thywill.channel.chat.room_3Aa";

/** A channel whose site and push connection are played by the test. */
function channel(options = {}) {
  const calls = [];
  const pending = (name, more) =>
    new Promise((resolve, reject) => calls.push({ name, ...more, resolve, reject }));
  const line = {
    ask: (fields) => pending("ask", { fields }),
    subscribe: (destination, ticket) => pending("subscribe", { destination, ticket }),
    renew: (ticket) => pending("renew", { ticket }),
    unsubscribe: (destination) => calls.push({ name: "unsubscribe", destination }),
    left: () => calls.push({ name: "left" }),
  };
  const room = new Channel("room:a", line, { random: () => 0.5, ...options });
  const heard = [];
  room.onReceipt = (data, meta) => heard.push(`${data}${meta.replayed ? " again" : ""}`);
  for (const event of ["joined", "recovered", "snapshot", "left"]) {
    room.on(event, (data) => heard.push(data === undefined ? event : [event, data]));
  }
  room.on("refused", (error) => heard.push(["refused", error.code]));
  return { room, calls, heard };
}

function answer(offsets, more = {}) {
  return {
    channel: "room:a",
    destination: DESTINATION,
    ticket: "a-ticket",
    expires_in: 101,
    has_history: true,
    epoch: "e",
    offset: offsets.at(-1) ?? 0,
    recovered: true,
    messages: offsets.map((offset) => ({ offset, event: "said", data: offset })),
    more: false,
    ...more,
  };
}

const push = (room, offset) =>
  room.receive(offset, { event: "said", epoch: offset === null ? null : "e", offset });

/** Answer the last call. */
async function reply(calls, result) {
  calls.at(-1).resolve(result);
  await settle();
}

/** A channel that is joined, with messages up to an offset. */
async function joined(offset = 2) {
  const found = channel();
  found.room.connected();
  await reply(found.calls, answer([], { offset, recovered: null }));
  await reply(found.calls);
  await reply(found.calls, answer([], { offset }));
  found.calls.length = 0;
  found.heard.length = 0;
  return found;
}

test.beforeEach((t) => t.mock.timers.enable({ apis: ["setTimeout", "Date"] }));

test("joining: ask, subscribe with the ticket, ask for what fell between", async () => {
  const { room, calls, heard } = channel();
  await settle();
  assert.deepEqual(calls, []);
  room.connected();
  assert.deepEqual(calls[0].fields, { channel: "room:a", after: null, replay: null });
  await reply(calls, answer([1, 2], { recovered: null }));
  assert.equal(calls[1].name, "subscribe");
  assert.deepEqual([calls[1].destination, calls[1].ticket], [DESTINATION, "a-ticket"]);
  assert.equal(room.state, "joining");
  await reply(calls);
  assert.deepEqual(calls[2].fields, { channel: "room:a", after: { epoch: "e", offset: 2 } });
  await reply(calls, answer([3]));
  await room.joined;
  assert.deepEqual(heard, ["1 again", "2 again", "3 again", "joined"]);
  push(room, 4);
  assert.deepEqual(heard.at(-1), "4");
});

test("the answer that came with the page spares the first question", async () => {
  const first = answer([7], { recovered: null });
  const { room, calls, heard } = channel({ takeFirst: () => first });
  room.connected();
  await settle();
  assert.deepEqual(
    calls.map((call) => call.name),
    ["subscribe"],
  );
  assert.deepEqual(heard, ["7 again"]);
});

test("a channel without history has one question only, and no offsets", async () => {
  const { room, calls, heard } = channel();
  const nothing = { has_history: false, epoch: null, offset: null, recovered: null };
  room.connected();
  await reply(calls, answer([], nothing));
  await reply(calls);
  await room.joined;
  push(room, null);
  assert.deepEqual(heard, ["joined", "null"]);
  assert.equal(room.cursor, null);
  room.connected();
  await reply(calls, answer([], nothing));
  await reply(calls);
  assert.deepEqual(heard.at(-1), ["recovered", false]);
});

test("the snapshot comes first, and again after a hole", async () => {
  const { room, calls, heard } = channel();
  room.connected();
  await reply(calls, answer([], { offset: 5, recovered: null, snapshot: "five" }));
  await reply(calls);
  await reply(calls, answer([6], {}));
  room.connected();
  await reply(calls, answer([], { offset: 40, recovered: false, snapshot: "forty" }));
  await reply(calls);
  await reply(calls, answer([41]));
  assert.deepEqual(heard, [
    ["snapshot", "five"],
    "6 again",
    "joined",
    ["recovered", false],
    ["snapshot", "forty"],
    "41 again",
  ]);
});

test("a new connection resumes from the cursor, with a new ticket", async () => {
  const { room, calls, heard } = await joined(2);
  push(room, 3);
  room.connected();
  assert.deepEqual(calls[0].fields.after, { epoch: "e", offset: 3 });
  await reply(calls, answer([4, 5], { ticket: "another" }));
  assert.equal(calls[1].ticket, "another");
  await reply(calls);
  await reply(calls, answer([], { offset: 5 }));
  assert.deepEqual(heard, ["3", "4 again", "5 again", ["recovered", true]]);
});

test("a connection that is replaced while one joins makes it begin again", async () => {
  const { room, calls } = channel();
  room.connected();
  await reply(calls, answer([], { recovered: null }));
  room.connected();
  calls.at(-1).reject(new ThywillError("connection-lost", "gone"));
  await settle();
  assert.deepEqual(
    calls.map((call) => call.name),
    ["ask", "subscribe", "ask"],
  );
});

test("a message that is missing is waited for, and then asked for", async (t) => {
  const { room, calls, heard } = await joined(2);
  push(room, 5);
  t.mock.timers.tick(299);
  assert.deepEqual(calls, []);
  t.mock.timers.tick(1);
  assert.deepEqual(calls[0].fields.after, { epoch: "e", offset: 2 });
  await reply(calls, answer([3, 4]));
  assert.deepEqual(heard, ["3 again", "4 again", "5"]);
  t.mock.timers.tick(1000);
  assert.equal(calls.length, 1);
});

test("a message that comes in time is not asked for", async (t) => {
  const { room, calls, heard } = await joined(2);
  push(room, 4);
  t.mock.timers.tick(200);
  push(room, 3);
  t.mock.timers.tick(1000);
  assert.deepEqual(calls, []);
  assert.deepEqual(heard, ["3", "4"]);
});

test("a long history is asked for until there is no more", async () => {
  const { room, calls, heard } = channel();
  room.connected();
  await reply(calls, answer([1], { recovered: null, more: true }));
  await reply(calls);
  await reply(calls, answer([2], { more: true }));
  assert.equal(room.state, "joining");
  await reply(calls, answer([3]));
  assert.deepEqual(heard, ["1 again", "2 again", "3 again", "joined"]);
});

test("the ticket is renewed before it ends, and what is missing comes with it", async (t) => {
  const { calls, heard } = await joined(2);
  t.mock.timers.tick(69_999);
  assert.deepEqual(calls, []);
  t.mock.timers.tick(1);
  await reply(calls, answer([3], { ticket: "another" }));
  assert.deepEqual(heard, ["3 again"]);
  assert.equal(calls[1].ticket, "another");
  t.mock.timers.tick(20_000);
  assert.equal(calls.length, 2); // only one that the broker has seen counts
  await reply(calls);
  t.mock.timers.tick(69_999);
  assert.equal(calls.length, 2);
  t.mock.timers.tick(1);
  assert.equal(calls.length, 3);
});

test("asking for a missing message does not put the renewal off", async (t) => {
  const { room, calls } = await joined(2);
  t.mock.timers.tick(60_000);
  push(room, 4);
  t.mock.timers.tick(300);
  await reply(calls, answer([3, 4], { ticket: "not shown" }));
  assert.equal(calls.length, 1);
  t.mock.timers.tick(9_700);
  await reply(calls, answer([], { offset: 4, ticket: "another" }));
  assert.deepEqual([calls[2].name, calls[2].ticket], ["renew", "another"]);
});

test("a renewal that comes too late is followed by a question for what was missed", async (t) => {
  const { calls, heard } = await joined(2);
  t.mock.timers.tick(70_000);
  t.mock.timers.tick(40_000);
  await reply(calls, answer([3]));
  await reply(calls);
  assert.equal(calls.length, 3);
  await reply(calls, answer([4]));
  assert.deepEqual(heard, ["3 again", "4 again"]);
});

test("a renewal that fails is tried again", async (t) => {
  const { calls } = await joined(2);
  t.mock.timers.tick(70_000);
  calls[0].reject(new ThywillError("network", "No."));
  await settle();
  t.mock.timers.tick(10_000);
  await reply(calls, answer([], { offset: 2 }));
  assert.equal(calls.at(-1).name, "renew");
});

test("a renewal that the connection does not survive is made with the next one", async (t) => {
  const { room, calls, heard } = await joined(2);
  t.mock.timers.tick(70_000);
  await reply(calls, answer([], { offset: 2 }));
  room.connected();
  calls[1].reject(new ThywillError("connection-lost", "gone"));
  await settle();
  await reply(calls, answer([], { offset: 2 }));
  assert.equal(calls.at(-1).name, "subscribe");
  await reply(calls);
  await reply(calls, answer([], { offset: 2 }));
  assert.deepEqual(heard, [["recovered", true]]);
});

test("a renewal that is refused ends it", async (t) => {
  const { room, calls, heard } = await joined(2);
  t.mock.timers.tick(70_000);
  calls[0].reject(new ThywillError("not-allowed", "No."));
  await settle();
  assert.equal(room.state, "refused");
  assert.deepEqual(heard, [["refused", "not-allowed"]]);
  assert.deepEqual(calls[1], { name: "unsubscribe", destination: DESTINATION });
  push(room, 3);
  room.connected();
  t.mock.timers.tick(1_000_000);
  await settle();
  assert.equal(calls.length, 2);
});

test("being refused rejects the promise, with the code", async () => {
  const { room, calls, heard } = channel();
  room.connected();
  calls[0].reject(new ThywillError("unknown-channel", "There is no such channel."));
  await assert.rejects(room.joined, { code: "unknown-channel" });
  assert.deepEqual(heard, [["refused", "unknown-channel"]]);
});

for (const code of ["network", "push-unavailable", "application-failed", "http-502"]) {
  test(`${code}: it is tried again`, async (t) => {
    const { room, calls } = channel();
    room.connected();
    calls[0].reject(new ThywillError(code, code));
    await settle();
    t.mock.timers.tick(250); // half of half a second
    assert.equal(calls.length, 2);
    assert.equal(room.state, "joining");
  });
}

test("too many requests are waited for as long as the site says", async (t) => {
  const { room, calls } = channel();
  room.connected();
  calls[0].reject(new ThywillError("too-many-requests", "Wait.", { retryAfter: 20 }));
  await settle();
  t.mock.timers.tick(19_999);
  assert.equal(calls.length, 1);
  t.mock.timers.tick(1);
  assert.equal(calls.length, 2);
});

test("leaving unsubscribes, and nothing is heard any more", async () => {
  const { room, calls, heard } = await joined(2);
  room.leave();
  room.leave();
  push(room, 3);
  room.connected();
  await settle();
  assert.deepEqual(calls, [{ name: "unsubscribe", destination: DESTINATION }, { name: "left" }]);
  assert.deepEqual(heard, ["left"]);
});

test("leaving while one joins does not subscribe", async () => {
  const { room, calls } = channel();
  room.connected();
  room.leave();
  await reply(
    calls.filter((call) => call.name === "ask"),
    answer([1], { recovered: null }),
  );
  assert.deepEqual(
    calls.map((call) => call.name),
    ["ask", "left"],
  );
  await assert.rejects(room.joined, { code: "left" });
});

test("a listener that leaves hears no more of the same answer", async () => {
  const { room, calls, heard } = channel();
  room.on("said", () => room.leave());
  room.connected();
  await reply(calls, answer([1, 2, 3], { recovered: null }));
  assert.deepEqual(heard, ["left", "1 again"]);
});

test("after the page has closed its connection nothing is asked, and then it resumes", async (t) => {
  const { room, calls, heard } = await joined(2);
  push(room, 5);
  room.closed();
  t.mock.timers.tick(1_000_000);
  assert.deepEqual(calls, []);
  room.connected();
  await reply(calls, answer([3, 4]));
  await reply(calls);
  await reply(calls, answer([], { offset: 5 }));
  assert.deepEqual(heard, ["3 again", "4 again", "5", ["recovered", true]]);
});

test("an answer that comes after the connection was closed is left for the next one", async () => {
  const { room, calls, heard } = channel();
  room.connected();
  room.closed();
  await reply(calls, answer([1], { recovered: null }));
  assert.deepEqual([heard, calls.length, room.cursor], [[], 1, null]);
  room.connected();
  await settle();
  assert.equal(calls.length, 2);
});
