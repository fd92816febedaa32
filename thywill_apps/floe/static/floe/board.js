/** What is beside the ice: scores, the clock, and what is said for a while. */
import { colorOf } from "./painter.js";
import { ASLEEP } from "./timeline.js";

/** @typedef {import("./timeline.js").Timeline} Timeline */

const isDark = matchMedia("(prefers-color-scheme: dark)");

/**
 * An element that the page has.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * Say something for a while, or until it is taken back with null.
 *
 * @param {string} id
 * @param {string | null} text
 */
export function say(id, text) {
  if (element(id).textContent !== (text ?? "")) element(id).textContent = text;
  element(id).hidden = text === null;
}

/**
 * The list of players, the best first.
 *
 * @param {Timeline} timeline
 * @param {number} own
 */
export function showPlayers(timeline, own) {
  const best = [...timeline.people].sort(
    ([oneId, one], [otherId, other]) => other.score - one.score || oneId - otherId,
  );
  const lines = best.map(([id, { name, score }]) => {
    const line = document.createElement("li");
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.style.background = colorOf(id, isDark.matches);
    const isAsleep = ((timeline.bodies.get(id)?.state ?? 0) & ASLEEP) !== 0;
    const called = document.createElement("span");
    called.className = "called";
    called.textContent = `${name}${id === own ? " (you)" : ""}${isAsleep ? ", asleep" : ""}`;
    const points = document.createElement("b");
    points.textContent = String(score);
    line.append(mark, called, points);
    line.classList.toggle("asleep", isAsleep);
    if (id === own) line.setAttribute("aria-current", "true");
    return line;
  });
  element("players").replaceChildren(...lines);
}

/**
 * Round and time.
 *
 * @param {Timeline} timeline
 * @param {number} ticksPerSecond
 */
export function showClock({ round, isBreak, ticksLeft }, ticksPerSecond) {
  const seconds = Math.max(0, Math.ceil(ticksLeft / ticksPerSecond));
  const [minutes, rest] = [Math.floor(seconds / 60), String(seconds % 60).padStart(2, "0")];
  const title = isBreak ? `Round ${round + 1} begins in` : `Round ${round}`;
  for (const [id, text] of [
    ["round", title],
    ["time", `${minutes}:${rest}`],
  ]) {
    if (element(id).textContent !== text) element(id).textContent = text;
  }
}
