/** The ratings in the page: joins the model's channel, says hello, and shows what is told. */
import { watchEnd } from "../thywill/ended.js";
import { OwnRating } from "./own_rating.js";
import { Picture } from "./picture.js";
import { Talk } from "./talk.js";
import { announce, element, radios, showAway, showOwnRating, showProblem, View } from "./view.js";

const { thywill } = /** @type {any} */ (globalThis);
const { uuid, application_parameters: told } = JSON.parse(
  element("thywill-configuration").textContent ?? "",
);
const HELLO_AGAIN_MS = 2000;
const HELLO_MS_EACH = 3;
const MOST_HELLO_MS = 3000;

const talk = new Talk();
const view = new View(talk);
const own = new OwnRating(
  uuid,
  (value) => change("rating_selector", value),
  tabStorage(),
  isReload(),
);
const picture = new Picture((scheme) => thywill.send.fn("picture", { scheme }));
let heardAt = Date.now();
let helloAt = 0;

/** Whether this tab has shown the page before; a copy of a tab has not. */
function isReload() {
  const [entry] = performance.getEntriesByType("navigation");
  const type = /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.type;
  return type === "reload" || type === "back_forward";
}

/** The storage of this tab; one that forgets, where the browser allows none. */
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return { getItem: () => null, setItem() {} };
  }
}

/**
 * Set a trait of the model.
 * @param {string} trait
 * @param {unknown} value
 */
function change(trait, value) {
  return thywill.send.fn("trait_change", { trait, value });
}

const isAway = () => !element("away").hidden;

/** Ask for everything, and tell what the model may have forgotten of this page. */
async function sayHello() {
  if (talk.isAsking || Date.now() - helloAt < HELLO_AGAIN_MS) return;
  helloAt = Date.now();
  talk.ask();
  own.forget();
  const { value: rating, before } = own;
  try {
    const answer = await thywill.send.fn("hello", { rating, before });
    own.before = null;
    if (rating === own.value) own.isTold();
    view.setClock(answer.now);
    const isWhole = talk.begin(answer);
    element("name").textContent = answer.own.name;
    helloAt = 0;
    hear();
    showProblem(null);
    view.show();
    picture.setPossible(answer.has_pictures);
    if (!isWhole) sayHello();
    else tellRating();
  } catch (/** @type {any} */ error) {
    talk.giveUp(); // the next sign of life begins anew
    if (error.code === "too-many-clients") showProblem(error.message);
  }
}

function hear() {
  heardAt = Date.now();
  showAway(false);
}

/** @param {import("./talk.js").Told} message */
function take(message) {
  hear();
  if (!talk.apply(message)) {
    // Not all at once, when the process comes back to many pages.
    setTimeout(sayHello, Math.random() * Math.min(HELLO_MS_EACH * talk.clients, MOST_HELLO_MS));
  } else if (message.trait !== undefined && !talk.isAsking) {
    view.show();
    picture.changed();
  }
}

function tellRating() {
  if (isAway() || !talk.isKnown) return; // hello tells it
  own.tell().catch(() => {});
}

/** @param {number | null} rating */
function rate(rating) {
  own.set(rating);
  showOwnRating(rating);
  tellRating();
}

/** @param {HTMLInputElement} field */
async function say(field) {
  const text = field.value.trim();
  if (text === "") return;
  if (isAway() || !talk.isKnown) {
    showProblem("The ratings do not answer; what you wrote is kept here.");
    return;
  }
  const button = /** @type {HTMLButtonElement} */ (element("say"));
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  try {
    await change("entry_field", text);
    if (field.value.trim() === text) field.value = "";
    showProblem(null);
  } catch (/** @type {any} */ error) {
    showProblem(`Not said: ${error.message}`);
  } finally {
    button.ariaDisabled = null;
  }
}

/** Miss the process when it has been silent for long, while the page itself is connected. */
function watch() {
  if (thywill.state !== "live") heardAt = Date.now();
  else if (Date.now() - heardAt > told.silence_seconds * 1000) showAway(true);
}

showOwnRating(own.value);
for (const radio of radios()) {
  radio.addEventListener("change", () => rate(Number(radio.value)));
}
element("take-back").addEventListener("click", () => {
  rate(null);
  radios()[0].focus();
  announce("Your rating is taken back.");
});
element("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  say(element("entry-field"));
});
thywill.send.onError = () => {}; // whoever asked shows it
thywill.push.onError = () => {}; // the state says it

thywill.application.fn = () => {
  heardAt = Date.now();
  const model = thywill.channel("model");
  model.on("trait_change", take);
  model.on("alive", take);
  model.on("recovered", () => {
    if (!isAway()) sayHello();
  });
  model.on("refused", (/** @type {any} */ error) => showProblem(error.message));
  setInterval(watch, 250);
};

watchEnd(thywill, element("problem"));
