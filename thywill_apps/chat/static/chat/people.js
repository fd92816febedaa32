/** Who is here: users by name, visitors by number. */
import { element, make } from "./elements.js";
import { visitorsInWords } from "./words.js";

/** @typedef {{identity: string, name: string | null}} Card */

export class People {
  /** @type {Map<string, string | null>} name by identity */
  #here = new Map();
  #own;

  /** @param {string | null} own name of the reader */
  constructor(own) {
    this.#own = own;
  }

  /** @param {Card[]} cards */
  reset(cards) {
    this.#here = new Map(cards.map(({ identity, name }) => [identity, name]));
    this.#show();
  }

  /** @param {Card} card */
  join({ identity, name }) {
    this.#here.set(identity, name);
    this.#show();
  }

  /** @param {Card} card */
  leave({ identity }) {
    this.#here.delete(identity);
    this.#show();
  }

  #show() {
    const names = [...this.#here.values()].filter((name) => name !== null).sort();
    const rows = names.map((name) => {
      const row = make("li", "person", name);
      if (name === this.#own) row.append(make("span", "soft", " (you)"));
      return row;
    });
    const visitors = this.#here.size - names.length;
    if (visitors > 0) rows.push(make("li", "person visitors", visitorsInWords(visitors)));
    element("people").replaceChildren(...rows);
    element("people-title").textContent = `Here now: ${this.#here.size}`;
  }
}
