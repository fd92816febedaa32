import assert from "node:assert/strict";
import { test } from "node:test";

import { CometSession } from "../../../../orbited/static/comet/session.js";
import { FakePlatform, freshSettings, settle } from "../support/platform.js";
import { begin, bytes, data, gets, message, opened, sent, text } from "../support/session.js";

// ---------------------------------------------------------------- beginning

test("a session is asked for at /tcp below the server's address", async () => {
  const { platform } = await begin();
  assert.match(platform.requests[0].url, /^http:\/\/server\d+\/comet\/tcp$/);
});

for (const [what, answer] of [
  ["a status other than 200", (request) => request.respond(503, "")],
  ["no network", (request) => request.fail()],
  ["an answer that is no key", (request) => request.respond(200, "<html>")],
]) {
  test(`without a session the code is 102: ${what}`, async () => {
    const { platform, heard } = await begin();
    await answer(platform.request("/tcp"));
    assert.deepEqual(heard, [102]);
    assert.equal(platform.timers, 0);
  });
}

test("a request for a session that takes too long ends with 101", async () => {
  const { platform, heard } = await begin();
  await platform.advance(30000);
  assert.deepEqual(heard, [101]);
});

test("a session without a usable transport is refused before anything is sent", () => {
  const platform = new FakePlatform();
  const session = new CometSession(freshSettings({ transports: ["pigeon"] }), platform);
  assert.throws(() => session.open(), /no usable transport among pigeon/);
  assert.equal(platform.requests.length, 0);
});

test("streaming = false leaves the transports that do not stream", async () => {
  const { platform } = await begin({ streaming: false });
  await platform.request("/tcp").respond(200, "key");
  assert.equal(gets(platform, "/longpoll").length, 1);
});

test("a session that is not open takes nothing", async () => {
  const { session } = await begin();
  assert.throws(() => session.send(bytes("x")), /Invalid readyState/);
  assert.throws(() => session.open(), /Invalid readyState/);
});

test("a repeated open is not told again", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform.request("/longpoll").respond(200, "11,204,open");
  assert.deepEqual(heard, []);
});

// ---------------------------------------------------------------- time

test("a session that hears nothing for interval and time-out closes with 101", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform
    .request("/longpoll")
    .respond(200, "11,313,opt013,pingTimeout,511,413,opt014,pingInterval,5");
  await platform.advance(9999);
  assert.deepEqual(heard, []);
  await platform.advance(1);
  assert.deepEqual(heard, [101]);
  assert.equal(platform.timers, 0);
});

test("retries go on until then, and no longer", async () => {
  const { platform, heard } = await opened("longpoll");
  const stop = platform.time + 60000;
  while (heard.at(-1) !== 101) {
    await platform.request("/longpoll").fail();
    await platform.post?.fail();
    await platform.advance(500);
    assert.ok(platform.time <= stop + 1000);
  }
  assert.ok(gets(platform, "/longpoll").length > 5);
  const count = platform.requests.length;
  await platform.advance(60000);
  assert.equal(platform.requests.length, count);
});

test("heartbeats alone do not keep a session whose packets do not arrive", async () => {
  const { platform, heard } = await opened("xhrstream");
  for (let beat = 0; beat < 11; beat++) {
    await platform.advance(5000);
    await platform.request("/xhrstream").write("x");
  }
  await platform.advance(5000);
  assert.deepEqual(heard, [101]);
  assert.equal(gets(platform, "/xhrstream").length, 1);
});

test("after a long sleep the server is asked once before the session is given up", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform.sleep(90000);
  assert.deepEqual(heard, []);
  await platform.request("/longpoll").respond(200, data(3, "still here"));
  assert.deepEqual(heard, ["still here"]);
});

test("after a long sleep without an answer the session is given up", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform.sleep(90000);
  await platform.advance(6000);
  assert.deepEqual(heard, [101]);
});

// ---------------------------------------------------------------- closing

test("close is told at once, and sent behind what is queued", async () => {
  const { platform, session, heard } = await opened("longpoll");
  session.send(bytes("last"));
  session.close();
  await settle();
  assert.deepEqual(heard, [103]);
  assert.equal(platform.post.body, `${data(1, "last")}11,205,close`);
  assert.equal(session.readyState, 5);
  await platform.post.respond(200, "OK");
  assert.equal(platform.request("/longpoll").isAborted, true);
  assert.equal(platform.timers, 0);
});

test("what comes after close is not delivered", async () => {
  const { platform, session, heard } = await opened("longpoll");
  session.close();
  await platform.request("/longpoll").respond(200, data(3, "late"));
  assert.deepEqual(heard, [103]);
});

test("close on a websocket waits for the acknowledgement", async () => {
  const { platform, session, heard } = await opened("websocket");
  session.send(bytes("last"));
  session.close();
  await settle();
  const [socket] = platform.sockets;
  assert.deepEqual(sent(socket), [
    [1, "data", "last"],
    [2, "close", ""],
  ]);
  assert.equal(socket.readyState, 1);
  await socket.message(message([0, "ack", "2"]));
  assert.equal(socket.readyState, 3);
  assert.deepEqual(heard, [103]);
  assert.equal(platform.timers, 0);
});

test("close goes by POST when the websocket breaks meanwhile", async () => {
  const { platform, session } = await opened("websocket");
  session.close();
  await settle();
  await platform.sockets[0].drop();
  assert.equal(platform.post.body, "11,105,close");
  await platform.post.respond(404);
  assert.equal(platform.timers, 0);
});

test("close while the session is being made ends it on the server, too", async () => {
  const { platform, session, heard } = await begin();
  session.close();
  await platform.request("/tcp").respond(200, "key");
  assert.deepEqual(heard, [103]);
  assert.equal(platform.post.body, "11,105,close");
  await platform.post.respond(200, "OK");
  assert.equal(platform.sockets.length, 0);
  assert.equal(platform.timers, 0);
});

test("close before open closes nothing but the session object", async () => {
  const platform = new FakePlatform();
  const session = new CometSession(freshSettings(), platform);
  let code = 0;
  session.onclose = (value) => (code = value);
  session.close();
  await settle();
  assert.equal(code, 103);
  assert.equal(platform.requests.length, 0);
});

test("a second close says nothing", async () => {
  const { platform, session, heard } = await opened("longpoll");
  session.close();
  session.close();
  await settle();
  assert.deepEqual(heard, [103]);
  assert.equal(platform.post.body, "11,105,close");
});

test("reset drops what is queued and tells the server without waiting", async () => {
  const { platform, session, heard } = await opened("longpoll");
  session.send(bytes("never"));
  session.reset();
  await settle();
  assert.deepEqual(heard, [103]);
  assert.deepEqual(
    platform.last.map(({ body }) => body),
    ["11,205,close"],
  );
  assert.equal(platform.timers, 0);
});

// ---------------------------------------------------------------- the application's mistakes

test("an exception of the application is reported, and the session goes on", async (context) => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  context.after(() => delete globalThis.reportError);
  const { platform, session, heard } = await opened("longpoll");
  session.ondata = (content) => {
    heard.push(text(content));
    throw new Error("mistake");
  };
  await platform.request("/longpoll").respond(200, data(3, "one") + data(4, "two"));
  assert.deepEqual(heard, ["one", "two"]);
  assert.deepEqual(reported, ["mistake", "mistake"]);
});

test("an application that closes while it reads gets nothing more", async () => {
  const { platform, session, heard } = await opened("longpoll");
  session.ondata = (content) => {
    heard.push(text(content));
    session.reset();
  };
  await platform.request("/longpoll").respond(200, data(3, "one") + data(4, "two"));
  assert.deepEqual(heard, ["one", 103]);
});
