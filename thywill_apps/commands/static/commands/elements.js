/** Elements of the page. Texts go in as text; nothing here makes HTML of them. */

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} id */
export function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element "${id}"`);
  return found;
}

/**
 * @param {string} name
 * @param {string} className
 * @param {string} [text]
 */
export function make(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
export function makeSvg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** @param {string | null} text what went wrong; null when all is well */
export function showProblem(text) {
  const problem = element("problem");
  problem.textContent = text ?? "";
  problem.hidden = text === null;
}

let lastQuiet = -Infinity;

/**
 * Tell those who listen to the page.
 *
 * @param {string} text
 * @param {number} [quietSeconds] for what comes often: how long nothing more of its kind is told
 */
export function announce(text, quietSeconds = 0) {
  const now = performance.now();
  if (now - lastQuiet < quietSeconds * 1000) return;
  if (quietSeconds > 0) lastQuiet = now;
  element("announcement").textContent = text;
}
