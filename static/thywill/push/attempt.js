/** One connection, from its first step to its end. */
export class Attempt {
  /** @type {any} the STOMPClient */
  client = null;
  /** The subscription is confirmed. */
  isEstablished = false;
  /** @type {Map<string, () => void>} what to do when a receipt comes */
  receipts = new Map();
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  #timers = new Set();
  #lastReceipt = 0;

  /**
   * @param {number} seconds
   * @param {() => void} callback not called when the connection ends before
   */
  after(seconds, callback) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, seconds * 1000);
    this.#timers.add(timer);
  }

  clearTimers() {
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers.clear();
  }

  /** @param {() => void} callback */
  newReceipt(callback) {
    this.#lastReceipt += 1;
    const receipt = `thywill-renewed-${this.#lastReceipt}`;
    this.receipts.set(receipt, callback);
    return receipt;
  }

  /** @param {string} receipt */
  confirm(receipt) {
    const callback = this.receipts.get(receipt);
    this.receipts.delete(receipt);
    callback?.();
  }
}
