/**
 * How long to wait before the next attempt: exponential back-off with full jitter.
 *
 * Every delay is a random number between 0 and a bound that doubles, so that a thousand browsers
 * which lost the same server do not all come back in the same instant.
 */
export class Backoff {
  #attempts = 0;
  #firstSeconds;
  #maxSeconds;
  #random;

  /** @param {{firstSeconds?: number, maxSeconds?: number, random?: () => number}} [options] */
  constructor({ firstSeconds = 0.5, maxSeconds = 30, random = Math.random } = {}) {
    this.#firstSeconds = firstSeconds;
    this.#maxSeconds = maxSeconds;
    this.#random = random;
  }

  /** How many delays were given since the last success. */
  get attempts() {
    return this.#attempts;
  }

  /** @returns {number} milliseconds */
  next() {
    const bound = Math.min(this.#maxSeconds, this.#firstSeconds * 2 ** this.#attempts);
    this.#attempts += 1;
    return this.#random() * bound * 1000;
  }

  /** It worked: start again with short delays. */
  reset() {
    this.#attempts = 0;
  }
}
