/** @import { Platform } from "./browser.js" */

/**
 * Calls a function when a time has passed without being put off. Putting off only writes down the
 * new time, so that it may be done for every packet.
 */
export class Deadline {
  #platform;
  #expired;
  /** @type {unknown} */
  #timer = null;
  #timerAt = Infinity;
  #due = Infinity;

  /**
   * @param {Platform} platform
   * @param {(overdue: number) => void} expired called with how late it is, in milliseconds: more
   *     than some seconds mean that the machine has slept
   */
  constructor(platform, expired) {
    this.#platform = platform;
    this.#expired = expired;
  }

  /** Expire so many milliseconds from now, whatever was said before. @param {number} wait */
  within(wait) {
    this.#due = this.#platform.now() + wait;
    if (this.#due < this.#timerAt) this.#arm();
  }

  /** Expire in so many milliseconds, or when it would have. @param {number} wait */
  withinAtMost(wait) {
    if (this.#platform.now() + wait < this.#due) this.within(wait);
  }

  clear() {
    if (this.#timer !== null) this.#platform.clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = this.#due = Infinity;
  }

  #arm() {
    if (this.#timer !== null) this.#platform.clearTimeout(this.#timer);
    this.#timerAt = this.#due;
    const wait = Math.max(0, this.#due - this.#platform.now());
    this.#timer = this.#platform.setTimeout(() => this.#wake(), wait);
  }

  /** Look at the clock now: timers may be late after a sleep of the machine. */
  check() {
    const overdue = this.#platform.now() - this.#due;
    if (overdue < 0 || this.#due === Infinity) return;
    this.clear();
    this.#expired(overdue);
  }

  #wake() {
    this.#timer = null;
    this.#timerAt = Infinity;
    if (this.#platform.now() < this.#due) this.#arm();
    else this.check();
  }
}
