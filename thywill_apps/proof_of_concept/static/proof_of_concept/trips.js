/**
 * Messages on their way to the server and back.
 *
 * The echo is the bare text, as it was sent, so a text that comes back belongs to the oldest trip
 * with that text that is still under way.
 */

/** @typedef {{text: string, sentAt: number, back: string | null, ms: number | null,
 *   error: string | null}} Trip */

export class Trips {
  /** @type {Trip[]} */
  #underWay = [];
  /** @type {number[]} milliseconds, the newest last */
  #times = [];
  #kept;
  #now;

  sent = 0;
  returned = 0;

  /** @param {{kept?: number, now?: () => number}} [options] how many times are remembered */
  constructor({ kept = 60, now = () => performance.now() } = {}) {
    this.#kept = kept;
    this.#now = now;
  }

  /**
   * @param {string} text
   * @returns {Trip}
   */
  start(text) {
    const trip = { text, sentAt: this.#now(), back: null, ms: null, error: null };
    this.#underWay.push(trip);
    this.sent += 1;
    return trip;
  }

  /**
   * @param {string} text that came back
   * @returns {Trip | null} the trip that ends with it; null for a text that was not sent
   */
  finish(text) {
    const index = this.#underWay.findIndex((trip) => trip.text === text);
    if (index < 0) {
      return null;
    }
    const [trip] = this.#underWay.splice(index, 1);
    trip.back = text;
    trip.ms = this.#now() - trip.sentAt;
    this.returned += 1;
    this.#times.push(trip.ms);
    this.#times.splice(0, this.#times.length - this.#kept);
    return trip;
  }

  /**
   * @param {Trip} trip that will not come back
   * @param {string} error
   */
  fail(trip, error) {
    trip.error = error;
    this.#underWay = this.#underWay.filter((other) => other !== trip);
  }

  /** Milliseconds of the last trips, the newest last. */
  get times() {
    return [...this.#times];
  }

  /** The median of these, or null. */
  get median() {
    const sorted = [...this.#times].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    if (sorted.length === 0) {
      return null;
    }
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}

/**
 * @param {number | null} ms
 * @returns {string} with as many digits as one can use
 */
export function milliseconds(ms) {
  if (ms === null) {
    return "\u2013";
  }
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
