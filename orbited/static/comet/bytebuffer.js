const FIRST_BYTES = 4096;
const KEPT_BYTES = 1048576; // an empty buffer larger than this is given back

/**
 * A queue of bytes: filled at one end, searched and taken from the other. Grows by doubling and
 * moves its content only then, so that many small pieces cost no more than one large one.
 */
export class ByteBuffer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #start = 0;
  #end = 0;

  get length() {
    return this.#end - this.#start;
  }

  /** @param {Uint8Array} piece */
  push(piece) {
    if (this.#end + piece.length > this.#bytes.length) this.#makeRoom(piece.length);
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
  }

  /** The byte at an offset that is smaller than `length`. @param {number} offset */
  at(offset) {
    return /** @type {number} */ (this.#bytes[this.#start + offset]);
  }

  /** Offset of the first such byte, or -1. @param {number} byte @param {number} [from] */
  indexOf(byte, from = 0) {
    const found = this.#bytes.subarray(0, this.#end).indexOf(byte, this.#start + from);
    return found === -1 ? -1 : found - this.#start;
  }

  /** Remove and return the first bytes, as a copy. @param {number} count */
  take(count) {
    const taken = this.#bytes.slice(this.#start, this.#start + count);
    this.skip(count);
    return taken;
  }

  /** @param {number} count */
  skip(count) {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = this.#end = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(FIRST_BYTES);
  }

  /** @param {number} wanted */
  #makeRoom(wanted) {
    const needed = this.length + wanted;
    const content = this.#bytes.subarray(this.#start, this.#end);
    if (needed * 2 > this.#bytes.length) this.#bytes = new Uint8Array(needed * 2);
    this.#bytes.set(content, 0);
    this.#end -= this.#start;
    this.#start = 0;
  }
}
