import assert from "node:assert/strict";
import { test } from "node:test";

import { LineProtocol } from "../../../../../orbited/static/protocols/stomp/lineprotocol.js";

function opened() {
  const heard = [];
  const socket = { close: () => heard.push("closed"), send: (data) => heard.push(["sent", data]) };
  const lines = new LineProtocol(socket);
  lines.onopen = () => heard.push("open");
  lines.onlinereceived = (line) => heard.push(line);
  lines.onrawdatareceived = (bytes) => heard.push(["raw", bytes]);
  lines.onerror = (error) => heard.push(error.message);
  lines.onclose = (code) => heard.push(code);
  socket.onopen();
  return { lines, socket, heard };
}

test("lines come whole, decoded, wherever the bytes were cut", () => {
  const { lines, socket, heard } = opened();
  for (const byte of "one\n\nh\xc3\xa9llo\nrest") socket.onread(byte);
  assert.deepEqual(heard, ["open", "one", "", "h\u00e9llo"]);
  lines.send("x");
  socket.onclose(201);
  assert.deepEqual(heard.slice(4), [["sent", "x"], 201]);
});

test("raw mode begins and ends in the middle of what was read", () => {
  const { lines, socket, heard } = opened();
  lines.onlinereceived = (line) => {
    heard.push(line);
    if (line === "raw") lines.setRawMode();
  };
  lines.onrawdatareceived = (bytes) => {
    heard.push(["raw", bytes.slice(0, 3)]);
    lines.setLineMode(bytes.slice(3));
  };
  socket.onread("raw\nabcline\nraw\nxyz");
  assert.deepEqual(heard, ["open", "raw", ["raw", "abc"], "line", "raw", ["raw", "xyz"]]);
});

test("a line without an end is an error, and closes", (context) => {
  const before = LineProtocol.maxLineBytes;
  context.after(() => (LineProtocol.maxLineBytes = before));
  LineProtocol.maxLineBytes = 10;
  const { socket, heard } = opened();
  socket.onread("0123456789");
  assert.deepEqual(heard, ["open"]);
  socket.onread("0");
  assert.deepEqual(heard.slice(1), ["a line is longer than 10", "closed"]);
});
