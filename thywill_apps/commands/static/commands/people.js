/**
 * Who is here, by number; numbers are never given twice.
 *
 * The list is asked for, and meanwhile it is heard who comes and goes. What was heard counts: the
 * answer may be older.
 */

export class People {
  /** @type {() => void} */
  onChange = () => {};
  /** @type {number | null} the reader's own number */
  own = null;

  /** @type {Map<number, string>} names by number */
  #names = new Map();
  /** @type {Map<number, string | null> | null} while the list is waited for; null: has left */
  #heard = null;

  /** How many are here. */
  get size() {
    return this.#names.size;
  }

  /** Numbers and names, in the order in which people came. */
  get all() {
    return [...this.#names].sort(([one], [other]) => one - other);
  }

  /** The list is asked for now. */
  expect() {
    this.#heard = new Map();
  }

  /** @param {{person: number, name: string}[]} people the answer */
  reset(people) {
    this.#names = new Map(people.map(({ person, name }) => [person, name]));
    for (const [person, name] of this.#heard ?? []) {
      if (name === null) this.#names.delete(person);
      else this.#names.set(person, name);
    }
    this.#heard = null;
    this.onChange();
  }

  /** @param {{person: number, name: string}} card somebody new, or a new name */
  add({ person, name }) {
    this.#names.set(person, name);
    this.#heard?.set(person, name);
    this.onChange();
  }

  /** @param {number} person */
  remove(person) {
    this.#names.delete(person);
    this.#heard?.set(person, null);
    this.onChange();
  }

  /** @param {number} person */
  has(person) {
    return this.#names.has(person);
  }

  /** @param {number} person */
  nameOf(person) {
    return this.#names.get(person) ?? "somebody";
  }
}
