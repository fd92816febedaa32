import assert from "node:assert/strict";
import { test } from "node:test";

import { PacketParser } from "../../../../orbited/static/comet/packets.js";
import { TCPSocket } from "../../../../orbited/static/comet/tcpsocket.js";
import { FakePlatform, freshSettings, settle } from "../support/platform.js";

const BEGIN = "11,113,opt014,pingTimeout,3011,213,opt015,pingInterval,3011,204,open";
const base64 = (content) => Buffer.from(content).toString("base64");
const data = (id, content) => {
  const text = base64(content);
  return `1${String(id).length},${id}14,data0${text.length},${text}`;
};

/** What the page has POSTed, as bytes in a string. */
function posted(platform) {
  const parser = new PacketParser({ isBase64: true, maxArgumentBytes: 1e7 });
  return [...parser.parse(new TextEncoder().encode(platform.post.body))].map(
    ({ name, data: bytes }) => [name, Buffer.from(bytes).toString("latin1")],
  );
}

function make() {
  const platform = new FakePlatform();
  class Socket extends TCPSocket {
    static settings = freshSettings({ transports: ["longpoll"] });
    static platform = platform;
  }
  const socket = new Socket();
  const heard = [];
  socket.onopen = () => heard.push("open");
  socket.onread = (content) => heard.push(content);
  socket.onclose = (code) => heard.push(code);
  return { platform, socket, heard };
}

/** A socket whose server has a session for it and waits for the handshake. */
async function asked(isBinary) {
  const all = make();
  all.socket.open("localhost", 61613, isBinary);
  await all.platform.request("/tcp").respond(200, "key");
  await all.platform.request("/longpoll").respond(200, BEGIN);
  return all;
}

async function opened(isBinary) {
  const all = await asked(isBinary);
  await all.platform.post.respond(200, "OK");
  await all.platform.request("/longpoll").respond(200, data(3, "1"));
  assert.deepEqual(all.heard, ["open"]);
  all.heard.length = 0;
  return all;
}

test("a socket has a number, a name, and the constants of its states", () => {
  const [one, two] = [make().socket, make().socket];
  assert.equal(two.id, one.id + 1);
  assert.equal(String(two), `<Orbited.TCPSocket ${two.id}>`);
  assert.equal(one.readyState, one.READY_STATE_INITIALIZED);
  const names = ["INITIALIZED", "OPENING", "OPEN", "CLOSING", "CLOSED"];
  assert.deepEqual(
    names.map((name) => one[`READY_STATE_${name}`]),
    [1, 2, 3, 4, 5],
  );
  assert.equal(one.transport, null);
});

test("the constructor takes no arguments", () => {
  assert.throws(() => new TCPSocket("localhost"), /no arguments/);
});

test("the handshake names host and port, in a packet of its own", async () => {
  const { platform, socket } = await asked();
  assert.deepEqual(posted(platform), [["data", "localhost:61613\n"]]);
  assert.equal(socket.readyState, 2);
});

for (const [host, line] of [
  ["::1", "[::1]:80\n"],
  ["[::1]", "[::1]:80\n"],
  ["example.test", "example.test:80\n"],
]) {
  test(`the handshake has brackets around an IPv6 address: ${host}`, async () => {
    const { platform, socket } = make();
    socket.open(host, 80);
    await platform.request("/tcp").respond(200, "key");
    await platform.request("/longpoll").respond(200, BEGIN);
    assert.deepEqual(posted(platform), [["data", line]]);
  });
}

test("a 1 opens the socket", async () => {
  const { socket } = await opened();
  assert.equal(socket.readyState, 3);
  assert.equal(socket.transport, "longpoll");
});

test("what comes in the packet behind the 1 is not lost", async () => {
  const { platform, heard } = await asked();
  await platform.request("/longpoll").respond(200, data(3, "1hello"));
  assert.deepEqual(heard, ["open", "hello"]);
});

for (const code of [102, 104, 106, 108]) {
  test(`a 0 and a code close the socket with that code: ${code}`, async () => {
    const { platform, socket, heard } = await asked();
    await platform.post.respond(200, "OK");
    await platform
      .request("/longpoll")
      .respond(200, `${data(3, `0${code}`)}11,415,close014,loseConnection`);
    assert.deepEqual(heard, [code]);
    assert.equal(socket.readyState, 5);
    assert.match(platform.last[0].url, /\?ack=4$/); // the server need not wait any longer
    assert.equal(platform.timers, 0);
  });
}

test("an answer without sense closes the socket with 102, and the session on the server", async () => {
  const { platform, heard } = await asked();
  await platform.post.respond(200, "OK");
  await platform.request("/longpoll").respond(200, data(3, "hello"));
  assert.deepEqual(heard, [102]);
  assert.deepEqual(posted(platform), [["close", ""]]);
});

for (const [what, values] of [
  ["no host", ["", 80]],
  ["host false", [false, 80]],
  ["no port", ["localhost"]],
  ["an empty port", ["localhost", ""]],
  ["a port that is no number", ["localhost", "http"]],
]) {
  test(`open refuses ${what}`, () => {
    const { platform, socket } = make();
    assert.throws(() => socket.open(...values), Error);
    assert.equal(socket.readyState, 1);
    assert.equal(platform.requests.length, 0);
  });
}

test("open works once, send only while the socket is open", async () => {
  const { socket } = await asked();
  assert.throws(() => socket.open("localhost", 80), /Invalid readyState/);
  assert.throws(() => socket.send("x"), /Invalid readyState/);
  socket.close();
  assert.throws(() => socket.send("x"), /Invalid readyState/);
});

test("callbacks may be set after open, in the same turn", async () => {
  const { platform, socket } = make();
  socket.open("localhost", "61613");
  let isOpen = false;
  socket.onopen = () => (isOpen = true);
  await platform.request("/tcp").respond(200, "key");
  await platform.request("/longpoll").respond(200, BEGIN + data(3, "1"));
  assert.equal(isOpen, true);
});

test("text goes up as UTF-8, characters beyond U+FFFF in four bytes", async () => {
  const { platform, socket } = await opened();
  socket.send("é😀");
  await settle();
  assert.deepEqual(posted(platform), [["data", "\xc3\xa9\xf0\x9f\x98\x80"]]);
});

test("text that is cut inside a character comes out whole", async () => {
  const { platform, heard } = await opened();
  const bytes = Buffer.from("a😀b");
  await platform.request("/longpoll").respond(200, data(4, bytes.subarray(0, 3)));
  await platform.request("/longpoll").respond(200, data(5, bytes.subarray(3)));
  assert.deepEqual(heard, ["a", "😀b"]);
});

test("in binary mode a string has a character for each byte, both ways", async () => {
  const { platform, socket, heard } = await opened(true);
  socket.send("\x00\xff\x80");
  await settle();
  assert.deepEqual(posted(platform), [["data", "\x00\xff\x80"]]);
  assert.throws(() => socket.send("\u0100"), RangeError);
  await platform.request("/longpoll").respond(200, data(4, Buffer.from([0, 255, 128])));
  assert.deepEqual(heard, ["\x00\xff\x80"]);
});

test("in bytes mode there are arrays, both ways", async () => {
  const { platform, socket, heard } = await opened("bytes");
  const mine = new Uint8Array([0, 255, 128]);
  socket.send(mine);
  mine.fill(7);
  await settle();
  assert.deepEqual(posted(platform), [["data", "\x00\xff\x80"]]);
  await platform.request("/longpoll").respond(200, data(4, Buffer.from([1, 2])));
  assert.deepEqual(heard, [new Uint8Array([1, 2])]);
});

test("a remote close closes the socket with 201, once", async () => {
  const { platform, socket, heard } = await opened();
  await platform.request("/longpoll").respond(200, "11,415,close014,loseConnection");
  assert.deepEqual(heard, [201]);
  assert.equal(socket.readyState, 5);
  socket.close();
  socket.reset();
  await settle();
  assert.deepEqual(heard, [201]);
});

test("close is told with 103 in a later turn, also when the socket was never open", async () => {
  for (const { socket, heard } of [make(), await asked(), await opened()]) {
    socket.close();
    assert.deepEqual(heard, []);
    assert.equal(socket.readyState, 5);
    await settle();
    assert.deepEqual(heard, [103]);
    socket.close();
    await settle();
    assert.deepEqual(heard, [103]);
  }
});

test("onread is silent after close, even when data is there already", async () => {
  const { platform, socket, heard } = await opened();
  socket.onread = (content) => {
    heard.push(content);
    socket.close();
  };
  await platform.request("/longpoll").respond(200, data(4, "one") + data(5, "two"));
  assert.deepEqual(heard, ["one", 103]);
});

test("reset closes at once with 103, and does nothing before open", async () => {
  const unborn = make();
  unborn.socket.reset();
  await settle();
  assert.deepEqual(unborn.heard, []);
  assert.equal(unborn.socket.readyState, 1);
  const { platform, socket, heard } = await opened();
  socket.send("never");
  socket.reset();
  await settle();
  assert.deepEqual(heard, [103]);
  assert.match(platform.last[0].body, /^11,.05,close$/);
});

test("kill closes with the code of a test, 301", async () => {
  const { socket, heard } = await opened();
  socket.kill();
  await settle();
  assert.deepEqual(heard, [301]);
});

test("exceptions in callbacks are reported and leave the socket usable", async (context) => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  context.after(() => delete globalThis.reportError);
  const { platform, socket, heard } = await asked();
  socket.onopen = () => {
    throw new Error("in onopen");
  };
  socket.onread = (content) => {
    heard.push(content);
    throw new Error("in onread");
  };
  socket.onclose = () => {
    throw new Error("in onclose");
  };
  socket.ontransport = () => {};
  await platform.request("/longpoll").respond(200, data(3, "1") + data(4, "a") + data(5, "b"));
  socket.close();
  await settle();
  assert.deepEqual(heard, ["a", "b"]);
  assert.deepEqual(reported, ["in onopen", "in onread", "in onread", "in onclose"]);
});

test("without reportError the console gets the exception", async (context) => {
  const errors = context.mock.method(console, "error", () => {});
  const { socket } = await opened();
  socket.onclose = () => {
    throw new Error("in onclose");
  };
  socket.close();
  await settle();
  assert.equal(errors.mock.calls[0].arguments[0].message, "in onclose");
});
