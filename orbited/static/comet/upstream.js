/** @import { Packet } from "./packets.js" */

const NOTHING = new Uint8Array();

/**
 * Packets on their way to the server, kept until it has accepted them. What is sent again keeps
 * its id, and always begins with the oldest that is not accepted, so that the server sees no gap
 * and can drop what it has.
 */
export class Upstream {
  /** @type {Packet[]} ids without gaps */
  #queue = [];
  #lastId = 0;
  #bytes = 0;

  /** Bytes of data that are not accepted. */
  get bytes() {
    return this.#bytes;
  }

  get isEmpty() {
    return this.#queue.length === 0;
  }

  /** @param {string} name @param {Uint8Array} [data] */
  push(name, data = NOTHING) {
    this.#lastId += 1;
    this.#bytes += data.length;
    this.#queue.push({ id: this.#lastId, name, data });
  }

  /**
   * The server has everything up to this id.
   *
   * @param {number} id
   * @returns {boolean} whether that was news
   */
  accept(id) {
    const count = this.#queue.findIndex((packet) => packet.id > id);
    const accepted = this.#queue.splice(0, count === -1 ? this.#queue.length : count);
    for (const packet of accepted) this.#bytes -= packet.data.length;
    return accepted.length > 0;
  }

  /**
   * The oldest packets after an id, as many as fit, but one at least if there is one.
   *
   * @param {number} id 0 for the oldest
   * @param {number} maxBytes of data
   */
  batch(id, maxBytes) {
    const from = Math.max(0, id + 1 - (this.#queue[0]?.id ?? 0));
    let bytes = 0;
    let to = from;
    for (; to < this.#queue.length; to++) {
      bytes += /** @type {Packet} */ (this.#queue[to]).data.length;
      if (bytes > maxBytes && to > from) break;
    }
    return this.#queue.slice(from, to);
  }

  /** Forget what was not accepted. The next packet has a new id all the same. */
  discard() {
    this.#queue = [];
    this.#bytes = 0;
  }
}
