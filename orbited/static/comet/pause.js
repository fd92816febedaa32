/** @import { Platform } from "./browser.js" */

/** A wait that can be cut short. */
export class Pause {
  #platform;
  /** @type {unknown} */
  #timer = null;
  /** @type {(() => void) | null} */
  #resume = null;

  /** @param {Platform} platform */
  constructor(platform) {
    this.#platform = platform;
  }

  get isWaiting() {
    return this.#resume !== null;
  }

  /**
   * One at a time.
   *
   * @param {number} milliseconds
   * @returns {Promise<void>}
   */
  wait(milliseconds) {
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#timer = this.#platform.setTimeout(() => this.skip(), milliseconds);
    });
  }

  /** Go on now. */
  skip() {
    if (this.#resume === null) return;
    this.#platform.clearTimeout(this.#timer);
    const resume = this.#resume;
    this.#resume = null;
    resume();
  }
}
