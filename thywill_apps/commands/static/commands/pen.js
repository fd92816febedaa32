/** One pen for mouse, touch, stylus and keyboard: it moves, is put down, draws, and is lifted. */

/** @typedef {import("./strokes.js").Point} Point */

const STEP = 10;
const LONG_STEP = 50;
/** A line that never ends is sent in parts of so many points, before they are simplified. */
const MAX_POINTS = 2000;

/** @type {Record<string, Point>} */
const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Pen {
  /** @type {(points: Point[]) => void} the line so far; empty when it is given up */
  onLine = () => {};
  /** @type {(points: Point[]) => void} a line is finished */
  onStroke = () => {};
  /** @type {(at: Point | null, isDown: boolean) => void} the pen is somewhere; null: nowhere */
  onMove = () => {};
  /** @type {() => void} undo is asked for, by its keys */
  onUndo = () => {};
  /** @type {(what: string) => void} for those who do not see the pen */
  onSay = () => {};

  #board;
  #mark;
  #size;
  /** @type {Point} where the keyboard's pen is */
  #at;
  /** @type {Point[] | null} the line that is being drawn */
  #line = null;
  /** @type {number | null} the pointer that draws; others wait */
  #pointer = null;

  /**
   * @param {SVGSVGElement} board
   * @param {Element} mark shows where the keyboard's pen is
   * @param {{width: number, height: number}} size
   */
  constructor(board, mark, size) {
    this.#board = board;
    this.#mark = mark;
    this.#size = size;
    this.#at = [size.width / 2, size.height / 2];
    this.#place(this.#at);
    board.addEventListener("pointerdown", (event) => this.#down(event));
    board.addEventListener("pointermove", (event) => this.#moved(event));
    board.addEventListener("pointerup", (event) => this.#up(event));
    board.addEventListener("pointercancel", (event) => this.#up(event, true));
    board.addEventListener("pointerleave", () => this.#line === null && this.onMove(null, false));
    board.addEventListener("keydown", (event) => this.#key(event));
    board.addEventListener("blur", () => this.#pointer === null && this.#finish());
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || this.#pointer !== null) return;
    this.#finish();
    this.#pointer = event.pointerId;
    this.#board.setPointerCapture(event.pointerId);
    this.#board.classList.add("by-pointer");
    this.#begin(this.#point(event));
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    if (this.#pointer === null) {
      const isHovering = event.pointerType === "mouse" && this.#line === null;
      if (isHovering) this.onMove(this.#point(event), false);
      return;
    }
    if (event.pointerId !== this.#pointer) return;
    // A browser hands over several movements at once; each is a point.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event]) this.#draw(this.#point(each));
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} [isGivenUp]
   */
  #up(event, isGivenUp = false) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    if (isGivenUp) this.#giveUp();
    else this.#finish();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const arrow = ARROWS[event.key];
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (arrow !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const step = event.shiftKey ? LONG_STEP : STEP;
      this.#place([this.#at[0] + arrow[0] * step, this.#at[1] + arrow[1] * step]);
      if (this.#line !== null) this.#draw(this.#at);
      else this.onMove(this.#at, false);
    } else if (event.key === " " || event.key === "Enter") {
      if (event.repeat) return event.preventDefault();
      if (this.#line === null) {
        this.#begin(this.#at);
        this.onSay("pen down");
      } else {
        this.#finish();
      }
    } else if (event.key === "Escape" && this.#line !== null) {
      this.#giveUp();
      this.onSay("line given up");
    } else if (isUndo) {
      this.onUndo();
    } else {
      return;
    }
    this.#board.classList.remove("by-pointer");
    event.preventDefault();
  }

  /** @param {Point} at */
  #begin(at) {
    this.#line = [at];
    this.#mark.classList.add("down");
    this.onLine(this.#line);
    this.onMove(at, true);
  }

  /** @param {Point} at */
  #draw(at) {
    if (this.#line === null) return;
    this.#line.push(at);
    if (this.#line.length >= MAX_POINTS) {
      this.#finish();
      return this.#begin(at);
    }
    this.onLine(this.#line);
    this.onMove(at, true);
  }

  #finish() {
    if (this.#line === null) return;
    const line = this.#line;
    this.#giveUp();
    this.onStroke(line);
  }

  #giveUp() {
    const at = this.#line?.at(-1) ?? null;
    this.#line = null;
    this.#mark.classList.remove("down");
    this.onLine([]);
    this.onMove(at, false);
  }

  /** @param {Point} at */
  #place([x, y]) {
    this.#at = this.#within(x, y);
    this.#mark.setAttribute("transform", `translate(${this.#at.join(" ")})`);
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const frame = this.#board.getBoundingClientRect();
    const x = ((event.clientX - frame.left) / frame.width) * this.#size.width;
    const y = ((event.clientY - frame.top) / frame.height) * this.#size.height;
    return this.#within(x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Point}
   */
  #within(x, y) {
    const { width, height } = this.#size;
    return [
      Math.min(width, Math.max(0, Math.round(x))),
      Math.min(height, Math.max(0, Math.round(y))),
    ];
  }
}
