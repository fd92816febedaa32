/**
 * STOMP heart-beats: each side promises a line end at least so often.
 *
 * @import { Platform } from "../../comet/browser.js"
 */

import { Deadline } from "../../comet/deadline.js";
import { FrameError } from "./frame.js";

/** The other side is dead after this many of its intervals: beats may be late. */
const PATIENCE = 2;

/** A deadline that is found so long overdue was slept through. */
const SLEPT_MS = 2000;

/** Beats leave this much before they are due. */
const EARLY = 0.75;

/** @typedef {readonly [send: number, want: number]} Beat milliseconds; 0: cannot, or need not */

/**
 * @param {Beat} ours
 * @param {string | undefined} header the `heart-beat` header of the other side
 * @returns {{ sendEvery: number, expectEvery: number }} milliseconds; 0: never
 * @throws {FrameError} the header makes no sense
 */
export function negotiate(ours, header = "0,0") {
  const match = /^(\d{1,9}),(\d{1,9})$/.exec(header);
  if (match === null) throw new FrameError(`not a heart-beat header: ${header.slice(0, 40)}`);
  const [theirSend, theirWant] = [Number(match[1]), Number(match[2])];
  const [ourSend, ourWant] = ours;
  return {
    sendEvery: ourSend && theirWant ? Math.max(ourSend, theirWant) : 0,
    expectEvery: theirSend && ourWant ? Math.max(theirSend, ourWant) : 0,
  };
}

export class Heartbeat {
  #sending;
  #expecting;
  #sendEvery;
  #expectWithin;

  /**
   * @param {Platform} platform
   * @param {{ sendEvery: number, expectEvery: number }} agreed
   * @param {() => void} beat sends a beat, and says so with `sent()`
   * @param {() => void} dead the other side is silent
   */
  constructor(platform, { sendEvery, expectEvery }, beat, dead) {
    this.#sendEvery = sendEvery * EARLY;
    this.#expectWithin = expectEvery * PATIENCE;
    this.#sending = new Deadline(platform, beat);
    this.#expecting = new Deadline(platform, (overdue) => {
      // The machine was asleep, and the beats of that time may be on their way.
      if (overdue > SLEPT_MS) this.received();
      else dead();
    });
    this.sent();
    this.received();
  }

  /** Something was sent, be it a frame or a beat. */
  sent() {
    if (this.#sendEvery > 0) this.#sending.within(this.#sendEvery);
  }

  /** Something came in. */
  received() {
    if (this.#expectWithin > 0) this.#expecting.within(this.#expectWithin);
  }

  stop() {
    this.#sending.clear();
    this.#expecting.clear();
  }
}
