/**
 * The others, a little behind the server.
 *
 * Ticks come 20 times a second, and not quite evenly. Shown as they come, everything would twitch;
 * so the others are shown where they were a moment ago, between two ticks that are both known. How
 * long that moment is follows from how unevenly ticks come.
 *
 * When the network stutters, ticks come late and all at once. They are all taken at once too, and
 * the time that is shown goes on by the clock: nothing is replayed in slow motion.
 */

/** @typedef {{x: number, y: number, vx: number, vy: number, state: number}} Seen */
/** @typedef {Seen & {number: number, held: number, tick: number}} Told */
/** @typedef {{name: string, score: number}} Person */

export const ASLEEP = 1;
export const IN_THE_SEA = 2;
export const SHIELDED = 4;

/** How many ticks are kept. */
const KEPT = 40;
/** How many ticks behind the newest is shown, when they come evenly; and at most. */
const LEAST_BEHIND = 2;
const MOST_BEHIND = 6;
/** For how many ticks somebody goes straight on when nothing comes any more. */
const MOST_GUESSED = 3;
/** Nobody goes that far in one tick, in units: it is another place. */
const FURTHEST = 250;

export class Timeline {
  /** @type {Map<number, Told>} as it was told last */
  bodies = new Map();
  /** @type {Map<number, Person>} */
  people = new Map();
  /** @type {[number, number, number][]} id, x, y */
  fish = [];
  round = 1;
  isBreak = false;
  radius = 1000;
  ticksLeft = 0;
  /** The newest tick; -1 for none. */
  tick = -1;

  /** The first tick after those that are missing; what was told before it may have changed. */
  #gapEnd = -1;
  #millisecondsPerTick;
  /** @type {{tick: number, bodies: Map<number, Told>, radius: number}[]} oldest first */
  #moments = [];
  /** @type {number[]} when ticks came, each less the time that its number stands for */
  #delays = [];
  #unevenness = 0;

  /** @param {number} ticksPerSecond */
  constructor(ticksPerSecond) {
    this.#millisecondsPerTick = 1000 / ticksPerSecond;
  }

  /**
   * Begin with a whole frame, whatever was before.
   *
   * @param {any} frame
   * @param {number} now milliseconds
   */
  begin(frame, now) {
    this.tick = this.#gapEnd = -1;
    this.#moments = [];
    this.#delays = [];
    this.add(frame, now);
  }

  /**
   * Take what the server has told.
   *
   * @param {any} frame as in `frames.py`
   * @param {number} now milliseconds
   * @returns {boolean} whether it was new
   */
  add(frame, now) {
    if (frame.t <= this.tick) {
      // A whole frame from long ago is of another world: the server was started anew.
      if (!frame.k || frame.t > this.tick - KEPT) return false;
      this.begin(frame, now);
      return true;
    }
    this.#keepTime(frame.t, now);
    if (frame.t > this.tick + 1 && !frame.k) this.#gapEnd = frame.t;
    this.tick = frame.t;
    this.radius = frame.r;
    this.ticksLeft = frame.l;
    this.bodies = new Map(frame.k ? [] : this.bodies);
    if (frame.k) this.people.clear();
    for (const [id, x, y, vx, vy, state, number, held] of frame.b ?? []) {
      this.bodies.set(id, { x, y, vx, vy, state, number, held, tick: frame.t });
    }
    for (const [id, name, score] of frame.w ?? []) this.people.set(id, { name, score });
    for (const id of frame.g ?? []) {
      this.bodies.delete(id);
      this.people.delete(id);
    }
    if (frame.f !== undefined) this.fish = frame.f;
    else if (frame.k) this.fish = [];
    if (frame.p !== undefined) {
      [this.round, this.isBreak] = [frame.p[0], frame.p[1] === 1];
    }
    this.#moments.push({ tick: frame.t, bodies: this.bodies, radius: frame.r });
    if (this.#moments.length > KEPT) this.#moments.shift();
    return true;
  }

  /**
   * Whether it is known where somebody is: told since ticks were missing, if they were.
   *
   * @param {number} id
   */
  isSure(id) {
    return (this.bodies.get(id)?.tick ?? -1) >= this.#gapEnd;
  }

  /**
   * Who is where, and how large the floe, in the moment that is shown now.
   *
   * @param {number} now milliseconds
   * @returns {{bodies: Map<number, Seen>, radius: number}}
   */
  at(now) {
    const wanted = this.shownTick(now);
    const later = this.#moments.findIndex((moment) => moment.tick > wanted);
    if (later === -1) return this.#guessed(wanted);
    const to = this.#moments[later];
    const from = this.#moments[Math.max(later - 1, 0)];
    const share = clamp((wanted - from.tick) / Math.max(to.tick - from.tick, 1), 0, 1);
    const bodies = new Map();
    for (const [id, body] of to.bodies) {
      bodies.set(id, between(from.bodies.get(id) ?? body, body, share));
    }
    return { bodies, radius: from.radius + (to.radius - from.radius) * share };
  }

  /**
   * The tick that is shown, with its fraction.
   *
   * @param {number} now milliseconds
   */
  shownTick(now) {
    if (this.#delays.length === 0) return this.tick;
    const behind = clamp(LEAST_BEHIND + 2 * this.#unevenness, LEAST_BEHIND, MOST_BEHIND);
    return (now - Math.min(...this.#delays)) / this.#millisecondsPerTick - behind;
  }

  /** @param {number} wanted */
  #guessed(wanted) {
    const last = this.#moments.at(-1);
    if (last === undefined) return { bodies: new Map(), radius: this.radius };
    const ticks = clamp(wanted - last.tick, 0, MOST_GUESSED);
    const seconds = (ticks * this.#millisecondsPerTick) / 1000;
    const bodies = new Map();
    for (const [id, body] of last.bodies) {
      const { x, y, vx, vy, state } = body;
      bodies.set(id, { x: x + vx * seconds, y: y + vy * seconds, vx, vy, state });
    }
    return { bodies, radius: last.radius };
  }

  /**
   * The earliest of the last ticks, for its number, shows how the clocks of both sides relate.
   *
   * @param {number} tick
   * @param {number} now
   */
  #keepTime(tick, now) {
    const delay = now - tick * this.#millisecondsPerTick;
    this.#delays.push(delay);
    if (this.#delays.length > KEPT) this.#delays.shift();
    const late = (delay - Math.min(...this.#delays)) / this.#millisecondsPerTick;
    // A long stutter says nothing of how even the ticks after it are.
    this.#unevenness += (Math.min(late, MOST_BEHIND) - this.#unevenness) / 20;
  }
}

/**
 * @param {Seen} from
 * @param {Seen} to
 * @param {number} share
 * @returns {Seen}
 */
function between(from, to, share) {
  if (Math.hypot(to.x - from.x, to.y - from.y) > FURTHEST) return to;
  return {
    ...to,
    x: from.x + (to.x - from.x) * share,
    y: from.y + (to.y - from.y) * share,
  };
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
