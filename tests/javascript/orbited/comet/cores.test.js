import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../../../../orbited/static/comet/backoff.js";
import { Deadline } from "../../../../orbited/static/comet/deadline.js";
import { Downstream } from "../../../../orbited/static/comet/downstream.js";
import { Ladder } from "../../../../orbited/static/comet/ladder.js";
import { Pause } from "../../../../orbited/static/comet/pause.js";
import { Upstream } from "../../../../orbited/static/comet/upstream.js";
import { FakePlatform, freshSettings } from "../support/platform.js";

const data = (length) => new Uint8Array(length);
const ids = (packets) => packets.map(({ id }) => id);

test("packets up are numbered from one and kept until they are accepted", () => {
  const upstream = new Upstream();
  for (let count = 0; count < 4; count++) upstream.push("data", data(10));
  assert.deepEqual(ids(upstream.batch(0, 1000)), [1, 2, 3, 4]);
  assert.equal(upstream.accept(2), true);
  assert.equal(upstream.accept(2), false);
  assert.deepEqual(ids(upstream.batch(0, 1000)), [3, 4]);
  assert.equal(upstream.bytes, 20);
  assert.equal(upstream.accept(99), true);
  assert.equal(upstream.isEmpty, true);
  assert.equal(upstream.bytes, 0);
});

test("a batch begins after an id and ends before it grows too large", () => {
  const upstream = new Upstream();
  for (let count = 0; count < 5; count++) upstream.push("data", data(10));
  upstream.accept(1);
  assert.deepEqual(ids(upstream.batch(0, 25)), [2, 3]);
  assert.deepEqual(ids(upstream.batch(3, 25)), [4, 5]);
  assert.deepEqual(ids(upstream.batch(5, 25)), []);
});

test("a packet that is too large for a batch travels alone", () => {
  const upstream = new Upstream();
  upstream.push("data", data(100));
  upstream.push("data", data(100));
  assert.deepEqual(ids(upstream.batch(0, 10)), [1]);
});

test("ids go on after what was queued is dropped", () => {
  const upstream = new Upstream();
  upstream.push("data", data(1));
  upstream.discard();
  upstream.push("close");
  assert.deepEqual(ids(upstream.batch(0, 10)), [2]);
});

test("a packet that was delivered is not delivered again", () => {
  const downstream = new Downstream();
  const admitted = [1, 2, 1, 2, 3, 3, 7].map((id) => downstream.admit({ id, data: data(5) }));
  assert.deepEqual(admitted, [true, true, false, false, true, false, true]);
  assert.equal(downstream.lastId, 7);
  assert.equal(downstream.untoldPackets, 4);
  assert.equal(downstream.untoldBytes, 20);
  downstream.told();
  assert.equal(downstream.untoldPackets, 0);
});

test("waits double up to the cap, and begin anew after a success", () => {
  const backoff = new Backoff(() => 1, 100, 500);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => backoff.next()),
    [100, 200, 400, 500, 500],
  );
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

test("waits are anything between nothing and the limit", () => {
  assert.equal(new Backoff(() => 0, 100, 500).next(), 0);
  assert.equal(new Backoff(() => 0.25, 100, 500).next(), 25);
});

test("the first transport is used while it works", () => {
  const ladder = new Ladder(freshSettings().url, ["a", "b"]);
  ladder.succeeded();
  assert.equal(ladder.current, "a");
});

test("a transport that never worked is left out at once, for the page's life", () => {
  const { url } = freshSettings();
  const ladder = new Ladder(url, ["a", "b"]);
  assert.equal(ladder.failed(), true);
  assert.equal(ladder.current, "b");
  assert.equal(new Ladder(url, ["a", "b"]).current, "b");
  assert.equal(new Ladder(freshSettings().url, ["a", "b"]).current, "a");
});

test("a transport that worked is left out after its third failure in a row", () => {
  const ladder = new Ladder(freshSettings().url, ["a", "b"]);
  ladder.succeeded();
  assert.deepEqual([ladder.failed(), ladder.failed()], [false, false]);
  ladder.succeeded();
  assert.deepEqual([ladder.failed(), ladder.failed(), ladder.failed()], [false, false, true]);
  assert.equal(ladder.current, "b");
});

test("a transport that was heard, and brings nothing, has its three failures too", () => {
  const ladder = new Ladder(freshSettings().url, ["a", "b"]);
  for (const isLast of [false, false, true]) {
    ladder.worked();
    assert.equal(ladder.failed(), isLast);
  }
});

test("when no transport is left, all get another chance, after a pause", () => {
  const ladder = new Ladder(freshSettings().url, ["a", "b"]);
  assert.deepEqual([ladder.failed(), ladder.failed()], [true, false]);
  assert.equal(ladder.current, "a");
});

test("a deadline expires once, and not before it was put off to", async () => {
  const platform = new FakePlatform();
  const seen = [];
  const deadline = new Deadline(platform, () => seen.push(platform.time));
  const begin = platform.time;
  deadline.within(100);
  await platform.advance(60);
  deadline.within(100);
  await platform.advance(99);
  assert.deepEqual(seen, []);
  await platform.advance(1000);
  assert.deepEqual(seen, [begin + 160]);
});

test("a deadline can be brought forward", async () => {
  const platform = new FakePlatform();
  let count = 0;
  const deadline = new Deadline(platform, () => (count += 1));
  deadline.within(1000);
  deadline.withinAtMost(10);
  deadline.withinAtMost(500);
  await platform.advance(10);
  assert.equal(count, 1);
  await platform.advance(5000);
  assert.equal(count, 1);
});

test("a deadline that was slept through says how late it is", async () => {
  const platform = new FakePlatform();
  let late = 0;
  const deadline = new Deadline(platform, (overdue) => (late = overdue));
  deadline.within(100);
  await platform.sleep(5000);
  assert.equal(late, 4900);
});

test("a deadline whose timer is late can be looked at", async () => {
  const platform = new FakePlatform();
  let late = -1;
  const deadline = new Deadline(platform, (overdue) => (late = overdue));
  deadline.check();
  deadline.within(100);
  deadline.check();
  assert.equal(late, -1);
  platform.time += 150;
  deadline.check();
  assert.equal(late, 50);
  assert.equal(platform.timers, 0);
  deadline.check();
});

test("a deadline that was cleared leaves no timer", async () => {
  const platform = new FakePlatform();
  const deadline = new Deadline(platform, () => assert.fail("it was cleared"));
  deadline.within(100);
  deadline.clear();
  assert.equal(platform.timers, 0);
  await platform.advance(1000);
});

test("a pause ends by itself, or when it is cut short", async () => {
  const platform = new FakePlatform();
  const pause = new Pause(platform);
  let ended = 0;
  void pause.wait(100).then(() => (ended += 1));
  await platform.advance(100);
  assert.equal(ended, 1);
  void pause.wait(100).then(() => (ended += 1));
  pause.skip();
  pause.skip();
  await platform.advance(0);
  assert.equal(ended, 2);
  assert.equal(platform.timers, 0);
});
