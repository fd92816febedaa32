/** Named events and those who listen to them. One listener's mistake never reaches another. */
export class Emitter {
  /** @type {Map<string, Set<Function>>} */
  #listeners = new Map();

  /**
   * Call `listener` whenever `name` happens.
   *
   * @param {string} name
   * @param {Function} listener
   * @returns {() => void} stops listening
   */
  on(name, listener) {
    if (typeof listener !== "function") {
      throw new TypeError(`on("${name}"): expected a function, got ${typeof listener}`);
    }
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * @param {string} name
   * @param {...unknown} args
   */
  emit(name, ...args) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      guarded(listener, ...args);
    }
  }
}

/**
 * Call a function of the page; what it throws is reported as an uncaught error, where developers
 * look for it, and the caller goes on.
 *
 * @param {Function | null | undefined} callback
 * @param {...unknown} args
 */
export function guarded(callback, ...args) {
  if (typeof callback !== "function") {
    return undefined;
  }
  try {
    return callback(...args);
  } catch (error) {
    if (typeof globalThis.reportError === "function") {
      globalThis.reportError(error);
    } else {
      console.error(error);
    }
    return undefined;
  }
}
