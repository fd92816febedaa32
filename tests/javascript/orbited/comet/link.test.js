import assert from "node:assert/strict";
import { test } from "node:test";

import { CometSession } from "../../../../orbited/static/comet/session.js";
import { FakePlatform, freshSettings, settle } from "../support/platform.js";
import {
  BEGIN,
  begin,
  bytes,
  data,
  gets,
  message,
  opened,
  posts,
  sent,
} from "../support/session.js";

// ---------------------------------------------------------------- down

test("packets that were delivered are dropped when they come again", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform.request("/longpoll").respond(200, data(3, "one") + data(4, "two"));
  await platform
    .request("/longpoll")
    .respond(200, data(3, "one") + data(4, "two") + data(5, "three"));
  assert.deepEqual(heard, ["one", "two", "three"]);
});

test("each request acknowledges the last packet delivered", async () => {
  const { platform, session } = await opened("longpoll");
  assert.match(platform.request("/longpoll").url, /\/longpoll\?ack=2$/);
  await platform.request("/longpoll").respond(200, data(3, "one"));
  assert.match(platform.request("/longpoll").url, /\/longpoll\?ack=3$/);
  session.send(bytes("up"));
  await settle();
  assert.match(platform.post.url, /\/tcp\/key\?ack=3$/);
});

test("the next long poll goes out at once, also after an empty answer", async () => {
  const { platform } = await opened("longpoll");
  const before = gets(platform, "/longpoll").length;
  await platform.advance(30000);
  await platform.request("/longpoll").respond(200, "");
  assert.equal(gets(platform, "/longpoll").length, before + 1);
});

test("a server that answers empty and at once is not asked without a pause", async () => {
  const { platform } = await opened("longpoll");
  const before = gets(platform, "/longpoll").length;
  await platform.request("/longpoll").respond(200, "");
  await settle();
  assert.equal(gets(platform, "/longpoll").length, before);
  await platform.advance(200);
  assert.equal(gets(platform, "/longpoll").length, before + 1);
});

test("a poll is followed by the next one after two seconds", async () => {
  const { platform } = await opened("poll");
  const before = gets(platform, "/poll").length;
  await platform.advance(1999);
  assert.equal(gets(platform, "/poll").length, before);
  await platform.advance(1);
  assert.equal(gets(platform, "/poll").length, before + 1);
});

test("a poll follows soon behind a POST, because that may be answered", async () => {
  const { platform, session } = await opened("poll");
  const before = gets(platform, "/poll").length;
  session.send(bytes("a"));
  await settle();
  await platform.post.respond(200, "OK");
  await platform.advance(199);
  assert.equal(gets(platform, "/poll").length, before);
  await platform.advance(1);
  assert.equal(gets(platform, "/poll").length, before + 1);
  await platform.request("/poll").respond(200, "");
  await platform.advance(1900);
  session.send(bytes("b"));
  await settle();
  await platform.post.respond(200, "OK");
  await platform.advance(100); // it was due before that
  assert.equal(gets(platform, "/poll").length, before + 2);
});

test("a stream is opened again at once when the server ends it", async () => {
  const { platform } = await opened("xhrstream");
  await platform.request("/xhrstream").end();
  assert.match(platform.request("/xhrstream").url, /\?ack=2$/);
  assert.equal(gets(platform, "/xhrstream").length, 2);
});

test("a stream that is cut inside a packet goes on with that packet", async () => {
  const { platform, heard } = await opened("xhrstream");
  const packet = data(3, "hello");
  await platform.request("/xhrstream").write(packet.slice(0, -4));
  await platform.request("/xhrstream").fail();
  await platform.advance(200);
  await platform.request("/xhrstream").stream();
  await platform.request("/xhrstream").write(" ".repeat(256) + packet);
  assert.deepEqual(heard, ["hello"]);
});

test("404 on a transport means that the session is gone: 201", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform.request("/longpoll").respond(404);
  assert.deepEqual(heard, [201]);
  assert.equal(platform.timers, 0);
});

test("close from the server is acknowledged, and told as 201", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform
    .request("/longpoll")
    .respond(200, `${data(3, "bye")}11,415,close014,loseConnection`);
  assert.deepEqual(heard, ["bye", 201]);
  assert.deepEqual(
    platform.last.map(({ url, body }) => [url.split("/key")[1], body]),
    [["?ack=4", ""]],
  );
  assert.equal(platform.timers, 0);
});

for (const [reason, code] of [
  ["loseConnection", 201],
  ["timeout", 101],
  ["slowConsumer", 202],
  ["goingAway", 203],
  ["close acked", 201],
  ["constructor", 201],
]) {
  test(`close from the server has a code by its reason: ${reason}`, async () => {
    const { platform, heard } = await opened("longpoll");
    const close = `11,315,close0${reason.length},${reason}`;
    await platform.request("/longpoll").respond(200, close);
    assert.deepEqual(heard, [code]);
    assert.match(platform.last[0].url, /ack=3$/);
  });
}

test("close without a reason is told as 201", async () => {
  const { platform, heard } = await opened("longpoll");
  await platform.request("/longpoll").respond(200, "11,305,close");
  assert.deepEqual(heard, [201]);
});

test("close from the server is acknowledged on the websocket, which is then closed", async () => {
  const { platform, heard } = await opened("websocket");
  const [socket] = platform.sockets;
  await socket.message(message([3, "close", "loseConnection"]));
  assert.deepEqual(sent(socket).at(-1), [0, "ack", "3"]);
  assert.deepEqual(platform.last, []); // by then the server knows the session no more: 404
  assert.equal(socket.readyState, 3);
  assert.deepEqual(heard, [201]);
});

test("unknown packets and options are passed over", async () => {
  const { platform, heard } = await opened("longpoll");
  const odd = "11,312,id01,x11,413,opt07,what,is11,513,opt014,pingTimeout,xx";
  await platform.request("/longpoll").respond(200, odd + data(6, "on"));
  assert.deepEqual(heard, ["on"]);
});

// ---------------------------------------------------------------- up

test("what is sent in one turn leaves in one POST, and at most one POST is on its way", async () => {
  const { platform, session } = await opened("longpoll");
  session.send(bytes("a"));
  session.send(bytes("b"));
  await settle();
  session.send(bytes("c"));
  await settle();
  assert.equal(posts(platform).length, 1);
  assert.equal(platform.post.body, data(1, "a") + data(2, "b"));
  await platform.post.respond(200, "OK");
  assert.equal(platform.post.body, data(3, "c"));
  await platform.post.respond(200, "OK");
  assert.equal(posts(platform).length, 2);
  assert.equal(session.bufferedAmount, 0);
});

test("a POST is CORS-simple: a string body, no header of its own", async () => {
  const { platform, session } = await opened("longpoll");
  session.send(bytes("a"));
  await settle();
  assert.equal(typeof platform.post.body, "string");
  assert.equal(platform.post.options.headers, undefined);
  assert.equal(platform.post.options.credentials, "same-origin");
});

for (const [what, answer] of [
  ["a network error", (request) => request.fail()],
  ["500", (request) => request.respond(500)],
  ["503", (request) => request.respond(503)],
  ["429", (request) => request.respond(429)],
]) {
  test(`a POST that failed is repeated with the same ids: ${what}`, async () => {
    const { platform, session, heard } = await opened("longpoll");
    session.send(bytes("a"));
    await settle();
    await answer(platform.post);
    assert.equal(posts(platform).length, 1);
    await platform.advance(200);
    assert.equal(posts(platform).length, 2);
    assert.equal(platform.post.body, data(1, "a"));
    assert.deepEqual(heard, []);
  });
}

for (const status of [400, 403, 404, 413]) {
  test(`a POST that the server refuses ends the session with 201: ${status}`, async () => {
    const { platform, session, heard } = await opened("longpoll");
    session.send(bytes("a"));
    await settle();
    await platform.post.respond(status);
    assert.deepEqual(heard, [201]);
  });
}

test("a POST that takes too long is broken off and repeated", async () => {
  const { platform, session } = await opened("longpoll");
  session.send(bytes("a"));
  await platform.advance(30000);
  assert.equal(posts(platform)[0].isAborted, true);
  await platform.advance(200);
  assert.equal(posts(platform).length, 2);
});

test("large data is cut into packets, and into several POSTs", async () => {
  const { platform, session } = await opened("longpoll", {
    MAX_PACKET_BYTES: 4,
    MAX_POST_BYTES: 8,
  });
  session.send(bytes("0123456789"));
  await settle();
  assert.equal(platform.post.body, data(1, "0123") + data(2, "4567"));
  await platform.post.respond(200);
  assert.equal(platform.post.body, data(3, "89"));
});

test("send throws when too much is waiting, and keeps nothing of it", async () => {
  const { session } = await opened("longpoll", { MAX_QUEUED_BYTES: 10 });
  session.send(bytes("12345678"));
  assert.throws(() => session.send(bytes("123")), /more than 10 bytes/);
  assert.equal(session.bufferedAmount, 8);
  session.send(bytes("12"));
});

test("a ping is answered with a POST on a stream, and by the next request of a long poll", async () => {
  const stream = await opened("xhrstream");
  await stream.platform.request("/xhrstream").write("11,304,ping");
  assert.equal(stream.platform.post.body, "11,114,ping00,");
  const poll = await opened("longpoll");
  await poll.platform.request("/longpoll").respond(200, "11,304,ping");
  assert.equal(poll.platform.post, undefined);
  assert.match(poll.platform.request("/longpoll").url, /ack=3$/);
});

test("much data on a stream is acknowledged with an empty POST", async () => {
  const { platform } = await opened("xhrstream", { ACK_BYTES: 39 });
  await platform.request("/xhrstream").write(data(3, "0123456789"));
  assert.equal(platform.post, undefined);
  await platform.request("/xhrstream").write(data(4, "x"));
  assert.equal(platform.post.body, "");
  assert.match(platform.post.url, /\?ack=4$/);
});

// ---------------------------------------------------------------- websocket

test("a websocket carries packets up as raw bytes; they are kept until they are accepted", async () => {
  const { platform, session } = await opened("websocket");
  session.send(bytes("a"));
  session.send(bytes("b"));
  await settle();
  const [socket] = platform.sockets;
  assert.equal(socket.sent.length, 1);
  assert.deepEqual(sent(socket), [
    [1, "data", "a"],
    [2, "data", "b"],
  ]);
  assert.equal(session.bufferedAmount, 2);
  await socket.message(message([0, "ack", "1"]));
  assert.equal(session.bufferedAmount, 1);
  await socket.message(message([0, "ack", "2"]));
  assert.equal(session.bufferedAmount, 0);
  assert.equal(posts(platform).length, 0);
});

for (const content of ["", "x", "-1", "1.5"]) {
  test(`an acknowledgement that is no number accepts nothing: ${JSON.stringify(content)}`, async () => {
    const { platform, session } = await opened("websocket");
    session.send(bytes("a"));
    await settle();
    await platform.sockets[0].message(message([0, "ack", content]));
    assert.equal(session.bufferedAmount, 1);
  });
}

test("packets are acknowledged on the websocket after a second, or after sixty-four", async () => {
  const { platform } = await opened("websocket");
  const [socket] = platform.sockets;
  await platform.advance(1000);
  assert.deepEqual(sent(socket), [[0, "ack", "2"]]);
  for (let id = 3; id < 3 + 64; id++) await socket.message(message([id, "data", "x"]));
  assert.deepEqual(sent(socket).at(-1), [0, "ack", "66"]);
  await platform.advance(5000);
  assert.equal(sent(socket).length, 2);
});

test("a ping on the websocket is answered on the websocket", async () => {
  const { platform } = await opened("websocket");
  await platform.sockets[0].message(message([3, "ping"]));
  assert.deepEqual(sent(platform.sockets[0]), [[1, "ping", ""]]);
});

test("a websocket that breaks is opened again, and what was not accepted goes again", async () => {
  const { platform, session } = await opened("websocket");
  session.send(bytes("a"));
  session.send(bytes("b"));
  await settle();
  await platform.sockets[0].message(message([0, "ack", "1"]));
  await platform.sockets[0].drop();
  session.send(bytes("c"));
  await platform.advance(200);
  const again = platform.sockets[1];
  assert.match(again.url, /\/websocket\?ack=2$/);
  assert.equal(posts(platform).length, 0);
  await again.open();
  assert.deepEqual(sent(again), [
    [2, "data", "b"],
    [3, "data", "c"],
  ]);
});

test("a websocket that is opened again without anything to say asks for a sign of life", async () => {
  const { platform } = await opened("websocket");
  await platform.sockets[0].drop();
  await platform.advance(200);
  await platform.sockets[1].open();
  assert.deepEqual(sent(platform.sockets[1]), [[1, "ping", ""]]);
});

// ---------------------------------------------------------------- changing transports

const ALL = { transports: ["websocket", "xhrstream", "longpoll"] };

test("a websocket that does not open while the server answers is left for the next", async () => {
  const { platform, heard } = await begin(ALL);
  await platform.request("/tcp").respond(200, "key");
  await platform.sockets[0].drop();
  await platform.post.respond(200, "OK");
  await platform.request("/xhrstream").stream();
  await platform.request("/xhrstream").write(BEGIN);
  assert.deepEqual(heard, ["via xhrstream", "open"]);
});

test("the first data may take six seconds, then the next transport is tried", async () => {
  const { platform, heard } = await begin(ALL);
  await platform.request("/tcp").respond(200, "key");
  await platform.advance(6000);
  await platform.post.respond(200, "OK");
  await platform.advance(6000);
  await platform.post.respond(200, "OK");
  await platform.request("/longpoll").respond(200, BEGIN);
  assert.deepEqual(heard, ["via longpoll", "open"]);
});

test("what did not work is not tried by the page's next session", async () => {
  const { platform } = await begin(ALL);
  await platform.request("/tcp").respond(200, "key");
  await platform.sockets[0].drop();
  await platform.post.respond(200, "OK");
  const url = new URL("../..", platform.request("/xhrstream").url).href;
  const second = new FakePlatform();
  const session = new CometSession(
    freshSettings({ ...ALL, url: url.replace(/tcp\/$/, "") }),
    second,
  );
  session.open();
  await second.request("/tcp").respond(200, "key");
  assert.equal(second.sockets.length, 0);
  assert.equal(gets(second, "/xhrstream").length, 1);
});

test("a network that is down condemns no transport", async () => {
  const { platform, heard } = await opened("websocket", {});
  for (let round = 1; round <= 4; round++) {
    await platform.sockets.at(-1).drop();
    await platform.post?.fail();
    await platform.advance(3000);
    assert.equal(platform.sockets.length, round + 1);
  }
  assert.deepEqual(heard, ["via null"]);
  await platform.sockets.at(-1).open();
  await platform.sockets.at(-1).message(message([3, "data", "back"]));
  assert.deepEqual(heard, ["via null", "via websocket", "back"]);
});

test("a websocket that worked is tried three times before the next transport", async () => {
  const { platform, session } = await begin(ALL);
  await platform.request("/tcp").respond(200, "key");
  await platform.sockets[0].open();
  await platform.sockets[0].message(message([1, "opt", "pingTimeout,30"], [1, "open"]));
  session.send(bytes("a"));
  await settle();
  await platform.sockets[0].drop();
  for (let attempt = 1; attempt <= 3; attempt++) {
    await platform.advance(2000);
    assert.equal(platform.sockets.length, attempt + 1);
    await platform.sockets.at(-1).drop();
    if (attempt === 1) assert.equal(platform.post.body, data(1, "a"));
    await platform.post.respond(200, "OK");
  }
  await settle();
  assert.equal(gets(platform, "/xhrstream").length, 1);
});

test("a session that is gone is found out when the websocket does not open: 201", async () => {
  const { platform, heard } = await opened("websocket");
  await platform.sockets[0].drop();
  await platform.advance(200);
  await platform.sockets[1].drop();
  await platform.post.respond(404);
  assert.deepEqual(heard, [201]);
});
