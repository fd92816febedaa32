import { Backoff } from "./backoff.js";
import { ThywillError } from "./errors.js";

/**
 * Messages on their way to the site: one after another, in the order given.
 *
 * One message is under way at a time, so the order in which `add` was called is the order in which
 * the application sees them. When nobody answers, the same message is sent again *with the same
 * id*: the site knows it by its id and does not handle it twice. A message that is refused fails
 * alone; the next one is sent.
 */

/** It is not known whether the message was handled, or it is being handled just now. */
const MAY_REPEAT = new Set(["network", "still-handling"]);

/** @typedef {{id: string, command?: string, message: unknown}} Message */
/** @typedef {{message: Message, resolve: Function, reject: Function}} Entry */

export class SendQueue {
  /** @type {Entry[]} */
  #entries = [];
  #lastId = 0;
  #isOpen = false;
  #isSending = false;
  #deliver;
  #clock;
  #random;

  /** How many messages may wait, the one under way included. */
  maxQueued = 1000;
  /** How long one message is tried before its promise is rejected. */
  retrySeconds = 60;

  /**
   * @param {(message: Message) => Promise<any>} deliver one attempt; rejects with code `network`
   *   when it is not known whether the message has arrived
   * @param {{now: () => number, sleep: (ms: number) => Promise<void>}} [clock] milliseconds
   * @param {() => number} [random]
   */
  constructor(deliver, clock = systemClock, random = Math.random) {
    this.#deliver = deliver;
    this.#clock = clock;
    this.#random = random;
  }

  /** How many messages have no answer yet. */
  get length() {
    return this.#entries.length;
  }

  /** The configuration is known: messages may leave. */
  open() {
    this.#isOpen = true;
    this.#sendAll();
  }

  /**
   * @param {unknown} message anything that JSON can hold
   * @param {string} [command]
   * @returns {Promise<any>} the site's answer
   */
  add(message, command) {
    if (this.#entries.length >= this.maxQueued) {
      return Promise.reject(
        new ThywillError("queue-full", `${this.maxQueued} messages are waiting already`),
      );
    }
    this.#lastId += 1;
    const numbered = { id: String(this.#lastId), message };
    return new Promise((resolve, reject) => {
      this.#entries.push({
        message: command === undefined ? numbered : { ...numbered, command },
        resolve,
        reject,
      });
      this.#sendAll();
    });
  }

  async #sendAll() {
    if (!this.#isOpen || this.#isSending) {
      return;
    }
    this.#isSending = true;
    while (this.#entries.length > 0) {
      const entry = this.#entries[0];
      try {
        const answer = await this.#delivered(entry.message);
        this.#entries.shift();
        entry.resolve(answer);
      } catch (error) {
        this.#entries.shift();
        entry.reject(error);
      }
    }
    this.#isSending = false;
  }

  /** @param {Message} message */
  async #delivered(message) {
    const backoff = new Backoff({ firstSeconds: 0.5, maxSeconds: 5, random: this.#random });
    const end = this.#clock.now() + this.retrySeconds * 1000;
    for (;;) {
      try {
        return await this.#deliver(message);
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        if (!MAY_REPEAT.has(code) || this.#clock.now() >= end) {
          throw error;
        }
      }
      await this.#clock.sleep(backoff.next());
    }
  }
}

const systemClock = {
  now: () => Date.now(),
  sleep: (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
