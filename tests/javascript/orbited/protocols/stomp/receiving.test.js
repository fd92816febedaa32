import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { settle } from "../../support/platform.js";
import { connected, FakeSocket, make } from "../../support/stomp.js";

beforeEach(() => {
  globalThis.TCPSocket = FakeSocket;
});

// ---------------------------------------------------------------- receiving

test("each kind of frame has its callback, with type, headers and body", () => {
  const { client, socket } = connected();
  const heard = [];
  for (const name of ["connected", "message", "receipt", "error"]) {
    client[`on${name}frame`] = ({ type, headers, body }) =>
      heard.push([name, type, { ...headers }, body]);
  }
  socket.receive(
    "MESSAGE\na:b\n\nhé\0\nRECEIPT\nreceipt-id:1\n\n\0\nERROR\nmessage:no\n\nsorry\0\n",
  );
  assert.deepEqual(heard, [
    ["message", "MESSAGE", { a: "b" }, "hé"],
    ["receipt", "RECEIPT", { "receipt-id": "1" }, ""],
    ["error", "ERROR", { message: "no" }, "sorry"],
  ]);
});

test("onmessage is the old name of onmessageframe", () => {
  const { client, socket } = connected();
  const heard = [];
  client.onmessage = ({ body }) => heard.push(body);
  socket.receive("MESSAGE\n\nold\0");
  assert.deepEqual(heard, ["old"]);
});

test("a page that sets onframe gets every frame, and does the rest itself", () => {
  const { client, socket } = connected();
  const heard = [];
  client.onmessageframe = () => heard.push("not called");
  client.onframe = ({ type }) => heard.push(type);
  socket.receive("MESSAGE\n\nx\0RECEIPT\nreceipt-id:1\n\n\0");
  assert.deepEqual(heard, ["MESSAGE", "RECEIPT"]);
});

test("an unknown frame is an error, and the connection goes on", () => {
  const { client, socket } = connected();
  const heard = [];
  client.onerror = (error) => heard.push(error.message);
  client.onmessageframe = ({ body }) => heard.push(body);
  socket.receive("PONG\n\n\0MESSAGE\n\nx\0");
  assert.deepEqual(heard, ["unknown frame: PONG", "x"]);
});

test("bytes that are not STOMP are an error and close the connection", async () => {
  const { client, socket } = connected();
  const heard = [];
  client.onmessageframe = ({ body }) => heard.push(body);
  client.onerror = (error) => heard.push(error.message);
  client.onclose = (code) => heard.push(code);
  socket.receive("MESSAGE\n\nx\0MESSAGE\nnonsense\n\n\0MESSAGE\n\ny\0");
  await settle();
  assert.deepEqual(heard, ["x", "a header has no colon: nonsense", 103]);
});

test("a limit given to connect is kept", async () => {
  const { client } = make();
  const heard = [];
  client.onerror = (error) => heard.push(error.message);
  const limits = { maxHeaders: 10, maxHeaderBytes: 100, maxBodyBytes: 3 };
  client.connect("localhost", 61613, "a", "b", { limits });
  client.socket.connect();
  client.socket.receive("CONNECTED\nversion:1.2\n\n\0MESSAGE\n\nlong\0");
  await settle();
  assert.deepEqual(heard, ["a body exceeds 3 bytes"]);
});

test("an exception in a callback is reported, and the next frame delivered", (context) => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  context.after(() => delete globalThis.reportError);
  const { client, socket } = connected();
  let count = 0;
  client.onmessageframe = () => {
    count += 1;
    throw new Error("mistake");
  };
  socket.receive("MESSAGE\n\nx\0MESSAGE\n\ny\0");
  assert.equal(count, 2);
  assert.deepEqual(reported, ["mistake", "mistake"]);
});

test("a client that resets while it reads gets nothing more", async () => {
  const { client, socket } = connected();
  const heard = [];
  client.onmessageframe = ({ body }) => {
    heard.push(body);
    client.reset();
  };
  client.onclose = (code) => heard.push(code);
  socket.receive("MESSAGE\n\nx\0MESSAGE\n\ny\0");
  await settle();
  assert.deepEqual(heard, ["x", 103]);
  assert.equal(socket.isReset, true);
});

// ---------------------------------------------------------------- ending

test("disconnect asks for a receipt and closes when it has come; the page does not see it", async () => {
  const { client, socket } = connected();
  const heard = [];
  client.onreceiptframe = () => heard.push("receipt");
  client.onclose = (code) => heard.push(code);
  client.disconnect();
  const [[type, { receipt }]] = socket.frames();
  assert.equal(type, "DISCONNECT");
  socket.receive(`RECEIPT\nreceipt-id:${receipt}\n\n\0`);
  await settle();
  assert.deepEqual(heard, [103]);
});

test("a receipt that the page has asked for is its own", async () => {
  const { client, socket } = connected();
  const heard = [];
  client.onreceiptframe = ({ headers }) => heard.push(headers["receipt-id"]);
  client.disconnect({ receipt: "bye" });
  socket.receive("RECEIPT\nreceipt-id:bye\n\n\0");
  await settle();
  assert.deepEqual(heard, ["bye"]);
});

test("disconnect closes by itself when the server does not", async () => {
  const { client, platform } = connected();
  const heard = [];
  client.onclose = (code) => heard.push(code);
  client.disconnect();
  await platform.advance(5000);
  assert.deepEqual(heard, [103]);
  assert.equal(platform.timers, 0);
});

test("the socket's code reaches onclose, and the client may connect again", async () => {
  const { client, socket } = connected();
  const codes = [];
  client.onclose = (code) => codes.push(code);
  client.subscribe("/topic/a");
  socket.kill(201);
  await settle();
  assert.deepEqual(codes, [201]);
  assert.equal(client.version, null);
  client.connect("localhost", 61613, "again", "x");
  client.socket.connect();
  assert.notEqual(client.socket, socket);
  assert.equal(client.socket.frames()[0][1].login, "again");
  client.socket.receive("CONNECTED\nversion:1.1\n\n\0");
  assert.equal(client.version, "1.1");
});

test("onclose of an older connection is not heard", async () => {
  const { client, socket } = connected();
  const codes = [];
  client.onclose = (code) => codes.push(code);
  client.connect("localhost", 61613);
  socket.kill(201);
  await settle();
  assert.deepEqual(codes, []);
});
