/** The board as it is seen: strokes, what others draw just now, and where their pens are. */
import { element, make, makeSvg } from "./elements.js";
import { decode, pathOf } from "./strokes.js";

/** @typedef {import("./board.js").Stroke} Stroke */
/** @typedef {import("./strokes.js").Point} Point */

const GHOST_SECONDS = 8;
const COLORS = 8;
const LISTED = 60;

/** @param {number} person */
export function colorOf(person) {
  return `person-${person % COLORS}`;
}

/** @param {string} ink */
export function inkInWords(ink) {
  if (ink !== "ink") return ink;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "white" : "black";
}

/** @param {import("./people.js").People} people each in a color of their own */
export function showPeople(people) {
  const items = people.all.map(([person, name]) =>
    make("li", `person ${colorOf(person)}`, person === people.own ? `${name} (you)` : name),
  );
  element("people").replaceChildren(...items);
}

export class BoardView {
  #size;
  #strokes = element("strokes");
  /** @type {Map<number, Element>} */
  #paths = new Map();
  /** @type {Map<number, Ghost>} */
  #ghosts = new Map();

  /** @param {{width: number, height: number}} size */
  constructor(size) {
    this.#size = size;
  }

  /**
   * Show exactly these; paths that are there already stay.
   *
   * @param {Stroke[]} strokes in their order
   */
  show(strokes) {
    const wanted = new Set(strokes.map(({ number }) => number));
    for (const [number, path] of this.#paths) {
      if (wanted.has(number)) continue;
      path.remove();
      this.#paths.delete(number);
    }
    let after = null;
    for (const stroke of strokes.toReversed()) {
      const path = this.#paths.get(stroke.number) ?? this.#draw(stroke);
      if (path.nextSibling !== after || path.parentNode === null) {
        this.#strokes.insertBefore(path, after);
      }
      after = path;
    }
    this.#list(strokes);
  }

  /** @param {Stroke} stroke */
  #draw(stroke) {
    const path = makeSvg("path", {
      d: pathOf(decode(stroke.points)),
      class: `line ink-${stroke.ink}`,
      "stroke-width": stroke.width,
    });
    this.#paths.set(stroke.number, path);
    return path;
  }

  /** @param {Stroke[]} strokes */
  #list(strokes) {
    const items = strokes.slice(-LISTED).reverse();
    element("drawn").replaceChildren(
      ...items.map(({ ink, name }) => make("li", "", `${inkInWords(ink)}, by ${name}`)),
    );
    element("drawn").setAttribute("start", String(strokes.length));
    const count = strokes.length === 1 ? "one line" : `${strokes.length} lines`;
    element("count").textContent = strokes.length === 0 ? "nothing yet" : count;
    element("empty").hidden = strokes.length > 0;
  }

  /**
   * Show what is being drawn here, and not sent yet.
   *
   * @param {Point[]} points
   * @param {string} ink
   * @param {number} width
   */
  showOwn(points, ink, width) {
    const own = element("own");
    own.setAttribute("d", pathOf(points));
    own.setAttribute("class", `line ink-${ink}`);
    own.setAttribute("stroke-width", String(width));
  }

  /**
   * Show what was drawn here until the site has it.
   *
   * @param {Point[]} points
   * @param {string} ink
   * @param {number} width
   * @returns {() => void} takes it away
   */
  showUnsent(points, ink, width) {
    const line = { d: pathOf(points), class: `line ink-${ink}`, "stroke-width": width };
    const path = makeSvg("path", line);
    element("ghosts").append(path);
    return () => path.remove();
  }

  /**
   * Show where somebody's pen is.
   *
   * @param {{person: number, at: Point | null, ink: string, width: number}} moved
   * @param {string} name
   */
  moveGhost({ person, at, ink, width }, name) {
    if (at === null) return this.dropGhost(person);
    const ghost = this.#ghosts.get(person) ?? new Ghost(person, () => this.dropGhost(person));
    this.#ghosts.set(person, ghost);
    ghost.move(at, name, ink, width, this.#size);
  }

  /**
   * Somebody's line is there, or their pen is gone.
   *
   * @param {number} person
   * @param {boolean} [isDrawn] only what they were drawing goes
   */
  dropGhost(person, isDrawn = false) {
    const ghost = this.#ghosts.get(person);
    ghost?.lift();
    if (isDrawn) return;
    ghost?.remove();
    this.#ghosts.delete(person);
  }

  /** Nobody is known to be anywhere. */
  dropGhosts() {
    for (const person of [...this.#ghosts.keys()]) this.dropGhost(person);
  }
}

/** The pen of somebody else: a name that moves, and a line while it is down. */
class Ghost {
  #label;
  #line = makeSvg("path", {});
  /** @type {Point[]} */
  #points = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #forget;

  /**
   * @param {number} person
   * @param {() => void} forget called when nothing was heard for a while
   */
  constructor(person, forget) {
    this.#forget = forget;
    this.#label = make("span", `cursor ${colorOf(person)}`);
    element("cursors").append(this.#label);
    element("ghosts").append(this.#line);
  }

  /**
   * @param {Point} at
   * @param {string} name
   * @param {string} ink empty while the pen is up
   * @param {number} width
   * @param {{width: number, height: number}} size of the board
   */
  move(at, name, ink, width, size) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#forget, GHOST_SECONDS * 1000);
    this.#label.textContent = name;
    this.#label.style.setProperty("--x", `${(100 * at[0]) / size.width}%`);
    this.#label.style.setProperty("--y", `${(100 * at[1]) / size.height}%`);
    this.#label.classList.toggle("flipped", at[0] > 0.8 * size.width);
    if (ink === "") return this.lift();
    this.#points.push(at);
    this.#line.setAttribute("d", pathOf(this.#points));
    this.#line.setAttribute("class", `line ghost ink-${ink}`);
    this.#line.setAttribute("stroke-width", String(width));
  }

  lift() {
    this.#points = [];
    this.#line.setAttribute("d", "");
  }

  remove() {
    clearTimeout(this.#timer);
    this.#label.remove();
    this.#line.remove();
  }
}
