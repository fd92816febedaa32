/**
 * One's own puck, ahead of the server.
 *
 * A key that is pressed reaches the server some time later, and what comes of it is told later
 * still. So the page moves its own puck at once, by the rules of the server, and remembers what it
 * has done in each tick. What the server tells is where the puck *was*, with the number of the
 * steering that it went by and for how many ticks: from there, what was done since is done again.
 *
 *     steering 7 sent |  o  o  o  o  o  o      what this page did, tick by tick
 *     server: "7, for 2 ticks, at (x, y)"  ->  put it to (x, y), and do the last four again
 *
 * The difference to what was shown, if any, goes away within a fraction of a second.
 */

/** @typedef {{x: number, y: number, vx: number, vy: number}} Body */
/** @typedef {{x: number, y: number, isDash?: boolean, isBraking?: boolean}} Push */

/** How many ticks are done again at most. What was told of a moment before them is too old. */
const MOST_REPLAYED = 60;
/** A steering that the server does not know after so many ticks may never reach it. */
const MOST_AWAITED = 8;
/** A difference larger than that, in units, is not smoothed: it is another place. */
const FURTHEST_SMOOTHED = 300;
/** Which share of a difference is left after a tick. */
const KEPT = 0.75;

export class Prediction {
  #rules;
  /** @type {Body} */
  #body = { x: 0, y: 0, vx: 0, vy: 0 };
  /** @type {Body} a tick ago */
  #before = this.#body;
  #offset = { x: 0, y: 0 };
  /** @type {Push[]} what was done, the newest last */
  #pushes = [];
  /** How many ticks there were. */
  #now = 0;
  #dashAt = 0;
  /** @type {Map<number, number>} from which tick on a steering counts, by its number */
  #starts = new Map();

  /** @param {Record<string, number>} rules as the server has told them */
  constructor(rules) {
    this.#rules = rules;
  }

  /**
   * Begin somewhere.
   *
   * @param {Body} body
   */
  begin({ x, y, vx, vy }) {
    this.#body = this.#before = { x, y, vx, vy };
    this.#offset = { x: 0, y: 0 };
    this.#pushes = [];
  }

  /** Forget what was sent: the numbers begin anew. */
  forget() {
    this.#starts.clear();
  }

  /**
   * A steering is sent now.
   *
   * @param {number} number
   */
  sent(number) {
    this.#starts.set(number, this.#now);
  }

  /**
   * Move on by one tick.
   *
   * @param {Push} push where to, no longer than 1, whether a dash is asked for, and whether the
   *   server brakes, as far as is known
   */
  step({ x, y, isDash = false, isBraking = false }) {
    const dashes = isDash && this.#now >= this.#dashAt && (x !== 0 || y !== 0);
    if (dashes) {
      this.#dashAt = this.#now + this.#rules.dash_seconds * this.#rules.ticks_per_second;
    }
    const push = { x, y, isDash: dashes, isBraking };
    this.#pushes.push(push);
    if (this.#pushes.length > MOST_REPLAYED) this.#pushes.shift();
    this.#before = this.#body;
    this.#body = moved(this.#body, push, this.#rules);
    this.#offset = { x: this.#offset.x * KEPT, y: this.#offset.y * KEPT };
    this.#now += 1;
  }

  /**
   * The server has told where the puck was.
   *
   * @param {Body} body
   * @param {number} number the steering that it went by
   * @param {number} held for how many ticks
   */
  correct(body, number, held) {
    const start = this.#starts.get(number);
    let from = start === undefined ? this.#now : start + held;
    const next = this.#starts.get(number + 1) ?? from;
    if (this.#now - next <= MOST_AWAITED) from = Math.min(from, next);
    const replayed = Math.max(this.#now - from, 0);
    if (replayed > this.#pushes.length) return;
    const { x, y } = this.position(1);
    const [dx, dy] = [this.#body.x - this.#before.x, this.#body.y - this.#before.y];
    this.#before = { ...body, x: body.x - dx, y: body.y - dy };
    this.#body = { x: body.x, y: body.y, vx: body.vx, vy: body.vy };
    for (const push of this.#pushes.slice(this.#pushes.length - replayed)) {
      this.#before = this.#body;
      this.#body = moved(this.#body, push, this.#rules);
    }
    this.#offset = { x: x - this.#body.x, y: y - this.#body.y };
    if (Math.hypot(this.#offset.x, this.#offset.y) > FURTHEST_SMOOTHED) {
      this.#offset = { x: 0, y: 0 };
    }
    for (const old of this.#starts.keys()) {
      if (old < number) this.#starts.delete(old);
    }
  }

  /**
   * Where to draw it.
   *
   * @param {number} share of the tick that has passed, 0 to 1
   * @returns {{x: number, y: number}}
   */
  position(share) {
    const { x, y } = this.#before;
    return {
      x: x + (this.#body.x - x) * share + this.#offset.x,
      y: y + (this.#body.y - y) * share + this.#offset.y,
    };
  }

  /** How fast it goes. */
  get speed() {
    return { x: this.#body.vx, y: this.#body.vy };
  }

  /** Whether a dash would be one now. */
  get mayDash() {
    return this.#now >= this.#dashAt;
  }
}

/**
 * A puck, one tick later; the same lines as in `bodies.py`.
 *
 * @param {Body} body
 * @param {Push} push
 * @param {Record<string, number>} rules
 * @returns {Body}
 */
export function moved(body, push, rules) {
  let { x, y, vx, vy } = body;
  if (push.isDash) {
    const length = Math.hypot(push.x, push.y);
    [vx, vy] = bounded(
      vx + (rules.dash * push.x) / length,
      vy + (rules.dash * push.y) / length,
      rules,
    );
  }
  const seconds = 1 / rules.ticks_per_second / rules.steps_per_tick;
  const kept = Math.exp(-(push.isBraking ? rules.brake : rules.drag) * seconds);
  for (let step = 0; step < rules.steps_per_tick; step += 1) {
    [vx, vy] = bounded(
      (vx + push.x * rules.push * seconds) * kept,
      (vy + push.y * rules.push * seconds) * kept,
      rules,
    );
    x += vx * seconds;
    y += vy * seconds;
  }
  return { x, y, vx, vy };
}

/**
 * @param {number} vx
 * @param {number} vy
 * @param {Record<string, number>} rules
 */
function bounded(vx, vy, rules) {
  const slower = Math.min(1, rules.max_speed / Math.max(Math.hypot(vx, vy), 1e-9));
  return [vx * slower, vy * slower];
}
