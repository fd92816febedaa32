/** Two plots in SVG, drawn anew for each change: the mean over time, and who gave what. */

/** @typedef {import("./talk.js").Point} Point */

const SVG = "http://www.w3.org/2000/svg";
const LEAST = 1;
const MOST = 5;
const EDGE = { left: 24, right: 12, top: 10, bottom: 24 };
const SHORTEST_SECONDS = 60;

/**
 * The lines of the mean: it stays until it changes, and there is none while nobody rates.
 * @param {Point[]} points
 * @param {number} now in seconds, as the points
 * @param {{width: number, height: number}} size
 * @returns {{lines: string[], from: number}} paths of SVG, and the second at the left end
 */
export function meanLines(points, now, { width, height }) {
  const last = Math.max(now, points.at(-1)?.[0] ?? now);
  const from = Math.min(points[0]?.[0] ?? now, last - SHORTEST_SECONDS);
  const x = (/** @type {number} */ second) =>
    round(EDGE.left + ((second - from) / (last - from)) * (width - EDGE.left - EDGE.right));
  const y = (/** @type {number} */ mean) => round(heightOf(mean, height));
  /** @type {string[]} */
  const lines = [];
  let line = "";
  for (const [second, mean, count] of points) {
    if (line) line += `H${x(second)}`;
    if (count === 0) {
      if (line) lines.push(line);
      line = "";
    } else {
      line += line ? `V${y(mean)}` : `M${x(second)} ${y(mean)}`;
    }
  }
  if (line) lines.push(`${line}H${x(last)}`);
  return { lines, from };
}

/**
 * @param {SVGSVGElement} svg
 * @param {Point[]} points
 * @param {number} now in seconds
 */
export function drawMean(svg, points, now) {
  const size = sizeOf(svg);
  const { lines, from } = meanLines(points, now, size);
  const drawn = [];
  for (let rating = LEAST; rating <= MOST; rating += 1) {
    const y = heightOf(rating, size.height);
    drawn.push(make("line", "grid", { x1: EDGE.left, x2: size.width - EDGE.right, y1: y, y2: y }));
    drawn.push(make("text", "label end", { x: EDGE.left - 8, y: y + 4 }, String(rating)));
  }
  const bottom = size.height - 5;
  drawn.push(make("text", "label", { x: EDGE.left, y: bottom }, ago(now - from)));
  drawn.push(make("text", "label end", { x: size.width - EDGE.right, y: bottom }, "now"));
  for (const line of lines) drawn.push(make("path", "mean", { d: line }));
  const last = points.at(-1);
  if (last !== undefined && last[2] > 0) {
    const place = { cx: size.width - EDGE.right, cy: heightOf(last[1], size.height), r: 4 };
    drawn.push(make("circle", "dot", place));
  }
  svg.querySelector("g")?.replaceChildren(...drawn);
}

/**
 * @param {SVGSVGElement} svg
 * @param {number[]} distribution how many gave 1, 2, 3, 4 and 5
 */
export function drawDistribution(svg, distribution) {
  const { width, height } = sizeOf(svg);
  const step = (width - 8) / distribution.length;
  const floor = height - EDGE.bottom;
  const most = Math.max(...distribution, 3);
  const drawn = [make("line", "grid", { x1: 4, x2: width - 4, y1: floor, y2: floor })];
  distribution.forEach((count, index) => {
    const bar = (count / most) * (floor - 24);
    const x = 4 + index * step;
    const box = { x: x + step * 0.16, y: floor - bar, width: step * 0.68, height: bar, rx: 3 };
    const middle = x + step / 2;
    if (count > 0) {
      drawn.push(make("rect", "bar", box));
      drawn.push(
        make("text", "label middle value", { x: middle, y: floor - bar - 6 }, String(count)),
      );
    }
    drawn.push(make("text", "label middle", { x: middle, y: height - 5 }, String(index + 1)));
  });
  svg.querySelector("g")?.replaceChildren(...drawn);
}

/** @param {number} seconds */
export function ago(seconds) {
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s ago` : `${Math.round(whole / 60)} min ago`;
}

/** One unit of the picture is one pixel, so that text is as large on a phone as elsewhere. @param {SVGSVGElement} svg */
function sizeOf(svg) {
  const width = svg.clientWidth || 320;
  const height = svg.clientHeight || 200;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { width, height };
}

/**
 * @param {number} mean
 * @param {number} height
 */
function heightOf(mean, height) {
  return EDGE.top + ((MOST - mean) / (MOST - LEAST)) * (height - EDGE.top - EDGE.bottom);
}

/**
 * @param {string} name
 * @param {string} className
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function make(name, className, attributes, text) {
  const made = document.createElementNS(SVG, name);
  made.setAttribute("class", className);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
