import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "../support/platform.js";
import { bytes, data, gets, message, opened, posts, sent } from "../support/session.js";

/** How the newest connection of a transport is cut before it brought anything. */
const CUTS = {
  websocket: (platform) => platform.sockets.at(-1).drop(),
  xhrstream: (platform) => platform.request("/xhrstream").fail(),
  sse: (platform) => platform.sources.at(-1).error(),
  longpoll: (platform) => platform.request("/longpoll").fail(),
  poll: (platform) => platform.request("/poll").fail(),
};

const attempts = (platform, name) =>
  ({ websocket: platform.sockets, sse: platform.sources })[name] ?? gets(platform, `/${name}`);

/** Cut the first connection, and all that follow as soon as they begin; gives their times. */
async function cutFor(milliseconds, name, { platform }, answer) {
  await platform.advance(1);
  if (name === "poll") await platform.advance(2000); // its next request
  const [end, times] = [platform.time + milliseconds, []];
  let seen = attempts(platform, name).length - 1;
  while (platform.time < end) {
    if (attempts(platform, name).length > seen) {
      seen = attempts(platform, name).length;
      times.push(platform.time);
      await CUTS[name](platform);
      await answer(platform);
    }
    await platform.advance(50);
  }
  return times;
}

const longest = (times) => Math.max(...times.slice(1).map((time, index) => time - times[index]));

for (const name of Object.keys(CUTS)) {
  test(`${name}: waits stay short while the server takes POSTs, and are no hammering`, async () => {
    const session = await opened(name);
    session.platform.chance = 0.99;
    const times = await cutFor(60000, name, session, (platform) => platform.post?.respond(200));
    assert.ok(longest(times) <= 2100, `${longest(times)} ms`);
    assert.ok(times.length < 40, `${times.length} attempts in a minute`);
  });

  test(`${name}: waits grow long while nothing gets through`, async () => {
    const session = await opened(name);
    session.platform.chance = 0.99;
    const times = await cutFor(50000, name, session, (platform) => platform.post?.fail());
    assert.ok(longest(times) > 8000, `${longest(times)} ms`);
    assert.ok(times.length < 15, `${times.length} attempts`);
  });
}

test("a stream that begins again and again without news is asked for with short waits", async () => {
  const session = await opened("xhrstream");
  session.platform.chance = 0.99;
  CUTS.begun = async (platform) => {
    await platform.request("/xhrstream").stream();
    await platform.request("/xhrstream").write(" ".repeat(256));
    await platform.request("/xhrstream").fail();
  };
  await session.platform.request("/xhrstream").fail();
  await session.platform.advance(200);
  let count = 0;
  for (const end = session.platform.time + 30000; session.platform.time < end;) {
    const before = gets(session.platform, "/xhrstream").length;
    await CUTS.begun(session.platform);
    await session.platform.advance(2000);
    if (gets(session.platform, "/xhrstream").length > before) count += 1;
  }
  assert.equal(count, 15);
});

test("a stream that begins three times and brings nothing is left for the next transport", async () => {
  const transports = ["xhrstream", "longpoll"];
  const { platform, heard } = await opened("xhrstream", { transports });
  await platform.request("/xhrstream").write(data(3, "something"));
  await platform.request("/xhrstream").fail();
  for (let attempt = 1; attempt <= 3; attempt++) {
    while (gets(platform, "/xhrstream").length < 1 + attempt) await platform.advance(50);
    await platform.request("/xhrstream").stream();
    await platform.request("/xhrstream").write(" ".repeat(256));
    await platform.request("/xhrstream").fail();
  }
  await platform.request("/longpoll").respond(200, data(4, "more"));
  assert.deepEqual(heard, ["something", "via longpoll", "more"]);
});

test("what is sent while a websocket is away goes up by POST after a second", async () => {
  const { platform, session } = await opened("websocket");
  await platform.sockets[0].drop();
  session.send(bytes("beat"));
  await platform.advance(200);
  assert.equal(platform.sockets.length, 2); // it does not open, and is not refused
  await platform.advance(799);
  assert.equal(posts(platform).length, 0);
  await platform.advance(1);
  assert.equal(platform.post.body, data(1, "beat"));
  await platform.post.respond(200, "OK");
  assert.equal(session.bufferedAmount, 0);
  session.send(bytes("next"));
  await platform.advance(1000);
  assert.equal(platform.post.body, data(2, "next"));
});

test("what is sent while a websocket is away goes up on it when it comes in time", async () => {
  const { platform, session } = await opened("websocket");
  await platform.sockets[0].drop();
  session.send(bytes("beat"));
  await platform.advance(200);
  await platform.sockets[1].open();
  await platform.advance(2000);
  assert.deepEqual(sent(platform.sockets[1])[0], [1, "data", "beat"]);
  assert.equal(posts(platform).length, 0);
});

test("the first packet after a cut is acknowledged at once on a websocket", async () => {
  const { platform } = await opened("websocket");
  await platform.sockets[0].drop();
  await platform.advance(200);
  const [, again] = platform.sockets;
  await again.open();
  await again.message(message([2, "opt", "x,1"], [3, "data", "a"], [4, "data", "b"]));
  assert.deepEqual(sent(again), [
    [1, "ping", ""],
    [0, "ack", "3"],
  ]);
  await again.message(message([5, "data", "c"]));
  assert.equal(sent(again).length, 2);
});

for (const name of ["xhrstream", "longpoll"]) {
  test(`${name}: what is sent during a pause goes up at once`, async () => {
    const { platform, session } = await opened(name);
    await CUTS[name](platform);
    const before = posts(platform).length;
    await platform.post?.fail();
    session.send(bytes("beat"));
    await settle();
    assert.equal(posts(platform).length, before + 1);
    assert.equal(platform.post.body, data(1, "beat"));
  });
}

test("a POST that gets through ends a long wait for the network", async () => {
  const { platform, session } = await opened("longpoll", { RETRY_CAP: 1e6, RETRY_BASE: 1e6 });
  platform.chance = 0.01; // 10 s
  await CUTS.longpoll(platform);
  await platform.post.fail();
  const before = gets(platform, "/longpoll").length;
  await platform.advance(5000);
  session.send(bytes("a"));
  await settle();
  assert.equal(gets(platform, "/longpoll").length, before);
  await platform.post.respond(200, "OK");
  assert.equal(gets(platform, "/longpoll").length, before + 1);
});

test("the page hears of an outage at the second failure in a row, not at the first", async () => {
  const { platform, heard } = await opened("longpoll");
  await CUTS.longpoll(platform);
  await platform.post.fail();
  assert.deepEqual(heard, []);
  await platform.advance(200);
  await CUTS.longpoll(platform);
  await platform.post.fail();
  assert.deepEqual(heard, ["via null"]);
  await platform.advance(400);
  await platform.request("/longpoll").respond(200, data(3, "back"));
  assert.deepEqual(heard, ["via null", "via longpoll", "back"]);
});

test("the page hears of an outage when no answer comes for two seconds", async () => {
  const { platform, heard } = await opened("longpoll");
  await CUTS.longpoll(platform);
  await platform.advance(1999);
  assert.deepEqual(heard, []);
  await platform.advance(1);
  assert.deepEqual(heard, ["via null"]);
});

test("a page that was put aside sends nothing until it is back", async () => {
  const { platform, session } = await opened("websocket");
  session.rest();
  session.send(bytes("a"));
  await platform.advance(5000);
  assert.equal(platform.requests.length, 1);
  session.wake();
  await platform.sockets[1].open();
  await platform.sockets[1].message(message([0, "ack", "1"]));
  assert.equal(session.bufferedAmount, 0);
});
