/**
 * What a page shows when it cannot go on: why, and a link that loads it again.
 *
 *     import { watchEnd } from "../thywill/ended.js";
 *
 *     watchEnd(thywill, document.getElementById("problem"));
 */

/**
 * Watch for the end of a page's connection, and for a start that fails; tell it behind an element.
 *
 * @param {any} thywill
 * @param {HTMLElement} problem where the page shows trouble; what it shows later hides nothing
 * @param {() => string | null} [why] the application's own reason, where it knows a better one
 */
export function watchEnd(thywill, problem, why = () => null) {
  const tell = () => {
    showEnd(problem, why() ?? thywill.push.lastError?.message ?? "The connection has ended");
  };
  thywill.on("state", (/** @type {string} */ state, /** @type {string} */ previous) => {
    if (state === "closed") tell();
    else if (previous === "closed") shown.get(problem)?.remove(); // the page opens it again
  });
  thywill.application.ready().catch((/** @type {any} */ error) => {
    if (thywill.state !== "closed") problem.textContent = error.message;
    problem.hidden = thywill.state === "closed"; // then it is told
  });
}

/** What tells the end, by the element that it stands behind. @type {Map<Element, Element>} */
const shown = new Map();

/**
 * Show why a page cannot go on.
 *
 * @param {HTMLElement} problem the element to stand behind, which is hidden
 * @param {string} why
 */
export function showEnd(problem, why) {
  const page = problem.ownerDocument;
  const link = page.createElement("a");
  link.textContent = "Load the page again";
  link.href = page.location.href;
  link.addEventListener("click", (event) => {
    event.preventDefault(); // an address with a # would stay where it is
    page.location.reload();
  });
  const end = page.createElement("p");
  end.className = problem.className;
  end.setAttribute("role", "alert");
  end.append(`${sentence(why)} `, link);
  shown.get(problem)?.remove();
  shown.set(problem, end);
  problem.after(end);
  problem.hidden = true;
}

/**
 * Make a sentence of its own of an error's message; what the link says need not stand there too.
 *
 * @param {string} why
 */
function sentence(why) {
  return why.replace(/(; load (the page|it) again)?\.?$/, ".");
}
