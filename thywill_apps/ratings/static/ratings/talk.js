/**
 * The model as this page knows it: all of it at first, then each change, by number.
 *
 * What the process tells has its `epoch` and a number. A change that is not the next one, or of
 * another epoch, means that something is missing: then `apply` says so, and the page asks anew.
 */

/** @typedef {{id: string, by: string, text: string, at: number}} Message */
/** @typedef {[number, number, number]} Point second since 1970, mean, number of ratings */
/** @typedef {{mean: number, count: number, distribution: number[], point: Point | null}} Ratings */
/** @typedef {{epoch: string, number: number, trait?: string, value?: any}} Told */

export class Talk {
  topic = "";
  /** @type {Message[]} */
  messages = [];
  /** @type {Ratings} */
  ratings = { mean: 0, count: 0, distribution: [0, 0, 0, 0, 0], point: null };
  /** @type {Point[]} */
  points = [];
  clients = 0;

  #kept = { messages: 100, points: 300 };
  #epoch = "";
  #number = 0;
  #isAsking = false;
  /** @type {Told[]} */
  #early = [];

  /** Whether everything is asked for: what comes meanwhile waits. */
  get isAsking() {
    return this.#isAsking;
  }

  /** Whether this page knows the model, as far as it can tell. */
  get isKnown() {
    return this.#epoch !== "" && !this.#isAsking;
  }

  /** Everything is asked for from now on. */
  ask() {
    this.#isAsking = true;
    this.#early = [];
  }

  /** Nothing came of it. */
  giveUp() {
    this.#isAsking = false;
    this.#epoch = "";
  }

  /**
   * @param {any} told the answer to `hello`
   * @returns {boolean} whether nothing is missing after it
   */
  begin(told) {
    this.#isAsking = false;
    ({ epoch: this.#epoch, number: this.#number } = told);
    ({ topic: this.topic, ratings: this.ratings, clients: this.clients } = told);
    this.#kept = { messages: told.messages_kept, points: told.points_kept };
    this.messages = [...told.messages];
    this.points = [...told.points];
    const early = this.#early;
    this.#early = [];
    return early.every((each) => this.apply(each));
  }

  /**
   * Take what the process tells: a change, or that it is alive.
   * @param {Told} told
   * @returns {boolean} false: something is missing
   */
  apply(told) {
    if (this.#isAsking) {
      this.#early.push(told);
      return true;
    }
    if (told.epoch !== this.#epoch) return false;
    if (told.trait === undefined) return told.number <= this.#number;
    if (told.number <= this.#number) return true; // it is in what we began with
    if (told.number !== this.#number + 1) return false;
    this.#number = told.number;
    this.#set(told.trait, told.value);
    return true;
  }

  /**
   * @param {string} trait
   * @param {any} value
   */
  #set(trait, value) {
    if (trait === "messages") {
      this.messages = [...this.messages, value].slice(-this.#kept.messages);
    } else if (trait === "ratings") {
      this.ratings = value;
      const { point } = this.ratings;
      if (point === null) return;
      const before = this.points.filter(([second]) => second < point[0]);
      this.points = [...before, point].slice(-this.#kept.points);
    } else if (trait === "topic") {
      this.topic = value;
    } else if (trait === "clients") {
      this.clients = value;
    }
  }
}

/** @param {Ratings} ratings */
export function inWords({ mean, count }) {
  if (count === 0) return "no ratings yet";
  return `${mean.toFixed(2)} from ${count} ${count === 1 ? "rating" : "ratings"}`;
}
