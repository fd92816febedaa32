/**
 * Strokes as numbers: fewer points where they say nothing, the form that is sent, the path that is
 * drawn. A stroke is sent as its first point, and then the steps from each to the next.
 */

/** @typedef {[number, number]} Point */

/**
 * Leave out points that lie within a tolerance of the line between others (Ramer, Douglas and
 * Peucker).
 *
 * @param {Point[]} points
 * @param {number} tolerance in the board's units
 * @returns {Point[]}
 */
export function simplify(points, tolerance) {
  if (points.length < 3) return points.slice();
  const stays = new Set([0, points.length - 1]);
  const open = [[0, points.length - 1]];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const [first, last] = part;
    let farthest = 0;
    let most = tolerance;
    for (let index = first + 1; index < last; index += 1) {
      const away = distance(points[index], points[first], points[last]);
      if (away > most) [farthest, most] = [index, away];
    }
    if (farthest > 0) {
      stays.add(farthest);
      open.push([first, farthest], [farthest, last]);
    }
  }
  return points.filter((_, index) => stays.has(index));
}

/**
 * Cut a line that has more points than a stroke may have; each part begins where the last ended.
 *
 * @param {Point[]} points
 * @param {number} most points of one part
 * @returns {Point[][]}
 */
export function parts(points, most) {
  const found = [];
  for (let start = 0; start === 0 || start < points.length - 1; start += most - 1) {
    found.push(points.slice(start, start + most));
  }
  return found;
}

/**
 * @param {Point} point
 * @param {Point} from
 * @param {Point} to
 * @returns {number} how far a point is from the line between two others
 */
function distance([x, y], [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : ((x - x1) * dx + (y - y1) * dy) / length;
  const at = Math.min(1, Math.max(0, share));
  return Math.hypot(x - x1 - at * dx, y - y1 - at * dy);
}

/**
 * @param {Point[]} points
 * @returns {number[]} whole numbers, as they are sent
 */
export function encode(points) {
  let [x, y] = [0, 0];
  return points.flatMap((point) => {
    const [newX, newY] = point.map(Math.round);
    const step = [newX - x, newY - y];
    [x, y] = [newX, newY];
    return step;
  });
}

/**
 * @param {number[]} numbers as they are sent
 * @returns {Point[]}
 */
export function decode(numbers) {
  let [x, y] = [0, 0];
  /** @type {Point[]} */
  const points = [];
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    x += numbers[index];
    y += numbers[index + 1];
    points.push([x, y]);
  }
  return points;
}

/** How far from a corner its curve begins and ends, at most. */
const ROUNDING = 14;

/**
 * Give a path: close points become a curve, and far ones lines with a round corner between them, so
 * that it never leaves what was drawn.
 *
 * @param {Point[]} points
 * @returns {string}
 */
export function pathOf(points) {
  if (points.length === 0) return "";
  const [start, ...rest] = points;
  let at = text(start);
  if (rest.length === 0) return `M${at}h0`;
  let path = `M${at}`;
  rest.slice(0, -1).forEach((corner, index) => {
    const before = text(towards(corner, points[index]));
    const after = text(towards(corner, rest[index + 1]));
    path += (before === at ? "" : `L${before}`) + `Q${text(corner)} ${after}`;
    at = after;
  });
  return `${path}L${text(rest[rest.length - 1])}`;
}

/**
 * @param {Point} corner
 * @param {Point} other
 * @returns {Point} on the way from one to the other, half of it at most
 */
function towards([x, y], [otherX, otherY]) {
  const length = Math.hypot(otherX - x, otherY - y);
  const share = length === 0 ? 0 : Math.min(0.5, ROUNDING / length);
  return [x + share * (otherX - x), y + share * (otherY - y)];
}

/** @param {Point} point */
function text([x, y]) {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
