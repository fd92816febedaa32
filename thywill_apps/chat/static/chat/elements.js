/** Finding and making elements. */

/**
 * @param {string} id of an element that is there
 * @returns {HTMLElement}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no element "${id}"`);
  }
  return found;
}

/**
 * @param {string} name
 * @param {string} className
 * @param {string} [text]
 */
export function make(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}

/**
 * @param {string} id of an element with a sentence, which is hidden without one
 * @param {string | null} sentence
 */
export function show(id, sentence) {
  element(id).textContent = sentence ?? "";
  element(id).hidden = !sentence;
}
