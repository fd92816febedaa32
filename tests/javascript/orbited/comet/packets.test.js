import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { test } from "node:test";

import { PacketError } from "../../../../orbited/static/comet/errors.js";
import {
  encodeBytes,
  encodeText,
  fromTexts,
  PacketParser,
} from "../../../../orbited/static/comet/packets.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (array) => new TextDecoder().decode(array);
const packet = (id, name, data = "") => ({ id, name, data: bytes(data) });

function parser({ isBase64 = true, maxArgumentBytes = 1000 } = {}) {
  return new PacketParser({ isBase64, maxArgumentBytes });
}

const read = (all) => all.map(({ id, name, data }) => [id, name, text(data)]);

const STREAM = `${" ".repeat(256)}11,113,opt014,pingTimeout,3011,213,opt015,pingInterval,30\
11,204,openx11,314,data04,MQ==x 11,414,data08,aGVsbG8=11,514,ping00,11,615,close014,loseConnection`;

const PACKETS = [
  [1, "opt", "pingTimeout,30"],
  [2, "opt", "pingInterval,30"],
  [2, "open", ""],
  [3, "data", "1"],
  [4, "data", "hello"],
  [5, "ping", ""],
  [6, "close", "loseConnection"],
];

test("a POST body has data in base64, an empty third argument for ping, and none for close", () => {
  const body = encodeText([packet(1, "data", "hello"), packet(12, "ping"), packet(13, "close")]);
  assert.equal(body, "11,114,data08,aGVsbG8=12,1214,ping00,12,1305,close");
});

test("a WebSocket message has data as it is", () => {
  const message = encodeBytes([
    { id: 1, name: "data", data: new Uint8Array([0, 255, 44]) },
    packet(0, "ack", "7"),
    packet(2, "close"),
  ]);
  const expected = [...bytes("11,114,data03,"), 0, 255, 44, ...bytes("11,013,ack01,711,205,close")];
  assert.deepEqual([...message], expected);
});

test("packets come out of a stream in one piece, with padding and heartbeats between them", () => {
  const whole = parser();
  assert.deepEqual(read([...whole.parse(bytes(STREAM))]), PACKETS);
  assert.equal(whole.isAtBoundary, true);
});

test("packets come out the same, wherever the stream is cut in two", () => {
  const all = bytes(STREAM);
  for (let cut = 0; cut <= all.length; cut++) {
    const halves = parser();
    const packets = [...halves.parse(all.subarray(0, cut)), ...halves.parse(all.subarray(cut))];
    assert.deepEqual(read(packets), PACKETS, `cut at ${cut}`);
  }
});

test("packets come out the same, byte by byte", () => {
  const slow = parser();
  const packets = [...bytes(STREAM)].flatMap((byte) => [...slow.parse(new Uint8Array([byte]))]);
  assert.deepEqual(read(packets), PACKETS);
});

test("a stream is at a boundary only between packets", () => {
  const half = parser();
  assert.equal(half.isAtBoundary, true);
  for (const piece of ["1", "1,5", "14,data08,aGVs"]) {
    assert.deepEqual([...half.parse(bytes(piece))], []);
    assert.equal(half.isAtBoundary, false);
  }
  assert.deepEqual(read([...half.parse(bytes("bG8= xx"))]), [[5, "data", "hello"]]);
  assert.equal(half.isAtBoundary, true);
});

test("data of a WebSocket message is not decoded, whatever it looks like", () => {
  const message = encodeBytes([packet(1, "data", "aGVsbG8="), packet(2, "data", "11,1x")]);
  const packets = [...parser({ isBase64: false }).parse(message)];
  assert.deepEqual(read(packets), [
    [1, "data", "aGVsbG8="],
    [2, "data", "11,1x"],
  ]);
});

for (const [what, input] of [
  ["a flag that is neither 0 nor 1", "21,1"],
  ["no length", "1,"],
  ["a length that is not decimal", "1+1,1"],
  ["a length with blanks", "1 1,1"],
  ["a length of many digits", "100000000001,1"],
  ["an argument above the limit", "11001,"],
  ["an id that is no number", "11,a04,open"],
  ["an empty id", "10,04,open"],
  ["a packet without a name", "01,1"],
  ["a packet with an empty name", "11,100,"],
  ["data that is not base64", "11,114,data03,a*b"],
  ["arguments without end", "11,1".repeat(9)],
]) {
  test(`what is not a packet is refused: ${what}`, () => {
    assert.throws(() => [...parser().parse(bytes(input))], PacketError);
  });
}

test("packets before a broken one are delivered", () => {
  const seen = [];
  assert.throws(() => {
    for (const one of parser().parse(bytes("11,104,open???"))) seen.push(one.name);
  }, PacketError);
  assert.deepEqual(seen, ["open"]);
});

test("a large packet in many pieces is read in time that grows with its size only", () => {
  const body = bytes(`11,114,data0400000,${"QUFB".repeat(100_000)}`);
  const large = parser({ maxArgumentBytes: 400_000 });
  const packets = [];
  const begin = cpuUsage();
  for (let at = 0; at < body.length; at += 100) {
    packets.push(...large.parse(body.subarray(at, at + 100)));
  }
  assert.equal(packets[0].data.length, 300_000);
  assert.ok(cpuUsage(begin).user < 2_000_000);
});

for (const value of [null, "1", [], ["1"], [1, "open"], ["1", "open", 7], ["x", "open"]]) {
  test(`an event that is not a packet is refused: ${JSON.stringify(value)}`, () => {
    assert.throws(() => fromTexts(value), PacketError);
  });
}
