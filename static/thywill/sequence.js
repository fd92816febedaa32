/**
 * The order of one channel's messages: each once, none before the one it follows.
 *
 * Messages come by push, and by asking the site; by either way they may come again, late, or with
 * others missing before them. What cannot be delivered yet is held, up to a bound; beyond it the
 * site's history has it.
 *
 * Nothing here knows of time or of the network.
 *
 * @typedef {{epoch: string, offset: number}} Cursor the position after a message
 * @typedef {{epoch: string, offset: number, event: string, data: any, replayed: boolean}} Numbered
 * @typedef {{epoch: string, offset: number, recovered: boolean | null,
 *   messages: {offset: number, event: string, data: any}[]}} Answer
 */
export class Sequence {
  /** @type {Cursor | null} where the next message belongs; null before the first answer */
  cursor = null;
  /** How many messages may be held. */
  maxHeld = 500;
  /** @type {Map<number, Numbered>} */
  #held = new Map();
  #isAnotherEpoch = false;

  /** Whether something is missing that only the site can give. */
  get hasGap() {
    return this.#held.size > 0 || this.#isAnotherEpoch;
  }

  /**
   * A message was pushed.
   *
   * @param {Numbered} message
   * @returns {Numbered[]} what can be delivered now
   */
  take(message) {
    if (this.cursor?.epoch === "" && message.offset === 1) {
      this.cursor = { epoch: message.epoch, offset: 0 }; // the channel's very first message
    }
    if (this.cursor !== null && message.epoch !== this.cursor.epoch) {
      this.#isAnotherEpoch = true;
      return [];
    }
    if (this.cursor !== null && message.offset <= this.cursor.offset) {
      return [];
    }
    if (this.cursor !== null && message.offset === this.cursor.offset + 1) {
      this.#held.delete(message.offset);
      return [this.#delivered(message), ...this.#drained()];
    }
    if (this.#held.size < this.maxHeld) {
      this.#held.set(message.offset, message);
    }
    return [];
  }

  /**
   * The site has answered what comes after the cursor, as it was when the question was asked.
   *
   * @param {Answer} answer
   * @returns {{isWhole: boolean, messages: Numbered[]}} what can be delivered now; and whether it
   *   follows what was delivered before
   */
  answer({ epoch, offset, recovered, messages }) {
    const start = messages.length > 0 ? messages[0].offset - 1 : offset;
    const isWhole = this.#follows(epoch, start) || recovered !== false;
    if (!isWhole || this.cursor === null) {
      this.#startAt({ epoch, offset: start });
    } else if (this.cursor.epoch === "") {
      this.cursor = { epoch, offset: this.cursor.offset }; // there was no message before
    }
    this.#isAnotherEpoch = false;
    const found = [];
    for (const message of messages) {
      if (message.offset > this.#offset) {
        this.#held.delete(message.offset);
        found.push(this.#delivered({ ...message, epoch, replayed: true }));
      }
    }
    return { isWhole, messages: [...found, ...this.#drained()] };
  }

  get #offset() {
    return this.cursor?.offset ?? 0;
  }

  /**
   * Whether what begins here continues what was delivered: pushed messages may have closed, while
   * the answer was on its way, the hole that it speaks of.
   *
   * @param {string} epoch
   * @param {number} start
   */
  #follows(epoch, start) {
    return this.cursor !== null && this.cursor.epoch === epoch && this.cursor.offset >= start;
  }

  /** @param {Cursor} cursor */
  #startAt(cursor) {
    this.cursor = cursor;
    for (const [offset, { epoch }] of this.#held) {
      if (epoch !== cursor.epoch || offset <= cursor.offset) {
        this.#held.delete(offset);
      }
    }
  }

  /** @param {Numbered} message */
  #delivered(message) {
    this.cursor = { epoch: message.epoch, offset: message.offset };
    return message;
  }

  #drained() {
    const found = [];
    while (this.cursor !== null) {
      const next = this.#held.get(this.cursor.offset + 1);
      if (next === undefined) break;
      this.#held.delete(next.offset);
      found.push(this.#delivered(next));
    }
    return found;
  }
}
