/**
 * What this page wants, on its way to the server: the newest, and nothing else.
 *
 * One message is under way at a time. What changes meanwhile is not queued: when the answer is here,
 * the page sends what it wants *then*. So a network that stutters is not followed by a queue of
 * wishes that have long passed. While nothing changes, a sign of life goes out now and then; when
 * the server does not hear it, it brakes the puck, and so does this page.
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
  /** When the last message was sent that was answered. */
  #heardAt = -Infinity;
  #hasFailed = false;
  /** How many dashes were heard; and how many were not, which would come too late now. */
  #heardDashes = 0;
  #lostDashes = 0;
  #quietUntil = 0;

  /**
   * @param {(message: object) => Promise<any>} send
   * @param {(number: number) => void} onSent a message is sent with this number
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
    this.#heardDashes = this.#lostDashes = 0;
  }

  /**
   * Whether the server goes by what this page wants, or will as soon as it hears it.
   *
   * @param {number} now milliseconds
   * @param {number} staleMs
   */
  isHeard(now, staleMs) {
    if (now - this.#heardAt < staleMs) return true;
    return this.#isUnderWay ? now - this.#sentAt < staleMs : !this.#hasFailed;
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
    this.#sent = { x, y, dashes };
    return this.#deliver({ x, y, dashes: dashes - this.#lostDashes }, now);
  }

  /**
   * Say that the player pauses.
   *
   * @param {number} now milliseconds
   */
  rest(now) {
    this.#sent = { ...this.#sent, x: 0, y: 0 };
    return this.#deliver({ x: 0, y: 0, dashes: this.#heardDashes, is_resting: true }, now);
  }

  /**
   * @param {Wish & {is_resting?: boolean}} wish
   * @param {number} now
   */
  async #deliver(wish, now) {
    // A number for each, also where nothing is new: so the page sees how far ahead it is by now.
    this.#number += 1;
    const number = this.#number;
    this.#sentAt = now;
    this.#isUnderWay = true;
    this.#onSent(number);
    try {
      await this.#send({ number, ...wish });
      this.#hasFailed = false;
      this.#heardAt = now;
      this.#heardDashes = wish.dashes;
    } catch (error) {
      this.#hasFailed = true;
      this.#lostDashes += wish.dashes - this.#heardDashes;
      const { retryAfter } = /** @type {any} */ (error);
      if (retryAfter !== undefined) this.#quietUntil = now + retryAfter * 1000;
      throw error;
    } finally {
      this.#isUnderWay = false;
    }
  }
}
