/**
 * Where something small may float over a page that it knows nothing of, and hide no control.
 *
 * It stays where it is while nothing is below it. When a control is, it goes to the place where it
 * hides the smallest share of one: a corner of a board is less than half of a button.
 */

/** Where it may be, best first. */
export const PLACES = [
  "bottom right",
  "bottom left",
  "top right",
  "top left",
  "bottom center",
  "top center",
  "middle right",
  "middle left",
];

/** What people press, fill or draw on. */
const CONTROLS =
  "a[href], button, input, select, textarea, label, canvas, iframe, video, " +
  "[contenteditable], [tabindex], [role=button], [role=link], [role=status], output";
/** Lines that tell them where they are: their words count, and not the empty rest of the line. */
const SIGNS = "h1, h2, summary, header p";
/** How often it looks at most. */
const LOOK_MS = 250;
/** It goes for so much less of a control, so that it does not wander between equals. */
const WORTH_GOING = 0.02;
/** How many points of it are looked at, each way. */
const COLUMNS = 7;
const ROWS = 4;

/**
 * Keep an element clear of a page's controls, from now on.
 *
 * @param {HTMLElement} host what floats; its `data-place` says where, for its style sheet
 * @param {HTMLElement} badge its visible part
 * @param {() => boolean} mayMove whether this is a moment to move
 */
export function keepClear(host, badge, mayMove) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let soon;
  const look = () => {
    soon = undefined;
    if (mayMove()) choose(host, badge);
  };
  const changed = () => {
    soon ??= setTimeout(look, LOOK_MS);
  };
  host.dataset.place = PLACES[0];
  new MutationObserver(changed).observe(document.body, {
    subtree: true,
    childList: true,
    attributeFilter: ["hidden", "class", "style", "open"],
  });
  new ResizeObserver(changed).observe(document.body);
  addEventListener("resize", changed);
  document.addEventListener("scroll", changed, { capture: true, passive: true });
  document.addEventListener("transitionend", changed);
  changed();
}

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} badge
 */
function choose(host, badge) {
  const before = host.dataset.place;
  let least = hidden(host, badge.getBoundingClientRect()) - WORTH_GOING;
  if (least <= 0) return;
  let best = before;
  for (const place of PLACES) {
    host.dataset.place = place;
    const share = hidden(host, badge.getBoundingClientRect());
    if (share < least) [least, best] = [share, place];
  }
  host.dataset.place = best;
}

/**
 * Give how much of a control a box hides, from 0 to 1: of the one it hides most of.
 *
 * @param {Element} host what is above the page
 * @param {DOMRect} box
 */
function hidden(host, box) {
  /** @type {Set<Element>} */
  const controls = new Set();
  for (let row = 0; row < ROWS; row += 1) {
    for (let column = 0; column < COLUMNS; column += 1) {
      const x = box.left + (box.width * column) / (COLUMNS - 1);
      const y = box.top + (box.height * row) / (ROWS - 1);
      const below = document.elementsFromPoint(x, y).find((element) => element !== host);
      const control = below?.closest(CONTROLS) ?? below?.closest(SIGNS);
      if (control) controls.add(control);
    }
  }
  return Math.max(0, ...Array.from(controls, (control) => share(control, box)));
}

/**
 * @param {Element} control
 * @param {DOMRect} box
 */
function share(control, box) {
  const words = document.createRange();
  words.selectNodeContents(control);
  const area = (control.matches(CONTROLS) ? control : words).getBoundingClientRect();
  const width = Math.min(area.right, box.right) - Math.max(area.left, box.left);
  const height = Math.min(area.bottom, box.bottom) - Math.max(area.top, box.top);
  return area.width * area.height > 0 ? (width * height) / (area.width * area.height) : 0;
}
