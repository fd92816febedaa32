/** Something that becomes ready, or fails, once; and those who wait for it, each with a limit. */
export class Readiness {
  /** @type {Set<{resolve: (nothing?: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Set();
  /** @type {Error | null} */
  #failure = null;
  #isReady = false;

  get isReady() {
    return this.#isReady;
  }

  complete() {
    if (this.#failure === null) {
      this.#isReady = true;
      this.#settle();
    }
  }

  /**
   * No waiting can help any more.
   *
   * @param {Error} error
   * @returns {boolean} whether this is the first failure, and nothing was ready before it
   */
  fail(error) {
    if (this.#isReady || this.#failure !== null) {
      return false;
    }
    this.#failure = error;
    this.#settle();
    return true;
  }

  /**
   * @param {number} seconds
   * @param {() => Error} tooLate why it is not ready yet, asked when the time is over
   * @returns {Promise<void>}
   */
  wait(seconds, tooLate) {
    return new Promise((resolve, reject) => {
      const settled = (/** @type {Function} */ settle) => (/** @type {any} */ result) => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        settle(result);
      };
      const waiter = { resolve: settled(resolve), reject: settled(reject) };
      const timer = setTimeout(() => waiter.reject(tooLate()), seconds * 1000);
      this.#waiting.add(waiter);
      if (this.#isReady || this.#failure !== null) {
        this.#settle();
      }
    });
  }

  #settle() {
    for (const waiter of [...this.#waiting]) {
      if (this.#failure === null) {
        waiter.resolve();
      } else {
        waiter.reject(this.#failure);
      }
    }
  }
}
