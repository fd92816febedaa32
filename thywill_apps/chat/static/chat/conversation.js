/**
 * The messages that the page holds: a stretch of the room's, without gaps, at most so many.
 *
 * Numbers are the server's and count the messages of the room, so they say what is new, what is
 * known already, and what comes before what.
 */

/** @typedef {{number: number, by: string, text: string, at: string}} Message `at`: ISO 8601 */

export class Conversation {
  /** @type {Message[]} in the order of their numbers */
  #messages = [];
  #kept;

  /** Whether the server has some from before the first. */
  hasEarlier = false;

  /** @param {number} kept how many at most */
  constructor(kept) {
    this.#kept = kept;
  }

  /** The messages, oldest first; not to be changed. */
  get messages() {
    return this.#messages;
  }

  /** The number of the first message; Infinity when there is none. */
  get first() {
    return this.#messages[0]?.number ?? Infinity;
  }

  /** The number of the last message; 0 when there is none. */
  get last() {
    return this.#messages[this.#messages.length - 1]?.number ?? 0;
  }

  /**
   * Begin anew.
   *
   * @param {Message[]} messages
   * @param {boolean} hasEarlier
   */
  reset(messages, hasEarlier) {
    this.#messages = messages.slice(-this.#kept);
    this.hasEarlier = hasEarlier || messages.length > this.#kept;
  }

  /**
   * Add a new message.
   *
   * @param {Message} message
   * @returns {Message[] | null} the oldest, which had to go for it; null for a message that is known
   */
  add(message) {
    if (message.number <= this.last) return null;
    this.#messages.push(message);
    const gone = this.#messages.splice(0, this.#messages.length - this.#kept);
    this.hasEarlier ||= gone.length > 0;
    return gone;
  }

  /**
   * Add what came before; as many as there is room for, the newest of them.
   *
   * @param {Message[]} messages oldest first
   * @param {boolean} hasEarlier
   * @returns {Message[]} those that were added
   */
  addEarlier(messages, hasEarlier) {
    const unknown = messages.filter(({ number }) => number < this.first);
    const room = this.#kept - this.#messages.length;
    const added = room > 0 ? unknown.slice(-room) : [];
    this.#messages.unshift(...added);
    this.hasEarlier = hasEarlier || added.length < unknown.length;
    return added;
  }

  /** Whether there is room for earlier messages. */
  get isFull() {
    return this.#messages.length >= this.#kept;
  }

  /** @param {number} number of a message that was taken away */
  remove(number) {
    this.#messages = this.#messages.filter((message) => message.number !== number);
  }
}

/**
 * Whether a message goes on where the one before it ended: the same author in the same minute.
 *
 * @param {Message | undefined} before
 * @param {Message} message
 */
export function goesOn(before, message) {
  return before !== undefined && before.by === message.by && minute(before) === minute(message);
}

/** @param {Message} message */
function minute(message) {
  return Math.floor(Date.parse(message.at) / 60_000);
}
