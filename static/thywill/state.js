/**
 * The state of a page's push connection, as a table.
 *
 *     connecting --established--> live <--established-- recovering
 *          |                       |                     ^   |
 *       overdue                    +--------lost---------+ overdue
 *          v                                                 v
 *       offline <--------------------------------------------+
 *
 * `closed` is reached from everywhere by `close`, and left only by `open`. `connecting` and
 * `recovering` promise that it will not take long; `offline` says that it does. In all three
 * the connection is still being tried.
 */

/** @typedef {"connecting" | "live" | "recovering" | "offline" | "closed"} State */
/** @typedef {"open" | "established" | "lost" | "overdue" | "close"} Change */

/** @type {Record<State, Partial<Record<Change, State>>>} */
export const TRANSITIONS = {
  connecting: { established: "live", overdue: "offline", close: "closed" },
  live: { lost: "recovering", close: "closed" },
  recovering: { established: "live", overdue: "offline", close: "closed" },
  offline: { established: "live", close: "closed" },
  closed: { open: "connecting" },
};

export class ConnectionState {
  /** @type {State} */
  #name = "connecting";
  #listener;

  /** @param {(state: State, previous: State) => void} [listener] hears every change, once */
  constructor(listener = () => {}) {
    this.#listener = listener;
  }

  /** @returns {State} */
  get name() {
    return this.#name;
  }

  /**
   * @param {Change} change what happened; where the table has no entry it changes nothing
   * @returns {boolean} whether the state is another one now
   */
  apply(change) {
    const previous = this.#name;
    const next = TRANSITIONS[previous][change];
    if (next === undefined) {
      return false;
    }
    this.#name = next;
    this.#listener(next, previous);
    return true;
  }
}
