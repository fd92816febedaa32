import { isFinal } from "./errors.js";

/**
 * The page says from time to time that it is there, and at its end that it goes: for sites whose
 * broker does not report connections. The configuration has `lease`, with a path and seconds, then.
 */
export class Lease {
  #thywill;
  #isHeld = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {any} thywill */
  constructor(thywill) {
    this.#thywill = thywill;
  }

  get #parameters() {
    return this.#thywill.config?.bootstrap_parameters.lease ?? null;
  }

  /** The page is connected: say so, and say it again in time. */
  hold() {
    if (this.#parameters !== null && !this.#isHeld) {
      this.#isHeld = true;
      this.#renew();
    }
  }

  /** The page goes, or has closed its connection. This is sent even while it is being unloaded. */
  release() {
    if (!this.#isHeld) return;
    this.drop();
    this.#thywill.request(this.#parameters.path, { leaving: true }, 30, true).catch(() => {});
  }

  /** Say nothing more: the site has said that the page is not wanted. */
  drop() {
    this.#isHeld = false;
    clearTimeout(this.#timer);
  }

  async #renew() {
    clearTimeout(this.#timer);
    const { path, seconds } = this.#parameters;
    try {
      await this.#thywill.request(path, {}, seconds);
    } catch (error) {
      if (this.#isHeld && isFinal(error)) {
        this.#thywill.push.closeConnection?.();
        this.#thywill.push.onConnectionRefused(error);
        return;
      }
    }
    if (this.#isHeld) {
      this.#timer = setTimeout(() => this.#renew(), seconds * 1000);
    }
  }
}
