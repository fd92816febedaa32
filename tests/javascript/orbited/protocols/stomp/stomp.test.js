import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { settle } from "../../support/platform.js";
import { connected, FakeSocket, make } from "../../support/stomp.js";
import { Orbited } from "../../../../../orbited/static/Orbited.js";
import { STOMPClient } from "../../../../../orbited/static/protocols/stomp/stomp.js";

beforeEach(() => {
  globalThis.TCPSocket = FakeSocket;
});

// ---------------------------------------------------------------- connecting

test("connect opens a socket in bytes mode and sends CONNECT when it is open", () => {
  const { client } = make();
  client.connect("localhost", 61613, "guest", "secret");
  assert.deepEqual(client.socket.opened, ["localhost", 61613, "bytes"]);
  assert.equal(client.user, "guest");
  client.socket.connect();
  assert.deepEqual(client.socket.frames(), [
    [
      "CONNECT",
      {
        "accept-version": "1.0,1.1,1.2",
        host: "localhost",
        login: "guest",
        passcode: "secret",
        "heart-beat": "0,0",
      },
      "",
    ],
  ]);
});

test("without a login there is none in the frame; other headers come from the page", () => {
  const { client } = make();
  client.connect("localhost", 61613, undefined, null, { headers: { host: "/", "client-id": "7" } });
  client.socket.connect();
  const [[, headers]] = client.socket.frames();
  assert.deepEqual(Object.keys(headers), ["accept-version", "host", "heart-beat", "client-id"]);
  assert.equal(headers.host, "/");
});

test("onopen comes after CONNECT was written, before CONNECTED", () => {
  const { client } = make();
  const heard = [];
  client.onopen = () => heard.push("open", client.socket.frames()[0][0]);
  client.onconnectedframe = ({ headers }) => heard.push(headers.session);
  client.connect("localhost", 61613, "guest", "guest");
  client.socket.connect();
  assert.deepEqual(heard, ["open", "CONNECT"]);
  client.socket.receive("CONNECTED\nsession:1\n\n\0\n");
  assert.deepEqual(heard, ["open", "CONNECT", "1"]);
});

for (const version of ["1.0", "1.1", "1.2"]) {
  test(`the version of the server is spoken: ${version}`, () => {
    const { client } = connected(version);
    assert.equal(client.version, version);
  });
}

test("a version that we do not speak is an error and ends the connection", async () => {
  const { client } = make();
  const heard = [];
  client.onerror = (error) => heard.push(error.message);
  client.onclose = (code) => heard.push(code);
  client.connect("localhost", 61613);
  client.socket.connect();
  client.socket.receive("CONNECTED\nversion:2.0\n\n\0");
  await settle();
  assert.deepEqual(heard, ["the server wants to speak STOMP 2.0", 103]);
});

test("without a global TCPSocket that of Orbited is used", async () => {
  delete globalThis.TCPSocket;
  const { client } = make();
  client.onclose = () => {};
  Orbited.settings.url = "http://127.0.0.1:9/";
  client.connect("localhost", 61613);
  assert.match(String(client.socket), /^<Orbited\.TCPSocket \d+>$/);
  client.reset();
  await settle();
});

test("the client is a global, too", () => {
  assert.equal(globalThis.STOMPClient, STOMPClient);
});

// ---------------------------------------------------------------- sending

test("send takes the message first, and describes a text", () => {
  const { client, socket } = connected();
  client.send("hé", "/topic/a", { priority: "9" });
  assert.deepEqual(socket.frames(), [
    [
      "SEND",
      {
        "content-type": "text/plain",
        "content-encoding": "utf-8",
        destination: "/topic/a",
        priority: "9",
        "content-length": "3",
      },
      "hé",
    ],
  ]);
});

test("an empty message has no body headers", () => {
  const { client, socket } = connected();
  client.send("", "/topic/a");
  assert.deepEqual(socket.frames(), [["SEND", { destination: "/topic/a" }, ""]]);
});

test("the page's content-type counts", () => {
  const { client, socket } = connected();
  client.send("{}", "/topic/a", { "content-type": "application/json" });
  assert.equal(socket.frames()[0][1]["content-type"], "application/json");
});

test("bytes are sent as they are", () => {
  const { client, socket } = connected();
  client.send(new Uint8Array([0, 1, 255]), "/topic/a");
  const text = new TextDecoder("latin1").decode(socket.written);
  assert.match(text, /content-type:application\/octet-stream\n/);
  assert.match(text, /content-length:3\n/);
  assert.ok(text.endsWith("\n\n\0\x01\xff\0"));
});

test("with a content-length of its own a string is one of bytes, and is counted anew", () => {
  const { client, socket } = connected();
  client.send("\xe9\xff", "/topic/a", { "content-length": "99" });
  const text = new TextDecoder("latin1").decode(socket.written);
  assert.match(text, /content-length:2\n/);
  assert.ok(!text.includes("content-type"));
  assert.ok(text.endsWith("\n\n\xe9\xff\0"));
});

test("subscribe makes an id, sends it, and returns it", () => {
  const { client, socket } = connected();
  const one = client.subscribe("/topic/a", { ack: "client" });
  const two = client.subscribe("/topic/a", { id: "mine" });
  assert.equal(two, "mine");
  assert.deepEqual(socket.frames(), [
    ["SUBSCRIBE", { destination: "/topic/a", ack: "client", id: one }, ""],
    ["SUBSCRIBE", { destination: "/topic/a", id: "mine" }, ""],
  ]);
});

test("unsubscribe finds the id by destination, the newest first, or takes the id", () => {
  const { client, socket } = connected();
  const one = client.subscribe("/topic/a");
  const two = client.subscribe("/topic/a");
  const three = client.subscribe("/topic/b");
  client.subscribe("/topic/c", { id: "c" });
  socket.frames();
  client.unsubscribe("/topic/a");
  client.unsubscribe("/topic/a");
  client.unsubscribe(three);
  client.unsubscribe("/topic/c", { id: "c", receipt: "r" });
  client.unsubscribe("/topic/d");
  assert.deepEqual(
    socket.frames().map(([type, headers]) => [type, headers.destination, headers.id]),
    [
      ["UNSUBSCRIBE", "/topic/a", two],
      ["UNSUBSCRIBE", "/topic/a", one],
      ["UNSUBSCRIBE", "/topic/b", three],
      ["UNSUBSCRIBE", "/topic/c", "c"],
      ["UNSUBSCRIBE", "/topic/d", "/topic/d"],
    ],
  );
});

test("begin, commit and abort name their transaction", () => {
  const { client, socket } = connected();
  client.begin("t1");
  client.commit("t1", { receipt: "r" });
  client.abort("t2");
  assert.deepEqual(socket.frames(), [
    ["BEGIN", { transaction: "t1" }, ""],
    ["COMMIT", { receipt: "r", transaction: "t1" }, ""],
    ["ABORT", { transaction: "t2" }, ""],
  ]);
});

for (const [version, expected] of [
  ["1.0", { "message-id": "m" }],
  ["1.1", { "message-id": "m", subscription: "s" }],
  ["1.2", { id: "a" }],
]) {
  test(`ack and nack name a message as ${version} does`, () => {
    const { client, socket } = connected(version);
    let frame;
    client.onmessageframe = (one) => (frame = one);
    socket.receive("MESSAGE\nmessage-id:m\nsubscription:s\nack:a\n\n\0");
    client.ack(frame);
    client.nack(frame, { transaction: "t" });
    assert.deepEqual(socket.frames(version), [
      ["ACK", expected, ""],
      ["NACK", { ...expected, transaction: "t" }, ""],
    ]);
  });
}

test("ack says nothing where nothing is to be said, as it did of old", () => {
  const { client, socket } = connected();
  const id = client.subscribe("/topic/a");
  let frame;
  client.onmessageframe = (one) => (frame = one);
  socket.receive(`MESSAGE\nmessage-id:m\nsubscription:${id}\n\n\0`);
  client.ack();
  client.ack(frame);
  client.nack(frame);
  client.ack("m");
  assert.deepEqual(
    socket.frames().map(([type]) => type),
    ["SUBSCRIBE"],
  );
});

test("ack takes the id of a message in place of it", () => {
  const { client, socket } = connected();
  client.subscribe("/topic/a", { ack: "client-individual" });
  client.ack("7", { receipt: "r" });
  assert.deepEqual(socket.frames().at(-1), ["ACK", { id: "7", receipt: "r" }, ""]);
});

test("sendFrame sends anything, send_frame is its old name", () => {
  const { client, socket } = connected();
  client.sendFrame("PING", { a: "b" });
  client.send_frame("PONG", {}, "x");
  assert.deepEqual(
    socket.frames().map(([type, , body]) => [type, body]),
    [
      ["PING", ""],
      ["PONG", "x"],
    ],
  );
});

test("nothing can be sent before the socket is open, or after it is closed", () => {
  const { client } = make();
  assert.throws(() => client.send("x", "/topic/a"), /Invalid readyState/);
  client.connect("localhost", 61613);
  assert.throws(() => client.subscribe("/topic/a"), /Invalid readyState/);
  client.socket.connect();
  client.socket.readyState = 5;
  assert.throws(() => client.disconnect(), /Invalid readyState/);
});

test("a plain frame does not wait for CONNECTED", () => {
  const { client } = make();
  client.onopen = () => client.subscribe("/topic/a", { id: "1" });
  client.connect("localhost", 61613);
  client.socket.connect();
  assert.deepEqual(
    client.socket.frames().map(([type]) => type),
    ["CONNECT", "SUBSCRIBE"],
  );
});

for (const [version, written] of [
  ["1.0", "a:b"],
  ["1.2", "a\\cb"],
]) {
  test(`a header that versions write differently waits, and all behind it: ${version}`, () => {
    const { client } = make();
    client.connect("localhost", 61613);
    const { socket } = client;
    socket.connect();
    socket.frames();
    client.subscribe("a:b", { id: "1" });
    client.subscribe("plain", { id: "2" });
    assert.equal(socket.written.length, 0);
    socket.receive(`CONNECTED\nversion:${version}\n\n\0`);
    const text = new TextDecoder().decode(socket.written);
    assert.equal(
      text,
      `SUBSCRIBE\ndestination:${written}\nid:1\n\n\0SUBSCRIBE\ndestination:plain\nid:2\n\n\0`,
    );
  });
}

test("a frame that waited and cannot be written in the version is an error; the rest goes", () => {
  const { client } = make();
  const errors = [];
  client.onerror = (error) => errors.push(error.message);
  client.connect("localhost", 61613);
  const { socket } = client;
  socket.connect();
  socket.frames();
  client.send("x", "/topic/a", { note: "two\nlines" });
  client.subscribe("/topic/a");
  socket.receive("CONNECTED\n\n\0");
  assert.deepEqual(errors, ['header "note" cannot be sent in a SEND frame']);
  assert.deepEqual(
    socket.frames().map(([type]) => type),
    ["SUBSCRIBE"],
  );
});
