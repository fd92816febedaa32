import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnRating } from "../../../../thywill_apps/ratings/static/ratings/own_rating.js";
import { ago, meanLines } from "../../../../thywill_apps/ratings/static/ratings/plot.js";
import { inWords, Talk } from "../../../../thywill_apps/ratings/static/ratings/talk.js";

function everything(more = {}) {
  const ratings = { mean: 3, count: 1, distribution: [0, 0, 1, 0, 0], point: [100, 3, 1] };
  const kept = { messages_kept: 2, points_kept: 2 };
  const told = { epoch: "e", number: 4, topic: "Waves", messages: [], points: [[100, 3, 1]] };
  return { ...told, ...kept, ratings, clients: 1, ...more };
}

function change(number, trait, value, epoch = "e") {
  return { epoch, number, trait, value };
}

function begun(more) {
  const talk = new Talk();
  talk.ask();
  assert.equal(talk.begin(everything(more)), true);
  return talk;
}

test("changes are applied in their order, each once", () => {
  const talk = begun();
  assert.equal(talk.apply(change(4, "topic", "before")), true);
  assert.equal(talk.apply(change(5, "topic", "after")), true);
  assert.equal(talk.apply(change(5, "topic", "again")), true);
  assert.equal(talk.topic, "after");
  for (const number of [6, 7, 8]) talk.apply(change(number, "messages", { id: `${number}` }));
  assert.deepEqual(
    talk.messages.map(({ id }) => id),
    ["7", "8"],
  );
});

test("what is missing is noticed: by a number, by a sign of life, by another epoch", () => {
  const talk = begun();
  assert.equal(talk.apply({ epoch: "e", number: 4 }), true);
  assert.equal(talk.apply({ epoch: "e", number: 5 }), false);
  assert.equal(talk.apply(change(6, "topic", "early")), false);
  assert.equal(talk.apply(change(1, "topic", "new", "other")), false);
  assert.equal(talk.topic, "Waves");
  assert.equal(new Talk().apply({ epoch: "e", number: 0 }), false);
});

test("what comes while everything is asked for waits, and is applied if it is newer", () => {
  const talk = begun();
  talk.ask();
  assert.equal(talk.isKnown, false);
  for (const number of [4, 5]) talk.apply(change(number, "clients", number));
  assert.equal(talk.clients, 1);
  assert.equal(talk.begin(everything()), true);
  assert.deepEqual([talk.clients, talk.isKnown], [5, true]);
  talk.ask();
  talk.apply(change(9, "clients", 9));
  assert.equal(talk.begin(everything()), false);
  talk.ask();
  talk.giveUp();
  assert.equal(talk.isKnown, false);
});

test("one point a second, and only so many", () => {
  const talk = begun();
  const next = (number, point) => {
    const ratings = { mean: point[1], count: 1, distribution: [], point };
    assert.equal(talk.apply(change(number, "ratings", ratings)), true);
  };
  next(5, [100, 4, 1]);
  assert.deepEqual(talk.points, [[100, 4, 1]]);
  next(6, [101, 5, 1]);
  next(7, [103, 2, 1]);
  assert.deepEqual(talk.points, [
    [101, 5, 1],
    [103, 2, 1],
  ]);
  assert.equal(inWords(talk.ratings), "2.00 from 1 rating");
  assert.equal(inWords({ mean: 0, count: 0, distribution: [], point: null }), "no ratings yet");
});

test("the mean is a line that holds until it changes, and ends where nobody rates", () => {
  const size = { width: 136, height: 134 }; // 100 by 100 inside
  const { lines, from } = meanLines(
    [
      [940, 5, 1],
      [970, 1, 2],
      [985, 0, 0],
    ],
    1000,
    size,
  );
  assert.equal(from, 940);
  assert.deepEqual(lines, ["M24 10H74V110H99"]);
  assert.deepEqual(meanLines([[1000, 3, 1]], 1000, size).lines, ["M124 60H124"]);
  assert.deepEqual(meanLines([], 1000, size).lines, []);
  assert.deepEqual([ago(60), ago(300)], ["60 s ago", "5 min ago"]);
});

function storage(kept = new Map()) {
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
  };
}

test("the last wish is told, and what was wished meanwhile but once", async () => {
  const told = [];
  let answer = () => {};
  const tell = (value) => {
    told.push(value);
    return new Promise((resolve) => (answer = resolve));
  };
  const own = new OwnRating("u-1", tell, storage(), false);
  own.set(3);
  const telling = own.tell();
  for (const value of [4, 5, 2]) {
    own.set(value);
    own.tell();
  }
  answer();
  await Promise.resolve();
  await Promise.resolve();
  answer();
  await telling;
  assert.deepEqual(told, [3, 2]);
  await own.tell();
  assert.deepEqual(told, [3, 2]);
});

test("a tab that is loaded again keeps its rating and names its former self", () => {
  const kept = storage();
  new OwnRating("u-1", async () => {}, kept, false).set(4);
  const again = new OwnRating("u-2", async () => {}, kept, true);
  assert.deepEqual([again.value, again.before], [4, "u-1"]);
  const copy = new OwnRating("u-3", async () => {}, kept, false);
  assert.deepEqual([copy.value, copy.before], [null, null]);
});

test("a rating that cannot be told is told with the next hello", async () => {
  const failing = async () => {
    throw Object.assign(new Error("away"), { code: "application-timeout" });
  };
  const own = new OwnRating("u-1", failing, storage(), false);
  own.set(1);
  await assert.rejects(own.tell(), /away/);
  assert.equal(own.value, 1);
});
