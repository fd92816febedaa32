import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, goesOn } from "../../../../thywill_apps/chat/static/chat/conversation.js";
import { Outbox } from "../../../../thywill_apps/chat/static/chat/outbox.js";
import { Typists, TypingNotice } from "../../../../thywill_apps/chat/static/chat/typing.js";
import { timeInWords, typingInWords } from "../../../../thywill_apps/chat/static/chat/words.js";

const AT = "2026-05-04T10:32:10.000+00:00";

function messages(...numbers) {
  return numbers.map((number) => ({ number, by: "ann", text: `${number}`, at: AT }));
}

function numbersOf(conversation) {
  return conversation.messages.map(({ number }) => number);
}

test("a conversation keeps so many messages, and says which had to go", () => {
  const conversation = new Conversation(3);
  conversation.reset(messages(4, 5), false);
  assert.deepEqual(conversation.add(messages(6)[0]), []);
  assert.equal(conversation.hasEarlier, false);
  assert.deepEqual(conversation.add(messages(7)[0]), messages(4));
  assert.deepEqual(numbersOf(conversation), [5, 6, 7]);
  assert.equal(conversation.hasEarlier, true);
});

test("a message that is known is not added again", () => {
  const conversation = new Conversation(3);
  conversation.reset(messages(4, 5), true);
  assert.equal(conversation.add(messages(5)[0]), null);
  assert.deepEqual(numbersOf(conversation), [4, 5]);
});

test("earlier messages are added as far as there is room, the newest of them", () => {
  const conversation = new Conversation(4);
  conversation.reset(messages(8, 9), true);
  assert.deepEqual(conversation.addEarlier(messages(5, 6, 7, 8), false), messages(6, 7));
  assert.deepEqual(numbersOf(conversation), [6, 7, 8, 9]);
  assert.equal(conversation.hasEarlier, true);
  assert.equal(conversation.isFull, true);
});

test("a conversation without messages takes the first ones", () => {
  const conversation = new Conversation(4);
  assert.deepEqual([conversation.first, conversation.last], [Infinity, 0]);
  assert.deepEqual(conversation.addEarlier(messages(1, 2), false), messages(1, 2));
  conversation.remove(1);
  assert.deepEqual(numbersOf(conversation), [2]);
  assert.equal(conversation.hasEarlier, false);
});

test("a message goes on where its author spoke in the same minute", () => {
  const [first] = messages(1);
  assert.equal(goesOn(undefined, first), false);
  assert.equal(goesOn(first, { ...first, at: "2026-05-04T10:32:59.999+00:00" }), true);
  assert.equal(goesOn(first, { ...first, at: "2026-05-04T10:33:00.000+00:00" }), false);
  assert.equal(goesOn(first, { ...first, by: "ben" }), false);
});

test("messages are sent one after the other, in their order, however long one takes", async () => {
  const [sent, ends] = [[], []];
  const outbox = new Outbox((_, text) => {
    sent.push(text);
    return new Promise((resolve) => ends.push(resolve));
  });
  const counts = [];
  outbox.onChange = (waiting) => counts.push(waiting);
  for (const text of ["a", "b", "c"]) outbox.add("room", text);
  assert.deepEqual(sent, ["a"]);
  for (let n = 0; n < 3; n += 1) {
    ends[n]();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(sent, ["a", "b", "c"]);
  assert.deepEqual(counts, [1, 2, 3, 2, 1, 0]);
  assert.equal(outbox.waiting, 0);
});

test("who is too fast waits as long as the site says, and loses nothing", async () => {
  const [tried, waited, unsent] = [[], [], []];
  const outbox = new Outbox(
    async (_, text) => {
      tried.push(text);
      if (tried.length === 1) throw { code: "too-many-requests", retryAfter: 1.5 };
    },
    { wait: async (seconds) => void waited.push(seconds) },
  );
  outbox.onUnsent = (message) => unsent.push(message);
  outbox.add("room", "a");
  outbox.add("room", "b");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(tried, ["a", "a", "b"]);
  assert.deepEqual(waited, [1.5]);
  assert.deepEqual(unsent, []);
});

test("a message that is refused is given back, and the others are sent", async () => {
  const [sent, unsent] = [[], []];
  const error = { code: "not-allowed", message: "no" };
  const outbox = new Outbox(
    async (_, text) => {
      if (text === "bad") throw error;
      sent.push(text);
    },
    { maxWaiting: 3 },
  );
  outbox.onUnsent = (message) => unsent.push(message);
  for (const text of ["bad", "good", "fine", "one more"]) outbox.add("room", text);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent, ["good", "fine"]);
  assert.deepEqual(
    unsent.map(({ text, error: { code } }) => [text, code]),
    [
      ["one more", "queue-full"],
      ["bad", "not-allowed"],
    ],
  );
});

test("who types is forgotten after a while, or when told to", () => {
  let now = 0;
  const typists = new Typists(() => now);
  typists.note("cem", true);
  now = 3000;
  typists.note("ann", true);
  typists.note("ben", true);
  typists.note("ben", false);
  assert.deepEqual(typists.names, ["ann", "cem"]);
  now = 6000;
  assert.deepEqual(typists.names, ["ann"]);
  now = 9000;
  assert.deepEqual(typists.names, []);
});

test("typing is told at once, then now and then, and so is the end of it", () => {
  let now = 0;
  const told = [];
  const notice = new TypingNotice(
    (isTyping) => told.push([now, isTyping]),
    () => now,
  );
  notice.update(false);
  for (now = 0; now <= 6000; now += 500) notice.update(true);
  notice.update(false);
  notice.update(false);
  notice.update(true);
  notice.reset();
  notice.update(false);
  assert.deepEqual(told, [
    [0, true],
    [3000, true],
    [6000, true],
    [6500, false],
    [6500, true],
  ]);
});

test("words say who types and when something was said", () => {
  assert.equal(typingInWords([]), "");
  assert.equal(typingInWords(["ann"]), "ann is typing");
  assert.equal(typingInWords(["ann", "ben", "cem"]), "ann, ben and cem are typing");
  assert.equal(typingInWords(["a", "b", "c", "d"]), "4 people are typing");
  const at = new Date(2026, 4, 4, 10, 32);
  assert.equal(timeInWords(at, new Date(2026, 4, 4, 23), "en-GB"), "10:32");
  assert.equal(timeInWords(at, new Date(2026, 4, 5), "en-GB"), "4 May, 10:32");
  assert.equal(timeInWords(at, new Date(2027, 4, 4), "en-GB"), "4 May 2026, 10:32");
});
