import assert from "node:assert/strict";
import { test } from "node:test";
import { ThywillError } from "../../../static/thywill/errors.js";
import { SendQueue } from "../../../static/thywill/send_queue.js";
import { settle } from "./support/page.js";

/** A queue whose deliveries the test decides, on a clock that the test moves. */
function newQueue() {
  const deliveries = [];
  const sleeps = [];
  const clock = {
    time: 0,
    now: () => clock.time,
    sleep: (ms) =>
      new Promise((resolve) => {
        sleeps.push(ms);
        clock.time += ms;
        clock.wake = resolve;
      }),
  };
  const deliver = (message) =>
    new Promise((resolve, reject) => deliveries.push({ message, resolve, reject }));
  const queue = new SendQueue(deliver, clock, () => 1);
  return { queue, deliveries, sleeps, clock };
}

const noAnswer = () => new ThywillError("network", "no answer");

test("nothing leaves before the queue is open, and then all in order, one at a time", async () => {
  const { queue, deliveries } = newQueue();
  const replies = ["a", "b", "c"].map((text) => queue.add(text));
  await settle();
  assert.equal(deliveries.length, 0);
  queue.open();
  for (const [index, text] of ["a", "b", "c"].entries()) {
    await settle();
    assert.equal(deliveries.length, index + 1);
    assert.deepEqual(deliveries[index].message, { id: String(index + 1), message: text });
    deliveries[index].resolve(text.toUpperCase());
  }
  assert.deepEqual(await Promise.all(replies), ["A", "B", "C"]);
  assert.equal(queue.length, 0);
});

test("a command travels beside its message", async () => {
  const { queue, deliveries } = newQueue();
  queue.open();
  queue.add({ text: "hi" }, "say");
  assert.deepEqual(deliveries[0].message, { id: "1", message: { text: "hi" }, command: "say" });
});

test("without an answer the same message is sent again with the same id", async () => {
  const { queue, deliveries, sleeps, clock } = newQueue();
  queue.open();
  const reply = queue.add("once");
  queue.add("next");
  for (let attempt = 0; attempt < 5; attempt += 1) {
    deliveries[attempt].reject(noAnswer());
    await settle();
    clock.wake();
    await settle();
  }
  const ids = deliveries.map((delivery) => delivery.message.id);
  assert.deepEqual(ids, ["1", "1", "1", "1", "1", "1"]);
  assert.deepEqual(sleeps, [500, 1000, 2000, 4000, 5000]);
  deliveries[5].resolve("done");
  assert.equal(await reply, "done");
  await settle();
  assert.equal(deliveries[6].message.id, "2");
});

test("a message that is still being handled is asked for again", async () => {
  const { queue, deliveries, clock } = newQueue();
  queue.open();
  const reply = queue.add("slow");
  deliveries[0].reject(new ThywillError("still-handling", "wait"));
  await settle();
  clock.wake();
  await settle();
  deliveries[1].resolve("done");
  assert.equal(await reply, "done");
});

test("after retrySeconds without an answer a message fails, and the next one is tried", async () => {
  const { queue, deliveries, clock } = newQueue();
  queue.retrySeconds = 1;
  queue.open();
  const reply = queue.add("lost");
  queue.add("next");
  deliveries[0].reject(noAnswer());
  await settle();
  clock.time = 5000;
  clock.wake();
  await settle();
  deliveries[1].reject(noAnswer());
  await assert.rejects(reply, { code: "network" });
  assert.equal(deliveries[2].message.message, "next");
});

test("a refused message fails alone and is not repeated", async () => {
  const { queue, deliveries } = newQueue();
  queue.open();
  const refused = queue.add("bad");
  const taken = queue.add("good");
  deliveries[0].reject(new ThywillError("not-allowed", "no"));
  await assert.rejects(refused, { code: "not-allowed" });
  assert.equal(deliveries[1].message.message, "good");
  deliveries[1].resolve("fine");
  assert.equal(await taken, "fine");
});

test("one message more than maxQueued is refused with queue-full, and later there is room", async () => {
  const { queue, deliveries } = newQueue();
  queue.maxQueued = 2;
  queue.open();
  queue.add("1");
  queue.add("2");
  await assert.rejects(queue.add("3"), { code: "queue-full" });
  deliveries[0].resolve();
  await settle();
  queue.add("4");
  deliveries[1].resolve();
  await settle();
  assert.equal(deliveries[2].message.message, "4");
});
