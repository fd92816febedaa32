/** The picture that Chaco draws where the ratings run: fetched while somebody looks at it. */
import { element } from "./view.js";

const EVERY_MS = 3000;

export class Picture {
  #ask;
  #isPossible = true;
  #isDue = true;
  #isAsking = false;
  #askedAt = 0;

  /** @param {(scheme: string) => Promise<{png: string | null}>} ask */
  constructor(ask) {
    this.#ask = ask;
    const fold = /** @type {HTMLDetailsElement} */ (element("chaco"));
    fold.addEventListener("toggle", () => this.refresh());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.changed());
    setInterval(() => this.refresh(), EVERY_MS);
  }

  /** @param {boolean} isPossible whether Chaco is there */
  setPossible(isPossible) {
    this.#isPossible = isPossible;
    this.#show();
    this.changed();
  }

  /** The model has changed. */
  changed() {
    this.#isDue = true;
    this.refresh();
  }

  async refresh() {
    const fold = /** @type {HTMLDetailsElement} */ (element("chaco"));
    const isWanted = fold.open && this.#isPossible && this.#isDue && !this.#isAsking;
    if (!isWanted || Date.now() - this.#askedAt < EVERY_MS) return;
    this.#isAsking = true;
    this.#isDue = false;
    this.#askedAt = Date.now();
    try {
      const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
      const { png } = await this.#ask(isDark ? "dark" : "light");
      this.#isPossible = png !== null;
      const image = /** @type {HTMLImageElement} */ (element("picture"));
      if (png !== null) image.src = `data:image/png;base64,${png}`;
      this.#show();
    } catch {
      this.#isDue = true; // while they are away there is no picture; the last one stays
    } finally {
      this.#isAsking = false;
    }
  }

  #show() {
    const image = /** @type {HTMLImageElement} */ (element("picture"));
    element("no-picture").hidden = this.#isPossible;
    image.hidden = !this.#isPossible || !image.src;
  }
}
