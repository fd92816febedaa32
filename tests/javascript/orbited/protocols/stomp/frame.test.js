import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { test } from "node:test";

import { encode, Frame, FrameError } from "../../../../../orbited/static/protocols/stomp/frame.js";
import { FrameParser } from "../../../../../orbited/static/protocols/stomp/parser.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (array) => new TextDecoder().decode(array);

function parser(version = "1.2", limits = undefined) {
  const made = new FrameParser(limits);
  made.version = version;
  return made;
}

const plain = ({ type, headers, body }) => [type, { ...headers }, body];

function parse(input, version = "1.2") {
  return [...parser(version).parse(typeof input === "string" ? bytes(input) : input)].map(plain);
}

// ---------------------------------------------------------------- writing

test("a frame is a command, headers, a blank line, a body and a NUL", () => {
  const frame = encode("SEND", { destination: "/topic/a", n: "1" }, bytes("hé"), "1.2");
  assert.equal(text(frame), "SEND\ndestination:/topic/a\nn:1\n\nhé\0");
});

for (const [version, expected] of [
  ["1.1", "SEND\na\\cb\\n:c\\\\\n\n\0"],
  ["1.2", "SEND\na\\cb\\n:c\\\\\n\n\0"],
]) {
  test(`headers are escaped as STOMP ${version} wants it`, () => {
    assert.equal(text(encode("SEND", { "a:b\n": "c\\" }, bytes(""), version)), expected);
  });
}

test("1.2 escapes the carriage return, 1.1 cannot send it", () => {
  assert.equal(text(encode("SEND", { a: "\r" }, bytes(""), "1.2")), "SEND\na:\\r\n\n\0");
  assert.throws(() => encode("SEND", { a: "\r" }, bytes(""), "1.1"), FrameError);
});

test("in 1.0 nothing is escaped, and what would break the frame is refused", () => {
  assert.equal(text(encode("SEND", { a: "b:c\\" }, bytes(""), "1.0")), "SEND\na:b:c\\\n\n\0");
  for (const headers of [{ a: "b\n" }, { "a:b": "c" }, { a: "\0" }, { "": "c" }]) {
    assert.throws(() => encode("SEND", headers, bytes(""), "1.0"), FrameError);
  }
});

test("CONNECT is not escaped in any version", () => {
  const frame = encode("CONNECT", { passcode: "a:b\\c" }, bytes(""), "1.2");
  assert.equal(text(frame), "CONNECT\npasscode:a:b\\c\n\n\0");
  assert.throws(() => encode("CONNECT", { login: "a\nadmin:1" }, bytes(""), "1.2"), FrameError);
});

test("what is written is read again, whatever the headers and the body hold", () => {
  const headers = { "a:b": "c\\d\ne\rf", é: "你好" };
  const body = Uint8Array.from({ length: 256 }, (_, index) => index);
  const length = { "content-length": "256" };
  const [frame] = [...parser().parse(encode("MESSAGE", { ...headers, ...length }, body, "1.2"))];
  assert.deepEqual({ ...frame.headers }, { ...headers, ...length });
  assert.deepEqual(frame.bytes, body);
});

// ---------------------------------------------------------------- reading

const STREAM =
  "\n\nCONNECTED\nversion:1.2\nsession:a\\b\n\n\0\n" +
  "MESSAGE\r\ndestination:/topic/a\\cb\r\nx: y \r\nx:second\r\n\r\nhéllo\0\n\r\n\n" +
  "MESSAGE\ncontent-length:3\n\n\0\n\0\0\n" +
  "RECEIPT\nreceipt-id:1\n\n\0";

const FRAMES = [
  ["CONNECTED", { version: "1.2", session: "a\\b" }, ""],
  ["MESSAGE", { destination: "/topic/a:b", x: " y " }, "héllo"],
  ["MESSAGE", { "content-length": "3" }, "\0\n\0"],
  ["RECEIPT", { "receipt-id": "1" }, ""],
];

test("frames are read in one piece, with line ends between them", () => {
  assert.deepEqual(parse(STREAM), FRAMES);
});

test("frames come out the same, wherever the stream is cut in two", () => {
  const all = bytes(STREAM);
  for (let cut = 0; cut <= all.length; cut++) {
    const halves = parser();
    const frames = [...halves.parse(all.subarray(0, cut)), ...halves.parse(all.subarray(cut))];
    assert.deepEqual(frames.map(plain), FRAMES, `cut at ${cut}`);
  }
});

test("frames come out the same, byte by byte and in random pieces", () => {
  const all = bytes(STREAM);
  let seed = 7;
  for (let round = 0; round < 300; round++) {
    const pieces = parser();
    const frames = [];
    for (let at = 0; at < all.length;) {
      seed = (seed * 48271) % 2147483647;
      const size = round === 0 ? 1 : 1 + (seed % 30);
      frames.push(...pieces.parse(all.subarray(at, at + size)));
      at += size;
    }
    assert.deepEqual(frames.map(plain), FRAMES);
  }
});

test("a body without content-length ends at the first NUL", () => {
  assert.deepEqual(parse("MESSAGE\n\nab\0\n\n"), [["MESSAGE", {}, "ab"]]);
});

for (const [version, value] of [
  ["1.0", "second"],
  ["1.1", "first"],
  ["1.2", "first"],
]) {
  test(`of a repeated header the ${value} one counts in ${version}`, () => {
    const [[, headers]] = parse("MESSAGE\na:first\na:second\n\n\0", version);
    assert.equal(headers.a, value);
  });
}

test("blanks around names and values go in 1.0 and stay later", () => {
  assert.deepEqual(parse("MESSAGE\n a : b \n\n\0", "1.0")[0][1], { a: "b" });
  assert.deepEqual(parse("MESSAGE\n a : b \n\n\0", "1.2")[0][1], { " a ": " b " });
});

test("in 1.0 a backslash is a backslash", () => {
  assert.deepEqual(parse("MESSAGE\na:b\\n\\x\n\n\0", "1.0")[0][1], { a: "b\\n\\x" });
});

test("names that objects have by themselves are headers like others", () => {
  const [, headers] = parse("MESSAGE\nconstructor:a\ntoString:b\n\n\0")[0];
  assert.deepEqual(headers, { constructor: "a", toString: "b" });
  const [frame] = [...parser().parse(bytes("MESSAGE\n__proto__:c\n\n\0"))];
  assert.equal(frame.headers["__proto__"], "c");
});

test("a body that is no UTF-8 is text with U+FFFD, and bytes as they came", () => {
  const frame = new Frame("MESSAGE", {}, new Uint8Array([0x61, 0xff]));
  assert.equal(frame.body, "a\ufffd");
  assert.deepEqual([...frame.bytes], [0x61, 0xff]);
});

for (const [what, input, version = "1.2"] of [
  ["a header without a colon", "MESSAGE\nabc\n\n\0"],
  ["an escape that is none", "MESSAGE\na:\\t\n\n\0"],
  ["a backslash at the end of a header", "MESSAGE\na:b\\\n\n\0"],
  ["an escape that 1.1 does not have", "MESSAGE\na:\\r\n\n\0", "1.1"],
  ["a content-length that is no number", "MESSAGE\ncontent-length:x\n\n\0"],
  ["a negative content-length", "MESSAGE\ncontent-length:-1\n\n\0"],
  ["an empty content-length", "MESSAGE\ncontent-length:\n\n\0"],
  ["a content-length that is too small", "MESSAGE\ncontent-length:1\n\nab\0"],
  ["a content-length above the limit", "MESSAGE\ncontent-length:99999999999\n\n"],
]) {
  test(`what is not STOMP is refused: ${what}`, () => {
    assert.throws(() => parse(input, version), FrameError);
  });
}

const LIMITS = { maxHeaders: 3, maxHeaderBytes: 40, maxBodyBytes: 10 };

for (const [what, input] of [
  ["too many headers", "MESSAGE\na:1\nb:1\nc:1\nd:1\n"],
  ["a head that is too long", `MESSAGE\na:${"x".repeat(40)}`],
  ["a command without end", "X".repeat(41)],
  ["a body without end", `MESSAGE\n\n${"x".repeat(11)}`],
  ["a body that is too long", `MESSAGE\n\n${"x".repeat(11)}\0`],
]) {
  test(`a limit is a limit, wherever the stream is cut: ${what}`, () => {
    for (let cut = 0; cut <= input.length; cut++) {
      const limited = parser("1.2", LIMITS);
      assert.throws(() => {
        for (const piece of [input.slice(0, cut), input.slice(cut)]) {
          for (const frame of limited.parse(bytes(piece))) assert.fail(`got ${frame.type}`);
        }
      }, FrameError);
    }
  });
}

test("what is within the limits passes, frame after frame", () => {
  const limited = parser("1.2", LIMITS);
  const frame = `MESSAGE\na:1\nb:1\nc:1\n\n${"x".repeat(10)}\0\n`;
  assert.equal([...limited.parse(bytes(frame.repeat(20)))].length, 20);
});

test("twenty thousand small frames in one piece do not overflow the stack", () => {
  const frames = parse("MESSAGE\na:1\n\nx\0\n".repeat(20_000));
  assert.equal(frames.length, 20_000);
});

test("a large body in many pieces is read in time that grows with its size only", () => {
  const slow = parser();
  const body = "x".repeat(3_000_000);
  const all = bytes(`MESSAGE\n\n${body}\0`);
  const begin = cpuUsage();
  const frames = [];
  for (let at = 0; at < all.length; at += 500) {
    frames.push(...slow.parse(all.subarray(at, at + 500)));
  }
  assert.equal(frames[0].body.length, 3_000_000);
  assert.ok(cpuUsage(begin).user < 2_000_000);
});
