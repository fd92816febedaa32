/**
 * Which transport to use: the first in the page's order of preference that works.
 *
 * A transport that failed although the server could be reached is left out for the page's life: at
 * once when it never worked, after some failures in a row when it did. When none is left, all get
 * another chance.
 */

const FAILURES_OF_A_WORKING_ONE = 3;

/** @typedef {{ hasWorked: boolean, failures: number, isBroken: boolean }} Record */

/** What this page has learned, by server and transport. @type {Map<string, Record>} */
const learned = new Map();

export class Ladder {
  #names;
  #url;
  #index = 0;

  /**
   * @param {string} url of the server
   * @param {readonly string[]} names of the usable transports, best first; not empty
   */
  constructor(url, names) {
    this.#url = url;
    this.#names = names;
    this.#settle();
  }

  /** Name of the transport to use now. */
  get current() {
    return /** @type {string} */ (this.#names[this.#index]);
  }

  /** The server was heard on the current transport. */
  worked() {
    this.#record(this.current).hasWorked = true;
  }

  /** The current transport has brought something, or has lasted. */
  succeeded() {
    this.worked();
    this.#record(this.current).failures = 0;
  }

  /**
   * The current transport has failed, and the server is there: it was the transport's fault.
   *
   * @returns {boolean} whether there is another one to try at once
   */
  failed() {
    const before = this.#index;
    const record = this.#record(this.current);
    record.failures += 1;
    record.isBroken = !record.hasWorked || record.failures >= FAILURES_OF_A_WORKING_ONE;
    this.#settle();
    return this.#index > before;
  }

  #settle() {
    this.#index = this.#names.findIndex((name) => !this.#record(name).isBroken);
    if (this.#index !== -1) return;
    for (const name of this.#names) learned.delete(this.#key(name));
    this.#index = 0;
  }

  /** @param {string} name */
  #key(name) {
    return `${name} ${this.#url}`;
  }

  /** @param {string} name */
  #record(name) {
    const key = this.#key(name);
    let record = learned.get(key);
    if (record === undefined) {
      record = { hasWorked: false, failures: 0, isBroken: false };
      learned.set(key, record);
    }
    return record;
  }
}
