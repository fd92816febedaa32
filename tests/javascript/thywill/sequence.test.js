import assert from "node:assert/strict";
import { test } from "node:test";
import { Sequence } from "../../../static/thywill/sequence.js";

const message = (offset, epoch = "e") => ({
  epoch,
  offset,
  event: "said",
  data: offset,
  replayed: false,
});
const answer = (offsets, { epoch = "e", offset, recovered = true } = {}) => ({
  epoch,
  offset: offset ?? offsets.at(-1) ?? 0,
  recovered,
  messages: offsets.map((each) => ({ offset: each, event: "said", data: each })),
});
const offsets = (messages) => messages.map((each) => each.offset);

/** A sequence that has messages up to an offset. */
function at(offset, epoch = "e") {
  const sequence = new Sequence();
  sequence.answer(answer([], { epoch, offset, recovered: null }));
  return sequence;
}

test("what comes in order is delivered at once", () => {
  const sequence = at(4);
  assert.deepEqual(offsets(sequence.take(message(5))), [5]);
  assert.deepEqual(offsets(sequence.take(message(6))), [6]);
  assert.deepEqual(sequence.cursor, { epoch: "e", offset: 6 });
  assert.equal(sequence.hasGap, false);
});

test("what comes again is dropped", () => {
  const sequence = at(4);
  sequence.take(message(5));
  assert.deepEqual(sequence.take(message(5)), []);
  assert.deepEqual(sequence.take(message(1)), []);
  assert.equal(sequence.hasGap, false);
});

test("what comes early waits for those before it, in whatever order they come", () => {
  const sequence = at(0);
  assert.deepEqual(sequence.take(message(3)), []);
  assert.deepEqual(sequence.take(message(2)), []);
  assert.deepEqual(sequence.take(message(3)), []);
  assert.equal(sequence.hasGap, true);
  assert.deepEqual(offsets(sequence.take(message(1))), [1, 2, 3]);
  assert.equal(sequence.hasGap, false);
});

test("an answer fills the gap, and drops what was delivered meanwhile", () => {
  const sequence = at(1);
  sequence.take(message(4));
  sequence.take(message(2));
  const { isWhole, messages } = sequence.answer(answer([2, 3]));
  assert.equal(isWhole, true);
  assert.deepEqual(offsets(messages), [3, 4]);
  assert.deepEqual(
    messages.map((each) => each.replayed),
    [true, false],
  );
});

test("before the first answer everything is held, and then what follows it", () => {
  const sequence = new Sequence();
  assert.deepEqual(sequence.take(message(7)), []);
  assert.deepEqual(sequence.take(message(8)), []);
  const { messages } = sequence.answer(answer([6, 7], { recovered: null }));
  assert.deepEqual(offsets(messages), [6, 7, 8]);
});

test("the first message of a channel that had none begins its epoch", () => {
  const sequence = at(0, "");
  assert.deepEqual(sequence.cursor, { epoch: "", offset: 0 });
  assert.deepEqual(offsets(sequence.take(message(1, "new"))), [1]);
  const { messages } = sequence.answer(answer([], { epoch: "", offset: 0 })); // asked before it
  assert.deepEqual(messages, []);
  assert.deepEqual(sequence.cursor, { epoch: "new", offset: 1 });
});

test("an answer begins the epoch of a channel that had none", () => {
  const sequence = at(0, "");
  assert.deepEqual(sequence.take(message(2, "new")), []);
  assert.equal(sequence.hasGap, true);
  assert.deepEqual(offsets(sequence.answer(answer([1, 2], { epoch: "new" })).messages), [1, 2]);
  assert.deepEqual(sequence.cursor, { epoch: "new", offset: 2 });
});

test("another epoch is asked about, and begins with its answer", () => {
  const sequence = at(9);
  assert.deepEqual(sequence.take(message(1, "new")), []);
  assert.equal(sequence.hasGap, true);
  const { isWhole, messages } = sequence.answer(answer([1, 2], { epoch: "new", recovered: false }));
  assert.equal(isWhole, false);
  assert.deepEqual(offsets(messages), [1, 2]);
  assert.equal(sequence.hasGap, false);
});

test("after a hole the sequence goes on with what is left", () => {
  const sequence = at(3);
  sequence.take(message(9));
  const { isWhole, messages } = sequence.answer(answer([7, 8], { recovered: false }));
  assert.equal(isWhole, false);
  assert.deepEqual(offsets(messages), [7, 8, 9]);
});

test("a snapshot's position drops what was held before it", () => {
  const sequence = at(3);
  sequence.take(message(6));
  sequence.take(message(9));
  const { isWhole, messages } = sequence.answer(answer([], { offset: 8, recovered: false }));
  assert.equal(isWhole, false);
  assert.deepEqual(offsets(messages), [9]);
});

test("a hole that pushed messages have closed meanwhile is none", () => {
  const sequence = at(3);
  for (const offset of [4, 5, 6, 7]) sequence.take(message(offset));
  const { isWhole, messages } = sequence.answer(answer([7, 8], { recovered: false }));
  assert.equal(isWhole, true);
  assert.deepEqual(offsets(messages), [8]);
});

test("what is held is bounded; the next one is delivered all the same", () => {
  const sequence = at(0);
  sequence.maxHeld = 2;
  for (const offset of [5, 4, 3, 2]) sequence.take(message(offset));
  assert.deepEqual(offsets(sequence.take(message(1))), [1]);
  assert.equal(sequence.hasGap, true);
  assert.deepEqual(offsets(sequence.answer(answer([2, 3])).messages), [2, 3, 4, 5]);
});

test("in any order, with repeats and answers between, each is delivered once and in order", () => {
  let seed = 20260101;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  for (let round = 0; round < 200; round += 1) {
    const sequence = at(0);
    sequence.maxHeld = 5;
    const heard = [];
    for (let step = 0; step < 60; step += 1) {
      if (random(10) === 0) {
        const { offset } = sequence.cursor;
        const upTo = Math.min(20, offset + random(6));
        const missing = Array.from({ length: upTo - offset }, (_, index) => offset + 1 + index);
        heard.push(...sequence.answer(answer(missing, { offset: upTo })).messages);
      } else {
        heard.push(...sequence.take(message(1 + random(20))));
      }
    }
    assert.deepEqual(
      offsets(heard),
      heard.map((_, index) => index + 1),
    );
    assert.equal(sequence.cursor.offset, heard.length);
  }
});
