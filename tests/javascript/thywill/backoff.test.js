import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../static/thywill/backoff.js";

test("delays are random below a bound that doubles up to a maximum", () => {
  const backoff = new Backoff({ firstSeconds: 1, maxSeconds: 5, random: () => 0.5 });
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => backoff.next()),
    [500, 1000, 2000, 2500, 2500],
  );
});

test("after a success delays are short again", () => {
  const backoff = new Backoff({ random: () => 1 });
  backoff.next();
  backoff.next();
  assert.equal(backoff.attempts, 2);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("every delay between nothing and the bound occurs", () => {
  const delays = Array.from({ length: 1000 }, () => new Backoff().next());
  assert.ok(Math.min(...delays) < 25 && Math.max(...delays) > 475);
  assert.ok(delays.every((ms) => ms >= 0 && ms <= 500));
});
