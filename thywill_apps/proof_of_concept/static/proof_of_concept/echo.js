/** The browser side of the echo: send a text, wait for it, show both. */
import { watchEnd } from "../thywill/ended.js";
import { Trips, milliseconds } from "./trips.js";
import * as view from "./view.js";

const { thywill } = /** @type {any} */ (globalThis);
const trips = new Trips();
/** @type {Map<import("./trips.js").Trip, {row: view.Row, resolve: () => void}>} */
const underWay = new Map();
const SERIES = 20;

/**
 * @param {string} text
 * @returns {Promise<void>} resolved when it is back, or will not come back
 */
async function send(text) {
  const trip = trips.start(text);
  const row = new view.Row(trip);
  /** @type {Promise<void>} */
  const isOver = new Promise((resolve) => underWay.set(trip, { row, resolve }));
  view.showMeasures(trips);
  view.pulse();
  thywill.send.fn(text).catch((/** @type {any} */ error) => {
    trips.fail(trip, `${error.code}: ${error.message}`);
    view.announce(`Not sent: ${error.message}`);
    finish(trip);
  });
  await isOver;
}

/** @param {import("./trips.js").Trip} trip */
function finish(trip) {
  underWay.get(trip)?.row.update(trip);
  underWay.get(trip)?.resolve();
  underWay.delete(trip);
  view.showMeasures(trips);
}

/** @param {HTMLButtonElement} button without effect meanwhile; disabled, it would lose the focus */
async function sendSeries(button) {
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  for (let number = 1; number <= SERIES; number += 1) {
    await send(`${number} of ${SERIES}`);
  }
  button.ariaDisabled = null;
}

thywill.push.onReceipt = (/** @type {string} */ text) => {
  const trip = trips.finish(text);
  if (trip === null) {
    return; // the answer to a message of an earlier life
  }
  finish(trip);
  view.announce(`Back after ${milliseconds(trip.ms)}: ${text}`);
};

thywill.push.onError = (/** @type {any} */ { message }) => {
  if (thywill.state !== "closed") view.showProblem(`Not connected (${message}); trying again.`);
};
thywill.send.onError = () => {}; // each row says what became of its message
thywill.on("state", (/** @type {string} */ state) => {
  if (state === "live") {
    view.showProblem(null);
  }
});

thywill.application.fn = () => {
  const input = /** @type {HTMLInputElement} */ (view.element("message"));
  view.element("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send(input.value);
    input.value = "";
    input.focus();
  });
  const series = /** @type {HTMLButtonElement} */ (view.element("series"));
  series.addEventListener("click", () => sendSeries(series));
  for (const button of document.querySelectorAll("button")) {
    button.disabled = false;
  }
  view.showMeasures(trips);
  input.focus({ preventScroll: true });
};

watchEnd(thywill, view.element("problem"));
