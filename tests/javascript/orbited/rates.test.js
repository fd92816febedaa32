// What the monitor makes of two readings, and how it writes numbers.

import assert from "node:assert/strict";
import test from "node:test";

import { Rates, bytes, count, duration, perSecond } from "../../../orbited/static/pages/rates.js";

/** @param {number} seconds @param {Record<string, number>} counters @returns {any} */
function reading(seconds, counters = {}) {
  return { seconds: 1000 + seconds, uptime_seconds: seconds, cpu_seconds: seconds / 4, counters };
}

test("rates are the differences of two readings by the server's clock", () => {
  const rates = new Rates();
  assert.equal(rates.add(reading(10, { bytes_sent: 100 })).bytesDown, null);
  const now = rates.add(reading(12, { bytes_sent: 300, bytes_received: 8, packets_sent: 1 }));
  assert.deepEqual(now, { bytesDown: 100, bytesUp: 4, packetsDown: 0.5, packetsUp: 0, cpu: 0.25 });
  assert.deepEqual([rates.down, rates.up], [[100], [4]]);
});

test("a server that has started anew begins anew", () => {
  const rates = new Rates();
  rates.add(reading(10, { bytes_sent: 100 }));
  assert.equal(rates.add(reading(1, { bytes_sent: 5 })).bytesDown, null);
  assert.equal(rates.add(reading(2, { bytes_sent: 6 })).bytesDown, 1);
});

test("two minutes are remembered", () => {
  const rates = new Rates();
  for (let second = 0; second < 300; second += 1) {
    rates.add(reading(second, { bytes_sent: second }));
  }
  assert.equal(rates.down.length, 120);
});

test("numbers are written for people", () => {
  assert.equal(count(1234567), "1\u202f234\u202f567");
  assert.equal(count(null), "\u2013");
  assert.deepEqual([0, 1023, 1024, 153600, 5 * 2 ** 30].map(bytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "150 KiB",
    "5.0 GiB",
  ]);
  assert.equal(perSecond(bytes, 2048), "2.0 KiB/s");
  assert.equal(perSecond(bytes, null), "\u2013");
  assert.deepEqual([0, 59, 61, 3600, 90061].map(duration), [
    "0 s",
    "59 s",
    "1 min 1 s",
    "1 h 0 min",
    "1 d 1 h",
  ]);
});
