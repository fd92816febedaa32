/** What the page shows. Texts go in as text; nothing here makes HTML of them. */
import { milliseconds } from "./trips.js";

const MAX_ROWS = 250;
const SVG = "http://www.w3.org/2000/svg";
const HISTORY = { columns: 48, width: 240, height: 44 };

/** @param {string} id */
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
function make(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}

/** Let a light run along the way of a message. */
export function pulse() {
  const route = element("route");
  route.classList.remove("pulse");
  void route.offsetWidth; // so that the animation starts again
  route.classList.add("pulse");
}

/** @param {string | null} text */
export function showProblem(text) {
  const problem = element("problem");
  problem.textContent = text ?? "";
  problem.hidden = text === null;
}

/** @param {string} text for those who listen to the page */
export function announce(text) {
  element("announcement").textContent = text;
}

/** @param {import("./trips.js").Trips} trips */
export function showMeasures(trips) {
  element("median").textContent = milliseconds(trips.median);
  element("count").textContent = `${trips.returned} of ${trips.sent}`;
  const { times, median } = trips;
  // One slow trip must not flatten all others, so the scale ends at three times the median.
  const scale = Math.max(10, Math.min(Math.max(...times), 3 * (median ?? 0)));
  element("trips").style.setProperty("--scale", scale.toFixed(2));
  const shown = times.slice(-HISTORY.columns);
  const columns = Array.from({ length: HISTORY.columns }, (_, index) => {
    const kind = index >= shown.length ? "slot" : index < shown.length - 1 ? "time" : "time newest";
    const share = index < shown.length ? Math.min(1, shown[index] / scale) : 0;
    return makeColumn(index, kind, Math.max(1.5, share * HISTORY.height));
  });
  element("history").replaceChildren(...columns);
}

/**
 * @param {number} index
 * @param {string} kind
 * @param {number} height
 */
function makeColumn(index, kind, height) {
  const column = document.createElementNS(SVG, "rect");
  const pitch = HISTORY.width / HISTORY.columns;
  column.setAttribute("class", kind);
  column.setAttribute("x", (index * pitch).toFixed(2));
  column.setAttribute("y", (HISTORY.height - height).toFixed(2));
  column.setAttribute("width", (pitch * 0.65).toFixed(2));
  column.setAttribute("height", height.toFixed(2));
  return column;
}

/** One trip in the list. */
export class Row {
  #item = make("li", "trip");
  #back = make("dd", "back", "on its way");
  #time = make("span", "time", "");

  /** @param {import("./trips.js").Trip} trip */
  constructor(trip) {
    this.#item.dataset.status = "under-way";
    const words = make("dl", "words");
    words.append(
      make("dt", "", "sent"),
      make("dd", "sent", trip.text),
      make("dt", "", "back"),
      this.#back,
    );
    const measure = make("div", "measure");
    const bar = make("span", "bar");
    measure.append(this.#time, bar);
    this.#item.append(words, measure);
    const list = element("trips");
    list.prepend(this.#item);
    if (list.childElementCount > MAX_ROWS) {
      list.lastElementChild?.remove();
    }
    element("empty").hidden = true;
  }

  /** @param {import("./trips.js").Trip} trip */
  update(trip) {
    if (trip.error !== null) {
      this.#item.dataset.status = "failed";
      this.#back.textContent = trip.error;
    } else if (trip.back !== null && trip.ms !== null) {
      this.#item.dataset.status = "returned";
      this.#back.textContent = trip.back;
      this.#time.textContent = milliseconds(trip.ms);
      this.#item.style.setProperty("--ms", trip.ms.toFixed(2));
    }
  }
}
