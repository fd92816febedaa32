/** What is beside the ice, in words: scores, the clock, what has happened, and where one is. */
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

/**
 * What has happened, as a sentence; null for what is nothing to one who listens.
 *
 * @param {(string | number)[]} news a word, and ids and numbers; see `World.step`
 * @param {number} own
 * @param {(id: number) => string} nameOf
 * @param {boolean} isCrowd whether so many play that only what concerns oneself is told
 * @returns {string | null}
 */
export function sentence([what, ...more], own, nameOf, isCrowd) {
  const [first, second] = /** @type {number[]} */ (more);
  const isOwn = first === own;
  switch (what) {
    case "fish":
      return isOwn ? "You have caught a fish." : null;
    case "fell":
      if (isOwn) return second ? `${nameOf(second)} has pushed you in.` : "You are in the sea.";
      if (second === own) return `You have pushed ${nameOf(first)} into the sea.`;
      return isCrowd ? null : `${nameOf(first)} is in the sea.`;
    case "came":
      return isOwn || isCrowd ? null : `${nameOf(first)} is here.`;
    case "left":
      return isCrowd ? null : `${nameOf(first)} has gone.`;
    case "round":
      return `Round ${first} begins.`;
    case "over":
      return `The round is over. ${winners(more.slice(1).map(Number), first, own, nameOf)}`;
    default:
      return null;
  }
}

/**
 * @param {number[]} ids
 * @param {number} points
 * @param {number} own
 * @param {(id: number) => string} nameOf
 */
function winners(ids, points, own, nameOf) {
  if (ids.length === 0) return "Nobody has scored.";
  const names = ids.map((id) => (id === own ? "you" : nameOf(id)));
  const listed = names.join(names.length > 2 ? ", " : " and ");
  return `Won with ${points} point${points === 1 ? "" : "s"}: ${listed}.`;
}

/**
 * Where one is, for those who do not see it.
 *
 * @param {{x: number, y: number}} own
 * @param {{name: string, x: number, y: number}[]} others
 * @param {number} radius
 */
export function whereabouts(own, others, radius) {
  const away = Math.hypot(own.x, own.y);
  const place =
    away < radius / 4
      ? "You are in the middle"
      : `You are ${away > radius * 0.75 ? "near the edge" : "halfway out"}, ${towards(own.x, own.y)} of the middle`;
  const near = others
    .map(({ name, x, y }) => ({ name, x: x - own.x, y: y - own.y }))
    .sort((one, other) => Math.hypot(one.x, one.y) - Math.hypot(other.x, other.y))[0];
  if (near === undefined) return `${place}. Nobody else is here.`;
  const far = Math.hypot(near.x, near.y) > radius / 2 ? "far" : "near";
  return `${place}. ${near.name} is ${far}, ${towards(near.x, near.y)} of you.`;
}

const WINDS = ["right", "below right", "below", "below left", "left", "above left", "above"];

/**
 * @param {number} x
 * @param {number} y
 */
function towards(x, y) {
  const eighth = (Math.round((Math.atan2(y, x) / Math.PI) * 4) + 8) % 8;
  return WINDS[eighth] ?? "above right";
}
