import assert from "node:assert/strict";
import { test } from "node:test";
import { Prediction, moved } from "../../../../thywill_apps/floe/static/floe/prediction.js";
import { Steering } from "../../../../thywill_apps/floe/static/floe/steering.js";
import { Timeline } from "../../../../thywill_apps/floe/static/floe/timeline.js";
import { sentence, whereabouts } from "../../../../thywill_apps/floe/static/floe/words.js";

const RULES = {
  ticks_per_second: 20,
  steps_per_tick: 2,
  push: 1500,
  drag: 1.7,
  brake: 7,
  dash: 750,
  dash_seconds: 1.5,
  max_speed: 1900,
};
const TICK_MS = 50;
const STILL = { x: 0, y: 0, vx: 0, vy: 0 };
const RIGHT = { x: 1, y: 0 };
const DOWN = { x: 0, y: 1 };

function near(actual, expected, distance = 1e-9) {
  const away = Math.hypot(actual.x - expected.x, actual.y - expected.y);
  assert.ok(
    away <= distance,
    `${JSON.stringify(actual)} is ${away} from ${JSON.stringify(expected)}`,
  );
}

// --- prediction ---

test("a puck that nobody touches is where the server will have it, whatever the delay", () => {
  for (const delay of [0, 1, 3, 7]) {
    const prediction = new Prediction(RULES);
    prediction.begin(STILL);
    let server = { body: STILL, number: 0, held: 0 };
    const [up, down] = [[], []];
    const path = [];
    for (let tick = 0; tick < 60; tick += 1) {
      const push = tick < 20 ? RIGHT : { ...DOWN, isDash: tick === 20 };
      if (tick === 0 || tick === 20) {
        const number = tick === 0 ? 1 : 2;
        prediction.sent(number);
        up.push({ at: tick + delay, number, push });
      }
      prediction.step(push);
      path.push(prediction.position(1));

      const heard = up.filter(({ at }) => at <= tick).at(-1);
      if (heard !== undefined && heard.number !== server.number) {
        server = { ...server, number: heard.number, held: 0 };
      }
      const pushed = heard?.push ?? { x: 0, y: 0 };
      const body = moved(server.body, { ...pushed, isDash: pushed.isDash && !server.held }, RULES);
      server = { body, number: server.number, held: server.held + 1 };
      down.push({ at: tick + delay, ...server });
      for (const { body: was, number, held } of down.filter(({ at }) => at === tick)) {
        const before = prediction.position(0.5);
        if (number > 0) prediction.correct(was, number, held);
        near(prediction.position(0.5), before, 1e-6); // nothing jumps, since nothing was wrong
      }
    }
    if (delay > 0) near(server.body, path[59 - delay], 1e-6);
  }
});

test("what was guessed wrongly is corrected without a jump", () => {
  const prediction = new Prediction(RULES);
  prediction.begin(STILL);
  prediction.sent(1);
  for (let tick = 0; tick < 4; tick += 1) prediction.step(RIGHT);
  const before = prediction.position(1);
  prediction.correct({ x: 0, y: 80, vx: 0, vy: 0 }, 1, 4); // somebody was in the way
  near(prediction.position(1), before);
  for (let tick = 0; tick < 30; tick += 1) prediction.step({ x: 0, y: 0 });
  near(prediction.position(1), { x: 0, y: 80 }, 0.1);
});

test("another place is another place", () => {
  const prediction = new Prediction(RULES);
  prediction.begin(STILL);
  prediction.correct({ x: 700, y: 0, vx: 0, vy: 0 }, 0, 3);
  near(prediction.position(1), { x: 700, y: 0 });
});

test("what is told of a moment long ago corrects nothing", () => {
  const prediction = new Prediction(RULES);
  prediction.begin(STILL);
  prediction.sent(1);
  for (let tick = 0; tick < 100; tick += 1) {
    prediction.step(tick < 10 ? RIGHT : { x: 0, y: 0, isBraking: true });
  }
  const before = prediction.position(1);
  prediction.correct(STILL, 1, 0);
  near(prediction.position(1), before);
  prediction.step({ x: 0, y: 0 });
  near(prediction.position(1), before, 1);
});

test("a steering that never comes through keeps a puck from running ahead of the server", () => {
  const prediction = new Prediction(RULES);
  prediction.begin(STILL);
  prediction.sent(1);
  const path = [STILL];
  for (let tick = 0; tick < 60; tick += 1) {
    if (tick === 10) prediction.sent(2); // and nobody ever hears it
    prediction.step(RIGHT);
    path.push(moved(path.at(-1), RIGHT, RULES));
    if (tick >= 3) prediction.correct(path[tick - 2], 1, tick - 2);
  }
  near(prediction.position(1), path[60], 0.01);
});

test("a dash is one, and the next one needs its time", () => {
  const prediction = new Prediction(RULES);
  prediction.begin(STILL);
  assert.ok(prediction.mayDash);
  prediction.step({ x: 0, y: 0, isDash: true }); // to nowhere
  assert.ok(prediction.mayDash);
  for (let tick = 0; tick < 30; tick += 1) prediction.step({ ...RIGHT, isDash: true });
  assert.ok(prediction.mayDash);
  prediction.step({ ...RIGHT, isDash: true });
  assert.ok(!prediction.mayDash);
});

// --- timeline ---

/** A whole frame in which player 1 goes to the right, 10 units a tick. */
function whole(tick, more = {}) {
  return {
    t: tick,
    k: 1,
    r: 1000,
    l: 100,
    b: [[1, 10 * tick, 0, 200, 0, 0, 0, 0]],
    w: [[1, "ann", 0]],
    f: [[1, 5, 5]],
    p: [1, 0],
    ...more,
  };
}

function delta(tick, more = {}) {
  return { t: tick, r: 1000, l: 100, b: [[1, 10 * tick, 0, 200, 0, 0, 0, 0]], ...more };
}

function evenly(count, startMs = 5000) {
  const timeline = new Timeline(20);
  timeline.begin(whole(0), startMs);
  for (let tick = 1; tick <= count; tick += 1) timeline.add(delta(tick), startMs + tick * TICK_MS);
  return timeline;
}

test("others are shown a little behind, between two ticks", () => {
  const timeline = evenly(20);
  const now = 5000 + 20 * TICK_MS;
  near(timeline.at(now).bodies.get(1), { x: 180, y: 0 });
  near(timeline.at(now + 25).bodies.get(1), { x: 185, y: 0 });
});

test("a delta leaves everything as it was that it does not name", () => {
  const timeline = evenly(1);
  timeline.add({ t: 2, r: 990, l: 99 }, 5100);
  assert.equal(timeline.bodies.get(1).x, 10);
  assert.deepEqual(timeline.fish, [[1, 5, 5]]);
  assert.equal(timeline.people.get(1).name, "ann");
  timeline.add({ t: 3, r: 980, l: 98, g: [1], f: [[2, 7, 7]], p: [1, 1] }, 5150);
  assert.equal(timeline.bodies.size + timeline.people.size, 0);
  assert.deepEqual([timeline.fish, timeline.isBreak], [[[2, 7, 7]], true]);
});

test("what is told twice, or late, is told once", () => {
  const timeline = evenly(5);
  assert.equal(timeline.add(delta(5), 5300), false);
  assert.equal(timeline.add(whole(4), 5300), false);
  assert.equal(timeline.tick, 5);
});

test("in a stutter others go on a little and wait; then they are at once where they are", () => {
  const timeline = evenly(20);
  const stop = 5000 + 20 * TICK_MS;
  near(timeline.at(stop + 2000).bodies.get(1), { x: 230, y: 0 }, 1);
  const end = stop + 40 * TICK_MS;
  for (let tick = 21; tick <= 60; tick += 1) timeline.add(delta(tick), end);
  const { x } = timeline.at(end).bodies.get(1);
  assert.ok(x >= 540 && x <= 600, `at ${x}`); // two to six ticks behind, and not forty
  near(timeline.at(end + 50).bodies.get(1), { x: x + 10, y: 0 }, 1);
});

test("after ticks that are missing, only what was told since is sure", () => {
  const timeline = evenly(3);
  assert.ok(timeline.isSure(1));
  timeline.add({ t: 9, r: 1000, l: 90 }, 5450);
  assert.ok(!timeline.isSure(1));
  timeline.add(delta(10), 5500);
  assert.ok(timeline.isSure(1));
  timeline.add({ t: 15, r: 1000, l: 90 }, 5750);
  timeline.add(whole(20), 6000);
  assert.ok(timeline.isSure(1));
});

test("somebody who is elsewhere at once does not fly there", () => {
  const timeline = evenly(2);
  timeline.add(delta(3, { b: [[1, -900, 0, 0, 0, 0, 0, 0]] }), 5150);
  for (const moment of [5250, 5270, 5290]) {
    const { x } = timeline.at(moment).bodies.get(1);
    assert.ok(x === -900 || x <= 20, `at ${x}`);
  }
});

test("a server that was started anew is believed", () => {
  const timeline = evenly(100);
  assert.equal(timeline.add(delta(1), 20_000), false);
  assert.equal(timeline.add(whole(20), 20_000), true);
  assert.equal(timeline.tick, 20);
});

// --- steering ---

function newSteering() {
  const sent = [];
  const numbers = [];
  const send = (message) =>
    new Promise((resolve, reject) => sent.push({ ...message, resolve, reject }));
  return { sent, numbers, steering: new Steering(send, (number) => numbers.push(number)) };
}

const answered = () => new Promise((resolve) => setImmediate(resolve));

test("one message is under way, and after it goes what is wanted then", async () => {
  const { steering, sent, numbers } = newSteering();
  steering.update({ x: 100, y: 0, dashes: 0 }, 0, 50);
  for (let now = 50; now <= 2000; now += 50) {
    assert.equal(steering.update({ x: 0, y: now % 100, dashes: 0 }, now, 50), null);
  }
  sent[0].resolve();
  await answered();
  steering.update({ x: -100, y: 0, dashes: 2 }, 2050, 50);
  assert.deepEqual(
    sent.map(({ number, x, y, dashes }) => [number, x, y, dashes]),
    [
      [1, 100, 0, 0],
      [2, -100, 0, 2],
    ],
  );
  assert.deepEqual(numbers, [1, 2]);
});

test("a page that wants nothing new shows that it is there, more often while it steers", async () => {
  const { steering, sent } = newSteering();
  let [now, wish] = [0, { x: 100, y: 0, dashes: 0 }];
  const counts = [];
  for (const until of [1000, 3000]) {
    const before = sent.length;
    for (; now < until; now += 50) {
      steering.update(wish, now, 50);
      sent.at(-1)?.resolve();
      await answered();
    }
    counts.push(sent.length - before);
    wish = { x: 0, y: 0, dashes: 0 };
  }
  assert.deepEqual(counts, [4, 2]);
  assert.deepEqual(
    sent.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6],
  );
});

test("what nobody answers is not heard, and a refusal is waited out", async () => {
  const { steering, sent } = newSteering();
  assert.ok(steering.isHeard(0, 700));
  const sending = steering.update({ x: 100, y: 0, dashes: 0 }, 0, 50);
  assert.ok(steering.isHeard(600, 700));
  assert.ok(!steering.isHeard(800, 700));
  sent[0].reject(Object.assign(new Error("too often"), { retryAfter: 2 }));
  await assert.rejects(sending);
  assert.ok(!steering.isHeard(850, 700));
  assert.equal(steering.update({ x: 0, y: 100, dashes: 0 }, 900, 50), null);
  steering.update({ x: 0, y: 100, dashes: 0 }, 2100, 50);
  sent[1].resolve();
  await answered();
  assert.ok(steering.isHeard(9000, 700)); // nothing is under way: the next one will be heard
  const another = steering.update({ x: 0, y: 0, dashes: 0 }, 9000, 50);
  sent[2].reject(new Error("no answer"));
  await assert.rejects(another);
  assert.ok(!steering.isHeard(9010, 700));
});

test("what has failed is not sent again, but what is wanted by then; a dash would be too late", async () => {
  const { steering, sent, numbers } = newSteering();
  for (const now of [0, 300, 600]) {
    const sending = steering.update({ x: 100, y: 0, dashes: now > 0 ? 1 : 0 }, now, 50);
    sent.at(-1).reject(Object.assign(new Error("no answer"), { code: "network" }));
    await assert.rejects(sending);
  }
  steering.update({ x: 0, y: 100, dashes: 2 }, 650, 50);
  assert.deepEqual(
    sent.map(({ number, x, dashes }) => [number, x, dashes]),
    [
      [1, 100, 0],
      [2, 100, 1],
      [3, 100, 0],
      [4, 0, 1],
    ],
  );
  assert.deepEqual(numbers, [1, 2, 3, 4]);
});

test("a pause is said at once", async () => {
  const { steering, sent } = newSteering();
  steering.rest(0);
  const { number, x, y, is_resting } = sent[0];
  assert.deepEqual({ number, x, y, is_resting }, { number: 1, x: 0, y: 0, is_resting: true });
});

// --- words ---

test("news in words", () => {
  const nameOf = (id) => ["", "ann", "ben", "cat"][id];
  const told = (news, isCrowd = false) => sentence(news, 1, nameOf, isCrowd);
  assert.equal(told(["fell", 2, 1]), "You have pushed ben into the sea.");
  assert.equal(told(["fell", 1, 2]), "ben has pushed you in.");
  assert.equal(told(["fell", 1, 0]), "You are in the sea.");
  assert.equal(told(["fell", 2, 3]), "ben is in the sea.");
  assert.equal(told(["fell", 2, 3], true), null);
  assert.equal(told(["fish", 2]), null);
  assert.equal(told(["over", 4, 1, 2]), "The round is over. Won with 4 points: you and ben.");
  assert.equal(told(["over", 1, 3]), "The round is over. Won with 1 point: cat.");
  assert.equal(told(["over", 0]), "The round is over. Nobody has scored.");
  assert.equal(told(["round", 2]), "Round 2 begins.");
  assert.equal(told(["came", 1]), null);
  assert.equal(told(["something", 1]), null);
});

test("where one is, in words", () => {
  const others = [
    { name: "ben", x: 0, y: 900 },
    { name: "cat", x: 0, y: -100 },
  ];
  assert.equal(
    whereabouts({ x: 0, y: 0 }, others, 1000),
    "You are in the middle. cat is near, above you.",
  );
  assert.equal(
    whereabouts({ x: -600, y: 600 }, [], 1000),
    "You are near the edge, below and left of the middle. Nobody else is here.",
  );
});
