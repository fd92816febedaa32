/**
 * What this page wants, on its way to the server: the newest, and nothing else.
 *
 * One message is under way at a time. What changes meanwhile is not queued: when the answer is here,
 * the page sends what it wants *then*. So a network that stutters is not followed by a queue of
 * wishes that have long passed. While nothing changes, a sign of life goes out now and then; when
 * the server does not hear it, it stops pushing, and so does this page for its own puck.
 */

/** @typedef {{x: number, y: number, dashes: number}} Wish whole numbers */

/** How often the page shows that it is there: while it steers, and while it does not. */
const SIGN_OF_LIFE_MS = 250;
const SIGN_AT_REST_MS = 1000;

export class Steering {
  #send;
  #onSent;
  #number = 0;
  /** @type {Wish} */
  #sent = { x: 0, y: 0, dashes: 0 };
  #isUnderWay = false;
  #sentAt = -Infinity;
  #hasFailed = false;
  #quietUntil = 0;

  /**
   * @param {(message: object) => Promise<any>} send
   * @param {(number: number) => void} onSent a wish that is new is sent with this number
   */
  constructor(send, onSent) {
    this.#send = send;
    this.#onSent = onSent;
  }

  /** Begin to count anew: the player is new, or plays again. */
  reset() {
    this.#number = 0;
    this.#sent = { x: 0, y: 0, dashes: 0 };
    this.#hasFailed = false;
  }

  /**
   * Whether the server goes by what this page wants, or will as soon as it hears it.
   *
   * @param {number} now milliseconds
   * @param {number} staleMs
   */
  isHeard(now, staleMs) {
    return !this.#hasFailed && (!this.#isUnderWay || now - this.#sentAt < staleMs);
  }

  /**
   * Send a wish if it is time to.
   *
   * @param {Wish} wish
   * @param {number} now milliseconds
   * @param {number} leastMs from one message to the next
   * @returns {Promise<void> | null} rejects with a ThywillError
   */
  update(wish, now, leastMs) {
    const { x, y, dashes } = wish;
    const isNew = x !== this.#sent.x || y !== this.#sent.y || dashes !== this.#sent.dashes;
    const since = now - this.#sentAt;
    const signMs = x === 0 && y === 0 ? SIGN_AT_REST_MS : SIGN_OF_LIFE_MS;
    if (this.#isUnderWay || now < this.#quietUntil) return null;
    if (since < (isNew ? leastMs : signMs)) return null;
    if (isNew) {
      this.#number += 1;
      this.#sent = { x, y, dashes };
      this.#onSent(this.#number);
    }
    this.#sentAt = now;
    return this.#deliver({ number: this.#number, x, y, dashes }, now);
  }

  /**
   * Say that the player pauses.
   *
   * @param {number} now milliseconds
   */
  rest(now) {
    this.#number += 1;
    this.#sent = { ...this.#sent, x: 0, y: 0 };
    this.#sentAt = now;
    return this.#deliver({ number: this.#number, x: 0, y: 0, is_resting: true }, now);
  }

  /**
   * @param {object} message
   * @param {number} now
   */
  async #deliver(message, now) {
    this.#isUnderWay = true;
    try {
      await this.#send(message);
      this.#hasFailed = false;
    } catch (error) {
      this.#hasFailed = true;
      const { retryAfter } = /** @type {any} */ (error);
      if (retryAfter !== undefined) this.#quietUntil = now + retryAfter * 1000;
      throw error;
    } finally {
      this.#isUnderWay = false;
    }
  }
}
