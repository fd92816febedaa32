import { ThywillError } from "../errors.js";

/** What those hear whose connection ended before it had confirmed something. */
export function connectionLost() {
  return new ThywillError("connection-lost", "the push connection is gone");
}

/** One connection, from its first step to its end. */
export class Attempt {
  /** @type {any} the STOMPClient */
  client = null;
  /** The subscription is confirmed. */
  isEstablished = false;
  /** @type {Set<string>} what it has subscribed to beside the client's own destination */
  destinations = new Set();
  /** @type {Map<string, () => void>} what to do when a receipt comes */
  receipts = new Map();
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  #timers = new Set();
  /** @type {Set<(error: Error) => void>} */
  #unconfirmed = new Set();
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

  /**
   * Wait for what the connection is to confirm.
   *
   * @param {(receipt: string) => void} send
   * @returns {Promise<void>} rejects with `connection-lost` when it ends before
   */
  confirmation(send) {
    return new Promise((resolve, reject) => {
      const receipt = this.newReceipt(() => {
        this.#unconfirmed.delete(reject);
        resolve();
      });
      this.#unconfirmed.add(reject);
      send(receipt);
    });
  }

  /** The connection is gone. */
  end() {
    this.clearTimers();
    this.#unconfirmed.forEach((reject) => reject(connectionLost()));
    this.#unconfirmed.clear();
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
