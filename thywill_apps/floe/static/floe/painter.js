/** The floe on a canvas: sea, ice, fish, players. Colors are the style sheet's. */
import { ASLEEP, IN_THE_SEA, SHIELDED } from "./timeline.js";

/** @typedef {{x: number, y: number}} Vector */
/** @typedef {import("./timeline.js").Seen & {id: number, name: string, isOwn: boolean}} Shown */
/** @typedef {{radius: number, players: Shown[], fish: [number, number, number][],
 *   drag: {from: Vector, to: Vector} | null, mayDash: boolean}} Scene */

const COLORS = ["sea", "wave", "ice", "ice-edge", "ice-line", "ink", "paper", "accent", "fish"];
/** A turn of the color wheel after which neighbors differ most. */
const GOLDEN_ANGLE = 137.508;
const RIPPLE_MS = 700;
const REACH = 1080;
/** Where a unit is less than so many pixels, more names than that would hide each other. */
const CROWDED_SCALE = 0.25;
const CROWD = 6;

export class Painter {
  #canvas;
  #context;
  #rules;
  /** @type {Record<string, string>} */
  #colors = {};
  #isDark = matchMedia("(prefers-color-scheme: dark)");
  #isCalm = matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {{x: number, y: number, at: number}[]} */
  #ripples = [];
  /** Pixels of the style sheet for one unit, and where the middle is. */
  #scale = 1;
  #middle = { x: 0, y: 0 };

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Record<string, number>} rules
   */
  constructor(canvas, rules) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#rules = rules;
    this.#isDark.addEventListener("change", () => this.#readColors());
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#readColors();
    this.#resize();
  }

  /**
   * Where a pixel of the canvas is on the floe.
   *
   * @param {Vector} pixels
   * @returns {Vector}
   */
  toUnits({ x, y }) {
    return { x: (x - this.#middle.x) / this.#scale, y: (y - this.#middle.y) / this.#scale };
  }

  /**
   * Somebody has fallen into the sea here.
   *
   * @param {Vector} where
   * @param {number} now milliseconds
   */
  splash({ x, y }, now) {
    if (!this.#isCalm.matches) this.#ripples.push({ x, y, at: now });
  }

  /**
   * @param {Scene} scene
   * @param {number} now milliseconds
   */
  draw(scene, now) {
    const context = this.#context;
    const pixels = this.#canvas.width / Math.max(this.#canvas.clientWidth, 1);
    context.setTransform(pixels, 0, 0, pixels, 0, 0);
    context.fillStyle = this.#colors.sea;
    context.fillRect(0, 0, this.#canvas.clientWidth, this.#canvas.clientHeight);
    context.translate(this.#middle.x, this.#middle.y);
    context.scale(this.#scale, this.#scale);
    this.#drawIce(scene.radius);
    this.#drawRipples(now);
    for (const [, x, y] of scene.fish) this.#drawFish(x, y);
    const [own, others] = [true, false].map((isOwn) =>
      scene.players.filter((player) => player.isOwn === isOwn),
    );
    // One's own is on top, and names are above everybody.
    for (const player of [...others, ...own]) this.#drawPuck(player, scene.mayDash);
    const isCrowded = this.#scale < CROWDED_SCALE && scene.players.length > CROWD;
    for (const player of isCrowded ? own : [...others, ...own]) this.#drawName(player);
    if (scene.drag !== null) this.#drawDrag(scene.drag);
  }

  /** @param {number} radius */
  #drawIce(radius) {
    const context = this.#context;
    const whole = this.#rules.radius;
    context.strokeStyle = this.#colors.wave;
    context.lineWidth = 5;
    context.setLineDash([26, 22]);
    this.#circle(0, 0, whole);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = this.#colors["ice-edge"];
    this.#circle(0, 14, radius);
    context.fill();
    context.fillStyle = this.#colors.ice;
    this.#circle(0, 0, radius);
    context.fill();
    context.strokeStyle = this.#colors["ice-line"];
    context.lineWidth = 3;
    for (const share of [1 / 3, 2 / 3]) {
      this.#circle(0, 0, radius * share);
      context.stroke();
    }
  }

  /** @param {number} now */
  #drawRipples(now) {
    const context = this.#context;
    this.#ripples = this.#ripples.filter(({ at }) => now - at < RIPPLE_MS);
    for (const { x, y, at } of this.#ripples) {
      const share = (now - at) / RIPPLE_MS;
      context.globalAlpha = 1 - share;
      context.strokeStyle = this.#colors.accent;
      context.lineWidth = 10;
      this.#circle(x, y, 40 + 120 * share);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #drawFish(x, y) {
    const context = this.#context;
    const size = this.#rules.fish;
    context.fillStyle = this.#colors.fish;
    context.beginPath();
    context.ellipse(x + size * 0.2, y, size, size * 0.58, 0, 0, 2 * Math.PI);
    context.moveTo(x - size * 0.5, y);
    context.lineTo(x - size * 1.35, y - size * 0.6);
    context.lineTo(x - size * 1.35, y + size * 0.6);
    context.closePath();
    context.fill();
    context.fillStyle = this.#colors.ice;
    this.#circle(x + size * 0.7, y - size * 0.12, size * 0.14);
    context.fill();
  }

  /**
   * @param {Shown} player
   * @param {boolean} mayDash
   */
  #drawPuck({ id, x, y, vx, vy, state, isOwn }, mayDash) {
    const context = this.#context;
    const size = this.#rules.puck;
    if (state & IN_THE_SEA) return;
    context.globalAlpha = state & ASLEEP ? 0.45 : state & SHIELDED ? 0.75 : 1;
    context.fillStyle = this.#colors["ice-line"];
    this.#circle(x, y + 8, size);
    context.fill();
    context.fillStyle = colorOf(id, this.#isDark.matches);
    this.#circle(x, y, size);
    context.fill();
    context.lineWidth = isOwn ? 12 : 4;
    context.strokeStyle = this.#colors.ink;
    this.#circle(x, y, size - context.lineWidth / 2);
    context.stroke();
    if (state & SHIELDED) {
      context.setLineDash([20, 16]);
      context.lineWidth = 6;
      this.#circle(x, y, size + 14);
      context.stroke();
      context.setLineDash([]);
    }
    if (isOwn && mayDash && !(state & ASLEEP)) {
      context.lineWidth = 6;
      context.strokeStyle = this.#colors.accent;
      this.#circle(x, y, size + 9);
      context.stroke();
    }
    this.#drawFace(x, y, vx, vy, (state & ASLEEP) !== 0);
    context.globalAlpha = 1;
  }

  /**
   * Two eyes that look where it goes.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} vx
   * @param {number} vy
   * @param {boolean} isAsleep
   */
  #drawFace(x, y, vx, vy, isAsleep) {
    const context = this.#context;
    const size = this.#rules.puck;
    const speed = Math.hypot(vx, vy);
    const ahead = Math.min(speed / 500, 1) * size * 0.22;
    const [dx, dy] = speed > 0 ? [(vx / speed) * ahead, (vy / speed) * ahead] : [0, 0];
    for (const side of [-1, 1]) {
      const [ex, ey] = [x + side * size * 0.3 + dx, y - size * 0.1 + dy];
      if (isAsleep) {
        context.strokeStyle = "#14181c";
        context.lineWidth = 5;
        context.beginPath();
        context.arc(ex, ey - 4, size * 0.17, 0.2 * Math.PI, 0.8 * Math.PI);
        context.stroke();
        continue;
      }
      context.fillStyle = "#ffffff";
      this.#circle(ex, ey, size * 0.21);
      context.fill();
      context.fillStyle = "#14181c";
      this.#circle(ex + dx * 0.3, ey + dy * 0.3, size * 0.11);
      context.fill();
    }
  }

  /** @param {Shown} player */
  #drawName({ x, y, state, name, isOwn }) {
    const context = this.#context;
    if (state & IN_THE_SEA) return;
    // Of the same size on a phone, where the floe is small.
    const size = Math.max(34, 11 / this.#scale);
    context.font = `${isOwn ? 700 : 500} ${size}px ${getComputedStyle(this.#canvas).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineJoin = "round";
    context.lineWidth = size / 4;
    context.strokeStyle = this.#colors.ice;
    context.fillStyle = this.#colors.ink;
    const text = state & ASLEEP ? `${name} · asleep` : name;
    const below = y + this.#rules.puck + 12;
    context.strokeText(text, x, below);
    context.fillText(text, x, below);
  }

  /** @param {{from: Vector, to: Vector}} drag */
  #drawDrag({ from, to }) {
    const context = this.#context;
    const [start, end] = [this.toUnits(from), this.toUnits(to)];
    context.globalAlpha = 0.5;
    context.strokeStyle = this.#colors.accent;
    context.lineWidth = 3 / this.#scale;
    this.#circle(start.x, start.y, 30 / this.#scale);
    context.stroke();
    context.fillStyle = this.#colors.accent;
    this.#circle(end.x, end.y, 14 / this.#scale);
    context.fill();
    context.globalAlpha = 1;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   */
  #circle(x, y, radius) {
    this.#context.beginPath();
    this.#context.arc(x, y, Math.max(radius, 0), 0, 2 * Math.PI);
  }

  #readColors() {
    const style = getComputedStyle(this.#canvas);
    for (const name of COLORS) this.#colors[name] = style.getPropertyValue(`--${name}`).trim();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const pixels = Math.min(devicePixelRatio || 1, 2);
    this.#canvas.width = Math.round(width * pixels);
    this.#canvas.height = Math.round(height * pixels);
    this.#scale = Math.max(Math.min(width, height) / 2 / REACH, 0.01);
    this.#middle = { x: width / 2, y: height / 2 };
  }
}

/**
 * The color of a player, the same in every page.
 *
 * @param {number} id
 * @param {boolean} isDark
 */
export function colorOf(id, isDark) {
  return `hsl(${Math.round(id * GOLDEN_ANGLE) % 360} ${isDark ? "60% 58%" : "68% 62%"})`;
}
