/** What the page shows of the talk. */
import { drawDistribution, drawMean } from "./plot.js";
import { inWords } from "./talk.js";

/** @typedef {import("./talk.js").Talk} Talk */

const ANNOUNCE_MS = 15_000;
const AT_THE_END_PX = 48;

/**
 * @template {Element} [T=HTMLElement]
 * @param {string} id of an element that is there
 * @returns {T}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element "${id}"`);
  return /** @type {T} */ (/** @type {unknown} */ (found));
}

/** @param {string | null} sentence */
export function showProblem(sentence) {
  element("problem").textContent = sentence ?? "";
  element("problem").hidden = sentence === null;
}

/** @param {boolean} isAway whether the process of the ratings is missed */
export function showAway(isAway) {
  if (element("away").hidden !== isAway) return;
  element("away").hidden = !isAway;
  element("ratings").toggleAttribute("data-away", isAway);
  announce(isAway ? "The ratings are not running." : "The ratings are running.");
}

/** @param {number | null} rating */
export function showOwnRating(rating) {
  for (const radio of radios()) radio.checked = Number(radio.value) === rating;
  element("take-back").hidden = rating === null;
}

/** @returns {HTMLInputElement[]} */
export function radios() {
  return [...element("choices").querySelectorAll("input")];
}

/** @param {string} sentence for those who listen to the page */
export function announce(sentence) {
  element("announcement").textContent = sentence;
}

export class View {
  #talk;
  #offset = 0;
  #announcedAt = 0;
  #announced = "";
  /** @type {Map<string, HTMLElement>} */
  #messages = new Map();

  /** @param {Talk} talk */
  constructor(talk) {
    this.#talk = talk;
    const redraw = new ResizeObserver(() => this.#draw());
    for (const id of ["mean-plot", "distribution-plot"]) redraw.observe(element(id));
    setInterval(() => this.tick(), 1000);
  }

  /** @param {number} now of the process, in seconds */
  setClock(now) {
    this.#offset = now - Date.now() / 1000;
  }

  /** Show all that has changed. */
  show() {
    const { topic, ratings, clients } = this.#talk;
    element("topic").textContent = topic;
    document.title = `${topic} – Ratings`;
    element("mean").textContent = ratings.count > 0 ? ratings.mean.toFixed(2) : "–";
    element("count").textContent = inCount(ratings.count);
    element("clients").textContent =
      clients === 1 ? "1 page takes part" : `${clients} pages take part`;
    this.#showNumbers();
    this.#showMessages();
    this.#draw();
    this.#announceRatings();
  }

  /** A second has passed. */
  tick() {
    if (document.visibilityState !== "visible") return;
    this.#drawMean();
    this.#announceRatings();
  }

  #draw() {
    this.#drawMean();
    drawDistribution(element("distribution-plot"), this.#talk.ratings.distribution);
  }

  #drawMean() {
    drawMean(element("mean-plot"), this.#talk.points, Date.now() / 1000 + this.#offset);
  }

  #showNumbers() {
    const { ratings, points } = this.#talk;
    element("mean-text").textContent = `${inWords(ratings)}${course(points)}.`;
    const counts = ratings.distribution.map((count, index) => `${count} gave ${index + 1}`);
    element("distribution-text").textContent = `${counts.join(", ")}.`;
    element("numbers")
      .querySelectorAll("td")
      .forEach((cell, index) => (cell.textContent = String(ratings.distribution[index])));
  }

  #showMessages() {
    const list = element("messages");
    const log = element("log");
    const isAtEnd = log.scrollTop + log.clientHeight > log.scrollHeight - AT_THE_END_PX;
    const { messages } = this.#talk;
    const known = new Set(messages.map(({ id }) => id));
    for (const [id, row] of this.#messages) {
      if (!known.has(id)) {
        row.remove();
        this.#messages.delete(id);
      }
    }
    for (const message of messages) {
      if (this.#messages.has(message.id)) continue;
      const row = document.createElement("li");
      const by = document.createElement("b");
      by.textContent = message.by;
      const at = new Date(message.at * 1000);
      const time = document.createElement("time");
      time.dateTime = at.toISOString();
      time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      const text = document.createElement("p");
      text.textContent = message.text;
      row.append(by, " ", time, text);
      list.append(row);
      this.#messages.set(message.id, row);
    }
    element("empty").hidden = messages.length > 0;
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  #announceRatings() {
    const words = inWords(this.#talk.ratings);
    if (words === this.#announced || Date.now() - this.#announcedAt < ANNOUNCE_MS) return;
    this.#announced = words;
    this.#announcedAt = Date.now();
    announce(`Mean: ${words}`);
  }
}

/** @param {number} count */
function inCount(count) {
  if (count === 0) return "no ratings yet";
  return count === 1 ? "of 1 rating" : `of ${count} ratings`;
}

/** @param {import("./talk.js").Point[]} points */
function course(points) {
  const means = points.filter(([, , count]) => count > 0).map(([, mean]) => mean);
  if (means.length < 2) return "";
  const [least, most] = [Math.min(...means), Math.max(...means)];
  return `; it was between ${least.toFixed(2)} and ${most.toFixed(2)}`;
}
