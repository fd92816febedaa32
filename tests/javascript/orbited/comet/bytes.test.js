import assert from "node:assert/strict";
import { test } from "node:test";

import * as base64 from "../../../../orbited/static/comet/base64.js";
import { ByteBuffer } from "../../../../orbited/static/comet/bytebuffer.js";
import * as utf8 from "../../../../orbited/static/comet/utf8.js";

const ALL = Uint8Array.from({ length: 256 }, (_, index) => index);

test("every byte survives base64, in pieces of every remainder of three", () => {
  for (const length of [0, 1, 2, 3, 254, 255, 256]) {
    const bytes = ALL.subarray(0, length);
    assert.deepEqual(base64.decode(base64.encode(bytes)), bytes);
    assert.equal(base64.encode(bytes), Buffer.from(bytes).toString("base64"));
  }
});

test("a megabyte is not too much for a call of String.fromCharCode", () => {
  const bytes = new Uint8Array(1_000_001).fill(200);
  assert.equal(base64.toByteString(bytes).length, 1_000_001);
});

test("a character that is no byte is refused", () => {
  assert.throws(() => base64.fromByteString("a\u0100"), RangeError);
});

test("text is real UTF-8, four bytes beyond U+FFFF", () => {
  assert.deepEqual([...utf8.encode("😀")], [0xf0, 0x9f, 0x98, 0x80]);
  assert.equal(utf8.decode(utf8.encode("héllo 你好 😀")), "héllo 你好 😀");
});

test("a character that is cut anywhere comes out whole", () => {
  const bytes = utf8.encode("a😀é你b");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoder = new utf8.StreamDecoder();
    const text = decoder.decode(bytes.subarray(0, cut)) + decoder.decode(bytes.subarray(cut));
    assert.equal(text, "a😀é你b");
  }
});

test("a byte order mark is text like any other", () => {
  assert.equal(utf8.decode(utf8.encode("\ufeffa")), "\ufeffa");
});

test("a buffer gives back what it was given, in whatever pieces", () => {
  const buffer = new ByteBuffer();
  const [pushed, taken] = [[], []];
  let seed = 1;
  const next = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
  for (let turn = 0; turn < 2000; turn++) {
    const piece = Uint8Array.from({ length: next(50) }, () => next(256));
    buffer.push(piece);
    pushed.push(...piece);
    taken.push(...buffer.take(Math.min(next(50), buffer.length)));
    assert.equal(buffer.length, pushed.length - taken.length);
  }
  taken.push(...buffer.take(buffer.length));
  assert.deepEqual(taken, pushed);
});

test("a byte is found at its offset, behind what was taken", () => {
  const buffer = new ByteBuffer();
  buffer.push(utf8.encode("xxab\ncd\n"));
  buffer.skip(2);
  assert.equal(buffer.indexOf(0x0a), 2);
  assert.equal(buffer.indexOf(0x0a, 3), 5);
  assert.equal(buffer.indexOf(0x0a, 6), -1);
  assert.equal(buffer.at(0), "a".charCodeAt(0));
});

test("what was taken does not change when more is pushed", () => {
  const buffer = new ByteBuffer();
  buffer.push(new Uint8Array([1, 2, 3]));
  const taken = buffer.take(3);
  buffer.push(new Uint8Array([9, 9, 9]));
  assert.deepEqual([...taken], [1, 2, 3]);
});

test("what is left in a buffer is not found by a search beyond its end", () => {
  const buffer = new ByteBuffer();
  buffer.push(new Uint8Array([7, 7, 7]));
  buffer.take(3);
  assert.equal(buffer.indexOf(7), -1);
});
