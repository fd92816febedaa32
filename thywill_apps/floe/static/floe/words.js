/** What has happened, and where one is, in words. */

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
      : `You are ${away > radius * 0.75 ? "near the edge" : "halfway out"}, ${towards(own.x, own.y)} the middle`;
  const near = others
    .map(({ name, x, y }) => ({ name, x: x - own.x, y: y - own.y }))
    .sort((one, other) => Math.hypot(one.x, one.y) - Math.hypot(other.x, other.y))[0];
  if (near === undefined) return `${place}. Nobody else is here.`;
  const far = Math.hypot(near.x, near.y) > radius / 2 ? "far" : "near";
  return `${place}. ${near.name} is ${far}, ${towards(near.x, near.y)} you.`;
}

const SIDES = [
  "to the right of",
  "below and right of",
  "below",
  "below and left of",
  "to the left of",
  "above and left of",
  "above",
  "above and right of",
];

/**
 * @param {number} x
 * @param {number} y
 */
function towards(x, y) {
  const eighth = (Math.round((Math.atan2(y, x) / Math.PI) * 4) + 8) % 8;
  return SIDES[eighth];
}
