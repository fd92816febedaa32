/** The game in the page: what is heard, what is wanted, and a picture of it sixty times a second. */
import { watchEnd } from "../thywill/ended.js";
import { element, say, showClock, showPlayers } from "./board.js";
import { Controls } from "./controls.js";
import { takeKey } from "./key.js";
import { Painter } from "./painter.js";
import { Prediction } from "./prediction.js";
import { Steering } from "./steering.js";
import { ASLEEP, IN_THE_SEA, Timeline } from "./timeline.js";
import { sentence, whereabouts } from "./words.js";

/** After how long without a tick the page says that it is behind. */
const SILENT_MS = 1000;
/** How often a page that only watches asks for a place. */
const ASK_MS = 1500;
const CROWD = 8;
const STATES = {
  connecting: "connecting",
  live: "connected",
  recovering: "reconnecting",
  offline: "no connection",
  closed: "ended",
};

const { thywill } = /** @type {any} */ (globalThis);
const { rules } = parameters();
const staleMs = rules.stale_seconds * 1000;
const asleepMs = rules.asleep_seconds * 1000;
const tickMs = 1000 / rules.ticks_per_second;
const canvas = /** @type {HTMLCanvasElement} */ (element("ice"));
const nameField = /** @type {HTMLInputElement} */ (element("name"));

const timeline = new Timeline(rules.ticks_per_second);
const prediction = new Prediction(rules);
const painter = new Painter(canvas, rules);
const key = takeKey();
const steering = new Steering(
  (message) => thywill.send.fn("steer", message),
  (number) => prediction.sent(number),
);
const controls = new Controls(element("stage"), (pixels) => painter.toUnits(pixels), {
  KeyP: () => pause(!isPaused),
  KeyI: tellWhere,
});

/** The id of one's own player; 0 while one only watches. */
let own = 0;
let isPaused = false;
let isPausedForBeingHidden = false;
let isAsking = false;
let askAt = 0;
let heardAt = 0;
let localTickAt = 0;
let lastDashes = 0;
let isBoardOld = true;
let isCorrectionDue = false;
/** @type {{x: number, y: number}} what was wanted in the last tick */
let wanted = { x: 0, y: 0 };

/** What the site told the page; `thywill.config` has it later, and the rules are needed now. */
function parameters() {
  const told = element("thywill-configuration").textContent;
  return JSON.parse(told ?? "").application_parameters.floe;
}

/** @param {number} id */
function nameOf(id) {
  return timeline.people.get(id)?.name ?? "Somebody";
}

// --- what is heard ---

/** @param {any} frame */
function hear(frame) {
  const now = performance.now();
  const before = new Map(timeline.bodies);
  const names = new Map(timeline.people);
  if (!timeline.add(frame, now)) return;
  heardAt = now;
  isCorrectionDue = true;
  // Of those who are not known yet there is nothing to tell.
  const told = (names.size > 0 ? (frame.n ?? []) : []).map(
    (/** @type {(string | number)[]} */ news) => {
      if (news[0] === "fell") {
        const body = timeline.bodies.get(Number(news[1])) ?? before.get(Number(news[1]));
        if (body !== undefined) painter.splash(body, now);
      }
      const called = (/** @type {number} */ id) => names.get(id)?.name ?? nameOf(id);
      const text = sentence(news, own, called, timeline.people.size > CROWD || timeline.isBreak);
      if (news[0] === "over") say("banner", text);
      if (news[0] === "round" && !isPaused) say("banner", null);
      return text;
    },
  );
  const text = told.filter((/** @type {string | null} */ each) => each !== null).join(" ");
  if (text) say("news", text);
  if (frame.w !== undefined || frame.g !== undefined || frame.k) isBoardOld = true;
  if (own && !timeline.bodies.has(own) && !isPaused) play();
}

/** Put one's own puck to where the server had it, and go on from there; of many ticks, by the last. */
function correct() {
  isCorrectionDue = false;
  const body = timeline.bodies.get(own);
  if (body === undefined || !timeline.isSure(own)) return;
  if (body.state & (ASLEEP | IN_THE_SEA)) prediction.begin(body);
  else prediction.correct(body, body.number, body.held + timeline.tick - body.tick);
}

// --- what is wanted ---

/** Come to the floe, or come back to it. */
async function play() {
  if (isAsking) return;
  isAsking = true;
  try {
    const { id, frame } = await thywill.send.fn("play", { key, name: nameField.value });
    const now = performance.now();
    const isBack = id === own;
    own = id;
    steering.reset();
    prediction.forget();
    timeline.begin(frame, now);
    const body = timeline.bodies.get(own);
    if (body !== undefined && isBack) prediction.correct(body, 0, 0);
    else if (body !== undefined) prediction.begin(body);
    controls.dashes = lastDashes = 0;
    heardAt = now;
    isCorrectionDue = false;
    isBoardOld = true;
    say("problem", null);
  } catch (error) {
    own = 0;
    askAt = performance.now() + ASK_MS;
    say("problem", /** @type {any} */ (error).message);
  } finally {
    isAsking = false;
  }
}

/** One tick of the page's own: where to, for the puck here and for the server. */
function tick(/** @type {number} */ now) {
  const { x, y } = isPaused ? { x: 0, y: 0 } : controls.direction(prediction.position(1));
  wanted = { x: Math.round(x * rules.steering), y: Math.round(y * rules.steering) };
  const isDash = controls.dashes !== lastDashes;
  lastDashes = controls.dashes;
  const state = timeline.bodies.get(own)?.state ?? ASLEEP;
  if (state & (ASLEEP | IN_THE_SEA)) return;
  // A server that does not hear this page brakes its puck.
  const isHeard = steering.isHeard(now, staleMs);
  const length = Math.max(Math.hypot(wanted.x, wanted.y), rules.steering);
  prediction.step(
    isHeard
      ? { x: wanted.x / length, y: wanted.y / length, isDash }
      : { x: 0, y: 0, isBraking: true },
  );
}

/** @param {number} now */
function tellServer(now) {
  if (!own || isPaused || isAsking || thywill.state === "closed") return;
  const sending = steering.update({ ...wanted, dashes: controls.dashes }, now, leastMs());
  sending?.then(
    () => say("problem", null),
    (error) => refuse(error),
  );
}

/** From one message to the next: the more play, the longer. */
function leastMs() {
  return Math.max(tickMs, 4 * timeline.people.size);
}

/** @param {any} error */
function refuse(error) {
  if (error.code === "not-playing") play();
  else if (error.code === "too-many-requests" || error.code === "network") return;
  else {
    say("problem", error.message);
    if (error.code === "played-elsewhere") own = 0;
    askAt = performance.now() + ASK_MS;
  }
}

/** @param {boolean} isWanted */
function pause(isWanted) {
  if (isPaused === isWanted) return;
  isPaused = isWanted;
  controls.release();
  element("pause").setAttribute("aria-pressed", String(isPaused));
  element("pause").textContent = isPaused ? "Go on" : "Pause";
  say("banner", isPaused ? "Paused. Nobody can push you. P goes on." : null);
  if (isPaused && own) steering.rest(performance.now()).catch(() => {});
}

function tellWhere() {
  const at = prediction.position(1);
  const others = [...timeline.bodies]
    .filter(([id, { state }]) => id !== own && !(state & (ASLEEP | IN_THE_SEA)))
    .map(([id, { x, y }]) => ({ name: nameOf(id), x, y }));
  say("news", own ? whereabouts(at, others, timeline.radius) : "You are watching.");
}

// --- the picture ---

/** @param {number} now */
function show(now) {
  if (isCorrectionDue) correct();
  const isSilent = now - heardAt > SILENT_MS;
  if (now - heardAt > asleepMs || now - localTickAt > SILENT_MS) localTickAt = now;
  while (now - localTickAt >= tickMs) {
    localTickAt += tickMs;
    if (own) tick(now);
  }
  tellServer(now);
  const { bodies, radius } = timeline.at(now);
  const players = [...bodies].map(([id, seen]) => {
    const isOwn = id === own;
    const told = timeline.bodies.get(id) ?? seen;
    const speed = isOwn ? prediction.speed : { x: seen.vx, y: seen.vy };
    const { x, y } = isOwn ? prediction.position((now - localTickAt) / tickMs) : seen;
    // Who sleeps or has fallen is what matters at once.
    const state = isOwn ? told.state : seen.state;
    return { id, name: nameOf(id), isOwn, x, y, vx: speed.x, vy: speed.y, state };
  });
  const { fish } = timeline;
  painter.draw({ radius, players, fish, drag: controls.drag, mayDash: prediction.mayDash }, now);
  canvas.dataset.stutters = String(isSilent && own !== 0);
}

function frame(/** @type {number} */ now) {
  show(now);
  requestAnimationFrame(frame);
}

/** What need not be looked at sixty times a second. */
function look() {
  showClock(timeline, rules.ticks_per_second);
  if (isBoardOld) showPlayers(timeline, own);
  isBoardOld = false;
  const mayAsk = !isPaused && thywill.state !== "closed" && performance.now() >= askAt;
  if (!own && mayAsk) play();
}

// --- begin ---

nameField.value = localStorage.getItem("floe-name") ?? nameField.value;
element("naming").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = nameField.value;
  thywill.send.fn("rename", { name }).then(
    () => {
      localStorage.setItem("floe-name", name);
      say("problem", null);
      canvas.focus();
    },
    (/** @type {any} */ error) => say("problem", error.message),
  );
});
element("pause").addEventListener("click", () => pause(!isPaused));
// A second finger makes no click. Where there are both, the dash after a dash comes to nothing.
for (const name of ["pointerdown", "click"]) {
  element("dash").addEventListener(name, () => controls.dash());
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden && isPaused) return; // and stays so
  if (document.hidden || isPausedForBeingHidden) pause(document.hidden);
  isPausedForBeingHidden = document.hidden;
});

thywill.send.onError = () => {}; // whoever asked shows it
// What was wanted a moment ago is not tried again: what is wanted now is sent in its place.
thywill.send.timeoutSeconds = 2;
thywill.send.retrySeconds = 0;
thywill.push.onError = () => {}; // the state says it
thywill.on("state", (/** @type {keyof typeof STATES} */ state) => {
  element("state").dataset.state = state;
  element("state-text").textContent = STATES[state];
});

thywill.application.fn = async () => {
  const channel = thywill.channel("floe");
  channel.on("tick", hear);
  // Ticks that came meanwhile are lost, and what comes tells only what has changed since.
  channel.on("recovered", () => {
    if (own && !isPaused) play();
  });
  await channel.joined;
  await play();
  requestAnimationFrame(frame);
  setInterval(look, 250);
};

watchEnd(thywill, element("problem"));
