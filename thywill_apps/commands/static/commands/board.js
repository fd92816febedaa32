/**
 * What is on the board, whatever order it is heard in: a stroke that was taken away does not come
 * back because the news of it is late.
 */

/** @typedef {{number: number, by: number, name: string, ink: string, width: number,
 *   points: number[]}} Stroke as the site tells it */

export class Board {
  /** @type {Map<number, Stroke>} */
  #strokes = new Map();
  /** @type {Set<number>} */
  #removed = new Set();
  #clearedTo = 0;
  #remembered;

  /** @param {number} [remembered] how many that were taken away are known as such */
  constructor(remembered = 1000) {
    this.#remembered = remembered;
  }

  /** The strokes, in the order in which they were drawn. */
  get strokes() {
    return [...this.#strokes.values()].sort((one, other) => one.number - other.number);
  }

  /** How many there are. */
  get size() {
    return this.#strokes.size;
  }

  /**
   * Begin anew.
   *
   * @param {Stroke[]} strokes
   * @param {number} last the number of the last stroke that there was
   */
  reset(strokes, last) {
    const newer = this.strokes.filter(({ number }) => number > last);
    this.#strokes = new Map();
    for (const stroke of [...strokes, ...newer]) this.add(stroke);
  }

  /**
   * @param {Stroke} stroke
   * @returns {boolean} whether it is new
   */
  add(stroke) {
    const { number } = stroke;
    if (this.#strokes.has(number) || this.#removed.has(number) || number <= this.#clearedTo) {
      return false;
    }
    this.#strokes.set(number, stroke);
    return true;
  }

  /** @param {number[]} numbers */
  remove(numbers) {
    for (const number of numbers) {
      this.#strokes.delete(number);
      this.#removed.add(number);
    }
    for (const number of this.#removed) {
      if (this.#removed.size <= this.#remembered) break;
      this.#removed.delete(number);
    }
  }

  /** @param {number} last the number of the last stroke that is gone */
  clear(last) {
    this.#clearedTo = Math.max(this.#clearedTo, last);
    for (const number of this.#strokes.keys()) {
      if (number <= last) this.#strokes.delete(number);
    }
  }
}
