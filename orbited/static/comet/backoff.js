/**
 * Full jitter: a random time between nothing and a limit that doubles with each failure, so that
 * a thousand browsers that lost the server together do not come back together.
 */
export class Backoff {
  #random;
  #base;
  #cap;
  #failures = 0;

  /**
   * @param {() => number} random 0 to 1
   * @param {number} base limit of the first wait, in milliseconds
   * @param {number} cap limit of all waits
   */
  constructor(random, base, cap) {
    this.#random = random;
    this.#base = base;
    this.#cap = cap;
  }

  /** The time to wait now, in milliseconds. */
  next() {
    const limit = Math.min(this.#cap, this.#base * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return this.#random() * limit;
  }

  /** Something went well. */
  reset() {
    this.#failures = 0;
  }
}
