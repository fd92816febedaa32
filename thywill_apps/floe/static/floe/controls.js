/**
 * Keys, mouse and fingers: where the player wants to go, and when to dash.
 *
 * Keys win over the pointer while they are held. The mouse leads the puck to where it is; a finger
 * leads it by how far, and where to, it has been dragged from where it came down.
 */

/** @typedef {{x: number, y: number}} Vector */

/** @type {Record<string, Vector>} */
const DIRECTIONS = {
  ArrowUp: { x: 0, y: -1 },
  KeyW: { x: 0, y: -1 },
  ArrowLeft: { x: -1, y: 0 },
  KeyA: { x: -1, y: 0 },
  ArrowDown: { x: 0, y: 1 },
  KeyS: { x: 0, y: 1 },
  ArrowRight: { x: 1, y: 0 },
  KeyD: { x: 1, y: 0 },
};

/** So near to the puck the mouse asks for nothing; in units. */
const NEAR = 50;
/** From there on it asks for all there is; in units. */
const FAR = 260;
/** How far a finger is dragged for all there is; in pixels. */
const DRAG = 56;
/** Directions are told in so many steps around, so that a shaking hand is not a message each. */
const POINTS = 32;

export class Controls {
  /** How many dashes were asked for. */
  dashes = 0;
  /** Where a finger came down and where it is, in pixels of the stage; for drawing. */
  /** @type {{from: Vector, to: Vector} | null} */
  drag = null;

  #stage;
  #toUnits;
  /** @type {Set<string>} */
  #held = new Set();
  /** @type {Vector | null} in units of the floe */
  #mouse = null;
  /** @type {number | null} */
  #finger = null;

  /**
   * @param {HTMLElement} stage
   * @param {(pixels: Vector) => Vector} toUnits
   * @param {Record<string, () => void>} keys further keys, by their code
   */
  constructor(stage, toUnits, keys) {
    this.#stage = stage;
    this.#toUnits = toUnits;
    addEventListener("keydown", (event) => this.#press(event, keys));
    addEventListener("keyup", ({ code }) => this.#held.delete(code));
    addEventListener("blur", () => this.release());
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      stage.addEventListener(name, (event) => this.#up(/** @type {PointerEvent} */ (event)));
    }
    stage.addEventListener("pointerleave", () => (this.#mouse = null));
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** Let go of everything. */
  release() {
    this.#held.clear();
    this.#mouse = this.#finger = this.drag = null;
  }

  /** Ask for a dash. */
  dash() {
    this.dashes += 1;
  }

  /**
   * Where to, no longer than 1.
   *
   * @param {Vector} own where the player is
   * @returns {Vector}
   */
  direction(own) {
    if (this.#held.size > 0) {
      let [x, y] = [0, 0];
      for (const code of this.#held) {
        x += DIRECTIONS[code].x;
        y += DIRECTIONS[code].y;
      }
      return inSteps(Math.sign(x), Math.sign(y));
    }
    if (this.drag !== null) {
      const { from, to } = this.drag;
      return inSteps((to.x - from.x) / DRAG, (to.y - from.y) / DRAG);
    }
    if (this.#mouse !== null) {
      const [x, y] = [this.#mouse.x - own.x, this.#mouse.y - own.y];
      const distance = Math.hypot(x, y);
      if (distance > NEAR) return inSteps(x / FAR, y / FAR);
    }
    return { x: 0, y: 0 };
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Record<string, () => void>} keys
   */
  #press(event, keys) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input")) return;
    if (event.code in DIRECTIONS) {
      this.#held.add(event.code);
      event.preventDefault();
    } else if (event.code === "Space" && !target.matches("button")) {
      if (!event.repeat) this.dash();
      event.preventDefault();
    } else if (event.code in keys && !event.repeat) {
      keys[event.code]();
    }
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (/** @type {HTMLElement} */ (event.target).closest("button")) return;
    if (event.pointerType === "mouse") {
      this.#move(event);
      this.dash();
    } else if (this.#finger === null) {
      this.#finger = event.pointerId;
      const at = this.#pixels(event);
      this.drag = { from: at, to: at };
      this.#stage.setPointerCapture(event.pointerId);
    } else {
      this.dash();
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerType === "mouse") {
      this.#mouse = this.#toUnits(this.#pixels(event));
    } else if (event.pointerId === this.#finger && this.drag !== null) {
      this.drag = { ...this.drag, to: this.#pixels(event) };
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (event.pointerId === this.#finger) this.#finger = this.drag = null;
  }

  /** @param {PointerEvent} event */
  #pixels({ clientX, clientY }) {
    const { left, top } = this.#stage.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {Vector}
 */
function inSteps(x, y) {
  const length = Math.round(Math.min(Math.hypot(x, y), 1) * 4) / 4;
  const angle = (Math.round((Math.atan2(y, x) / (2 * Math.PI)) * POINTS) / POINTS) * 2 * Math.PI;
  return { x: Math.cos(angle) * length, y: Math.sin(angle) * length };
}
