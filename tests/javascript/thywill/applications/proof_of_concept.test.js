import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Trips,
  milliseconds,
} from "../../../../thywill_apps/proof_of_concept/static/proof_of_concept/trips.js";

function newTrips(kept) {
  const clock = { time: 0 };
  return { clock, trips: new Trips({ kept, now: () => clock.time }) };
}

test("a text that comes back ends the oldest trip with that text", () => {
  const { trips, clock } = newTrips();
  const [first, second] = [trips.start("same"), trips.start("same")];
  const other = trips.start("other");
  clock.time = 5;
  assert.equal(trips.finish("same"), first);
  clock.time = 7;
  assert.equal(trips.finish("other"), other);
  assert.equal(trips.finish("same"), second);
  assert.deepEqual([first.ms, other.ms, second.ms], [5, 7, 7]);
  assert.deepEqual([trips.sent, trips.returned], [3, 3]);
});

test("a text that was not sent ends no trip", () => {
  const { trips } = newTrips();
  trips.start("a");
  assert.equal(trips.finish("b"), null);
  assert.equal(trips.returned, 0);
});

test("a failed trip is over", () => {
  const { trips } = newTrips();
  const trip = trips.start("a");
  trips.fail(trip, "application-failed");
  assert.equal(trip.error, "application-failed");
  assert.equal(trips.finish("a"), null);
});

test("the median is of the last trips only", () => {
  const { trips, clock } = newTrips(3);
  assert.equal(trips.median, null);
  const medians = [100, 1, 2, 3].map((ms) => {
    trips.start("x");
    clock.time += ms;
    trips.finish("x");
    return trips.median;
  });
  assert.deepEqual(medians, [100, 50.5, 2, 2]);
  assert.deepEqual(trips.times, [1, 2, 3]);
});

test("times are written with as many digits as one can use", () => {
  assert.deepEqual([null, 0.123, 9.96, 123.4].map(milliseconds), [
    "–",
    "0.1 ms",
    "10.0 ms",
    "123 ms",
  ]);
});
