/**
 * How long a link waits between its attempts, and when the page hears of an outage.
 *
 * The waits stay short while the server can be reached, however often a transport is cut, and grow
 * long while nothing gets through. All have full jitter, and end at once when there is reason to.
 *
 * @import { Platform } from "./browser.js"
 * @import { Settings } from "./settings.js"
 */

import { Backoff } from "./backoff.js";
import { Deadline } from "./deadline.js";
import { Pause } from "./pause.js";

export class Patience {
  #settings;
  #pause;
  #cuts;
  #failures;
  #silence;
  #onoutage;
  #failuresInARow = 0;
  #isBetweenPolls = false;

  /**
   * @param {Platform} platform
   * @param {Settings} settings
   * @param {() => void} onoutage nothing gets through, and has not for more than a moment
   */
  constructor(platform, settings, onoutage) {
    const { RETRY_BASE, RETRY_CAP, RETRY_CAP_REACHABLE } = settings;
    this.#settings = settings;
    this.#pause = new Pause(platform);
    this.#cuts = new Backoff(platform.random, RETRY_BASE, RETRY_CAP_REACHABLE);
    this.#failures = new Backoff(platform.random, RETRY_BASE, RETRY_CAP);
    this.#silence = new Deadline(platform, onoutage);
    this.#onoutage = onoutage;
  }

  get isWaiting() {
    return this.#pause.isWaiting;
  }

  /** A transport has brought something, or has lasted. */
  succeeded() {
    this.#cuts.reset();
  }

  /** The server has answered: a long wait, if there is one, is over. */
  reached() {
    this.#failures.reset();
    if (this.#failuresInARow === 0) return;
    this.#failuresInARow = 0;
    this.#pause.skip();
  }

  /** The server is being asked whether it is there. */
  asking() {
    this.#silence.withinAtMost(this.#settings.OUTAGE_DELAY);
  }

  /** It has answered, or cannot be reached. */
  asked() {
    this.#silence.clear();
  }

  /** Wait: a transport was cut, and the server can be reached. */
  async afterCut() {
    await this.#pause.wait(this.#cuts.next());
  }

  /** Wait: the server could not be reached. */
  async afterFailure() {
    this.#failuresInARow += 1;
    if (this.#failuresInARow > 1) this.#onoutage(); // one may fail with the cut itself
    await this.#pause.wait(this.#failures.next());
  }

  /** @param {number} milliseconds */
  async betweenPolls(milliseconds) {
    this.#isBetweenPolls = true;
    await this.#pause.wait(milliseconds);
    this.#isBetweenPolls = false;
  }

  /** The server has accepted something, which is probably answered. */
  accepted() {
    if (this.#isBetweenPolls) this.#pause.withinAtMost(this.#settings.POLL_AFTER_POST);
  }

  /** Go on now. */
  skip() {
    this.#pause.skip();
  }

  stop() {
    this.#silence.clear();
    this.#pause.skip();
  }
}
