import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandSocket } from "../../../static/thywill/commands.js";
import { CONFIG, newPage, settle } from "./support/page.js";

/** A page that is connected, with a socket; `heard` has what its listeners were called with. */
async function connected(slow = []) {
  const { site, thywill } = newPage();
  const received = [];
  thywill.push.onReceipt = (message) => received.push(message);
  thywill.push.establishConnection = () => {};
  const socket = new CommandSocket(thywill);
  const heard = [];
  socket.onready = (isAgain) => heard.push(["ready", isAgain]);
  socket.onclose = (error) => heard.push(["close", error?.code]);
  const parameters = { ...CONFIG.bootstrap_parameters, slow_commands: slow };
  thywill.bootstrap.fn({ ...CONFIG, bootstrap_parameters: parameters });
  thywill.push.onNewConnection();
  thywill.push.onEstablishConnectionComplete();
  await settle();
  const listen = (key, once) =>
    socket.on(key, (answer, error) => heard.push([key, answer, error?.code]), once);
  return { site, thywill, socket, heard, listen, received };
}

test("onready is called when messages can go both ways, and again after an interruption", async () => {
  const { thywill, heard } = await connected();
  assert.deepEqual(heard, [["ready", false]]);
  thywill.push.onConnectionLost({ code: "connection-lost" });
  thywill.push.onNewConnection();
  thywill.push.onEstablishConnectionComplete();
  await settle();
  assert.deepEqual(heard, [
    ["ready", false],
    ["ready", true],
  ]);
});

test("each answer is heard under its key, an error as an error, and the promise has all", async () => {
  const { site, socket, heard, listen } = await connected();
  heard.length = 0;
  for (const key of ["draw", "dance", "name"]) listen(key);
  const reply = socket.send({ name: "Ada", draw: [1], dance: null });
  await settle();
  assert.deepEqual(site.last.body.message, { name: "Ada", draw: [1], dance: null });
  assert.equal("command" in site.last.body, false);
  const error = { code: "unknown-command", message: "No." };
  const answers = { name: { error: 5 }, draw: 7, dance: { error } };
  site.last.answer({ reply: answers });
  assert.deepEqual(await reply, answers);
  assert.deepEqual(heard, [
    ["name", { error: 5 }, undefined],
    ["draw", 7, undefined],
    ["dance", null, "unknown-command"],
  ]);
});

test("what is pushed is heard the same way, and what is not for commands goes on", async () => {
  const { thywill, heard, listen, received } = await connected();
  heard.length = 0;
  listen("drawn");
  thywill.push.onReceipt({ drawn: 5, other: 6 }, { event: null });
  thywill.push.onReceipt("text", { event: null });
  thywill.push.onReceipt({ drawn: 7 }, { event: "named" });
  assert.deepEqual(heard, [["drawn", 5, undefined]]);
  assert.deepEqual(received, ["text", { drawn: 7 }]);
});

test("once hears one, and what on() gives stops", async () => {
  const { thywill, heard, listen } = await connected();
  heard.length = 0;
  listen("a", true);
  const stop = listen("b");
  const push = (message) => thywill.push.onReceipt(message, { event: null });
  push({ a: 1, b: 1 });
  push({ a: 2, b: 2 });
  stop();
  push({ a: 3, b: 3 });
  assert.deepEqual(heard, [
    ["a", 1, undefined],
    ["b", 1, undefined],
    ["b", 2, undefined],
  ]);
});

test("an object that is refused as a whole is an error for each key", async () => {
  const { site, socket, heard, listen } = await connected();
  heard.length = 0;
  listen("a");
  listen("b");
  const reply = socket.send({ a: 1, b: 2 });
  await settle();
  site.last.refuse("invalid-message", "too many");
  await assert.rejects(reply, { code: "invalid-message" });
  assert.deepEqual(heard, [
    ["a", null, "invalid-message"],
    ["b", null, "invalid-message"],
  ]);
});

test("objects with a slow command wait for no other, and no other for them", async () => {
  const { site, socket, heard, listen } = await connected(["count"]);
  heard.length = 0;
  listen("count");
  listen("draw");
  socket.send({ count: null });
  socket.send({ draw: 1 });
  socket.send({ draw: 2 });
  await settle();
  const [slow, first] = site.requests;
  assert.equal(site.requests.length, 2);
  assert.deepEqual(slow.body.message, { count: null });
  assert.notEqual(slow.body.id, first.body.id);
  first.answer({ reply: { draw: 1 } });
  await settle();
  site.last.answer({ reply: { draw: 2 } });
  await settle();
  slow.answer({ reply: { count: 9 } });
  await settle();
  assert.deepEqual(
    heard.map(([key, answer]) => [key, answer]),
    [
      ["draw", 1],
      ["draw", 2],
      ["count", 9],
    ],
  );
});

test("how many slow objects are under way is bounded", async () => {
  const { site, socket } = await connected(["count"]);
  socket.maxBeside = 1;
  socket.send({ count: 1 });
  await assert.rejects(socket.send({ count: 2 }), { code: "queue-full" });
  site.last.answer({ reply: { count: 1 } });
  await settle();
  socket.send({ count: 3 });
  await settle();
  assert.deepEqual(site.last.body.message, { count: 3 });
});

test("onclose is called when the connection has ended", async () => {
  const { thywill, heard } = await connected();
  heard.length = 0;
  thywill.push.onConnectionRefused({ code: "disconnected", message: "x" });
  await settle();
  assert.equal(heard[0][0], "close");
});
