/**
 * The page of /system/monitor: asks for the counters again and again, and shows them.
 *
 * Rates are the differences of two readings. Nothing that the server sends becomes HTML.
 *
 * @import { Reading } from "./rates.js"
 */

import { Rates, bytes, count, duration, perSecond } from "./rates.js";

const COUNTERS = new URL("counters", document.baseURI);
const INTERVAL_MS = 1000;
const INTERVAL_HIDDEN_MS = 15_000;
const TIMEOUT_MS = 10_000;

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const rates = new Rates();

/** @param {Record<string, string>} texts of the elements with that `data-show` */
function show(texts) {
  for (const target of document.querySelectorAll("[data-show]")) {
    const text = texts[/** @type {HTMLElement} */ (target).dataset["show"] ?? ""];
    if (text !== undefined && target.textContent !== text) target.textContent = text;
  }
}

/** @param {HTMLElement} body of a table @param {[string, string][]} rows */
function fill(body, rows) {
  const made = rows.map(([name, value]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.append(head);
    row.insertCell().textContent = value;
    return row;
  });
  body.replaceChildren(...made);
}

/** @param {string} id of the picture @param {number[]} values the newest last */
function draw(id, values) {
  const top = Math.max(1, ...values);
  const points = values.map((value, index) => {
    const x = 120 - (values.length - 1 - index);
    return `${x},${(30 - (26 * value) / top).toFixed(1)}`;
  });
  element(id).querySelector("polyline")?.setAttribute("points", points.join(" "));
}

/** @param {Reading} reading */
function render(reading) {
  const now = rates.add(reading);
  const { counters, versions } = reading;
  show({
    version: reading.version,
    sessions: count(reading.sessions),
    websockets: count(reading.websockets),
    bytesDown: perSecond(bytes, now.bytesDown),
    bytesUp: perSecond(bytes, now.bytesUp),
    packetsDown: count(now.packetsDown),
    packetsUp: count(now.packetsUp),
    slow: count(reading.slow_sessions),
    slowClosed: count(counters["slow_sessions_closed"]),
    queued: bytes(reading.queued_bytes),
    unacknowledged: bytes(reading.unacknowledged_bytes),
    memory: bytes(reading.memory_bytes),
    cpu: now.cpu === null ? "\u2013" : `${Math.round(now.cpu * 100)} %`,
    uptime: duration(reading.uptime_seconds),
    versions: Object.entries(versions)
      .map((pair) => pair.join(" "))
      .join(", "),
  });
  draw("down", rates.down);
  draw("up", rates.up);
  const open = Object.entries(reading.transports);
  fill(
    element("transports"),
    open.length > 0 ? open.map(([name, value]) => [name, count(value)]) : [["nobody is here", "0"]],
  );
  fill(
    element("counters"),
    Object.entries(counters).map(([name, value]) => [name.replaceAll("_", " "), count(value)]),
  );
}

/** @param {"live" | "offline" | "closed"} state @param {string} text @param {string} [problem] */
function tell(state, text, problem = "") {
  const badge = element("state");
  badge.dataset["state"] = state;
  if (badge.textContent !== text) badge.textContent = text;
  const sentence = element("problem");
  if (sentence.textContent !== problem) sentence.textContent = problem;
  sentence.hidden = problem === "";
}

async function ask() {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(COUNTERS, { signal, cache: "no-store" });
    if (!response.ok) {
      tell("closed", "refused", (await response.text()).trim());
      return;
    }
    const reading = /** @type {Reading} */ (await response.json());
    render(reading);
    tell(
      reading.status === "ok" ? "live" : "closed",
      reading.status === "ok" ? "live" : "stopping",
    );
  } catch {
    tell("offline", "offline", "The server does not answer. The figures are the last ones known.");
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

async function run() {
  clearTimeout(timer);
  await ask();
  clearTimeout(timer);
  timer = setTimeout(run, document.hidden ? INTERVAL_HIDDEN_MS : INTERVAL_MS);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void run();
});
void run();
