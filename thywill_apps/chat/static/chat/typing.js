/** Who types: told by the others, forgotten after a while; and telling it, not too often. */

const SECONDS = 6;
const TELL_EVERY_SECONDS = 3;

/** The others who type at the moment. */
export class Typists {
  #now;
  /** @type {Map<string, number>} name, and the second in which it is forgotten */
  #until = new Map();

  /** @param {() => number} [now] in milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param {string} name
   * @param {boolean} isTyping
   */
  note(name, isTyping) {
    this.#until.delete(name);
    if (isTyping) this.#until.set(name, this.#now() + 1000 * SECONDS);
  }

  clear() {
    this.#until.clear();
  }

  /** Their names, in alphabetical order. */
  get names() {
    for (const [name, until] of this.#until) {
      if (until <= this.#now()) this.#until.delete(name);
    }
    return [...this.#until.keys()].sort();
  }
}

/** Tells the others that one's own reader types, or has stopped. */
export class TypingNotice {
  #tell;
  #now;
  #toldAt = -Infinity;
  #isTold = false;

  /**
   * @param {(isTyping: boolean) => void} tell
   * @param {() => number} [now] in milliseconds
   */
  constructor(tell, now = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** @param {boolean} hasText whether there is something in the field, after each change */
  update(hasText) {
    if (!hasText) {
      if (this.#isTold) this.#tell(false);
      this.reset();
    } else if (!this.#isTold || this.#now() - this.#toldAt >= 1000 * TELL_EVERY_SECONDS) {
      this.#isTold = true;
      this.#toldAt = this.#now();
      this.#tell(true);
    }
  }

  /** Forget it, without telling: a message that arrives says so by itself. */
  reset() {
    this.#isTold = false;
    this.#toldAt = -Infinity;
  }
}
