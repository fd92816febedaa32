/**
 * Messages that wait to be sent, one after the other, so that they arrive in the order in which they
 * were written. Who writes faster than the site lets them waits, and loses nothing.
 */

/**
 * @typedef {object} Unsent
 * @property {string} text
 * @property {any} room
 * @property {any} error
 */

export class Outbox {
  #send;
  #wait;
  #maxWaiting;
  /** @type {{room: any, text: string}[]} the first one is on its way */
  #queue = [];
  #isSending = false;

  /** @type {(waiting: number) => void} set by the page: how many are not yet sent */
  onChange = () => {};
  /** @type {(unsent: Unsent) => void} set by the page: a message that cannot be sent */
  onUnsent = () => {};

  /**
   * @param {(room: any, text: string) => Promise<any>} send rejects with a ThywillError
   * @param {{maxWaiting?: number, wait?: (seconds: number) => Promise<void>}} [options] `maxWaiting`:
   *   how many may wait; one more is unsent, with the code `queue-full`
   */
  constructor(send, { maxWaiting = 500, wait = seconds } = {}) {
    this.#send = send;
    this.#maxWaiting = maxWaiting;
    this.#wait = wait;
  }

  /** How many are not yet sent. */
  get waiting() {
    return this.#queue.length;
  }

  /**
   * @param {any} room
   * @param {string} text
   */
  add(room, text) {
    if (this.#queue.length >= this.#maxWaiting) {
      const error = { code: "queue-full", message: "Too many messages wait to be sent." };
      this.onUnsent({ room, text, error });
      return;
    }
    this.#queue.push({ room, text });
    this.onChange(this.#queue.length);
    if (!this.#isSending) this.#sendAll();
  }

  async #sendAll() {
    this.#isSending = true;
    while (this.#queue.length > 0) {
      const { room, text } = this.#queue[0];
      try {
        await this.#send(room, text);
      } catch (/** @type {any} */ error) {
        if (error.code === "too-many-requests") {
          await this.#wait(error.retryAfter ?? 1);
          continue;
        }
        this.onUnsent({ room, text, error });
      }
      this.#queue.shift();
      this.onChange(this.#queue.length);
    }
    this.#isSending = false;
  }
}

/**
 * @param {number} count
 * @returns {Promise<void>}
 */
function seconds(count) {
  return new Promise((resolve) => setTimeout(resolve, 1000 * count));
}
