/** @import { Platform } from "./browser.js" */

/** A wait that can be cut short. */
export class Pause {
  #platform;
  /** @type {unknown} */
  #timer = null;
  #due = 0;
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
      this.#arm(milliseconds);
    });
  }

  /** Go on after so long at the latest. @param {number} milliseconds */
  withinAtMost(milliseconds) {
    if (this.#resume === null || this.#due <= this.#platform.now() + milliseconds) return;
    this.#platform.clearTimeout(this.#timer);
    this.#arm(milliseconds);
  }

  /** @param {number} milliseconds */
  #arm(milliseconds) {
    this.#due = this.#platform.now() + milliseconds;
    this.#timer = this.#platform.setTimeout(() => this.skip(), milliseconds);
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
