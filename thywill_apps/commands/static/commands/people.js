/** Who is here: names, each in a color of its own. */
import { colorOf } from "./board_view.js";
import { element, make } from "./elements.js";

export class People {
  /** @type {Map<number, string>} names by number */
  #names = new Map();
  /** @type {number | null} the reader's own number */
  own = null;

  /** @param {{person: number, name: string}[]} people */
  reset(people) {
    this.#names = new Map(people.map(({ person, name }) => [person, name]));
    this.#show();
  }

  /** @param {{person: number, name: string}} card somebody new, or a new name */
  add({ person, name }) {
    this.#names.set(person, name);
    this.#show();
  }

  /** @param {number} person */
  remove(person) {
    this.#names.delete(person);
    this.#show();
  }

  /** @param {number} person */
  nameOf(person) {
    return this.#names.get(person) ?? "somebody";
  }

  /** How many are here. */
  get size() {
    return this.#names.size;
  }

  /** @param {number} person */
  has(person) {
    return this.#names.has(person);
  }

  #show() {
    const items = [...this.#names].map(([person, name]) =>
      make("li", `person ${colorOf(person)}`, person === this.own ? `${name} (you)` : name),
    );
    element("people").replaceChildren(...items);
  }
}
