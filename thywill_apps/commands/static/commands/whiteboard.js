/** The whiteboard in the page: what it sends, and what it hears. */
import { commands } from "../thywill/commands.js";
import { watchEnd } from "../thywill/ended.js";
import { Board } from "./board.js";
import { BoardView, inkInWords, showPeople } from "./board_view.js";
import { announce, element, make, showProblem } from "./elements.js";
import { Pen } from "./pen.js";
import { People } from "./people.js";
import { encode, parts, simplify } from "./strokes.js";

/** @typedef {import("../thywill/commands.js").CommandError} CommandError */
/** @typedef {import("./strokes.js").Point} Point */

const TOLERANCE = 1;
const CURSOR_MS = 120;
const ATTEMPTS = 5;
const NAME = "thywill.whiteboard.name";

const { thywill } = /** @type {any} */ (globalThis);
const told = JSON.parse(element("thywill-configuration").textContent ?? "");
const { width, height, max_points, user } = told.application_parameters.board;

const board = new Board();
const people = new People();
const view = new BoardView({ width, height });
const surface = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (element("board")));
const pen = new Pen(surface, element("pen"), { width, height });
const widthField = /** @type {HTMLInputElement} */ (element("width"));

function chosen() {
  const tools = new FormData(/** @type {HTMLFormElement} */ (element("tools")));
  return { ink: String(tools.get("ink")), width: Number(widthField.value) };
}

// --- what this page does ---

/** Enter, or enter again: the site refuses the second time while it knows the page. */
function enter() {
  return { enter: user === null ? savedName() : "" };
}

pen.onLine = (points) => {
  const { ink, width: wide } = chosen();
  view.showOwn(points, ink, wide);
};

pen.onStroke = async (line) => {
  const tools = chosen();
  const drop = view.showUnsent(line, tools.ink, tools.width);
  for (const part of parts(simplify(line, TOLERANCE), max_points)) {
    const stroke = { points: encode(part), ...tools };
    const answer = await draw(stroke);
    if (answer === null) break; // a listener has said why
    board.add({ number: answer.number, by: people.own ?? 0, name: answer.name, ...stroke });
    announce(`You drew a line in ${inkInWords(tools.ink)}.`);
  }
  drop();
  view.show(board.strokes);
};

/**
 * Send a stroke; where the site has forgotten the page meanwhile, or it comes too fast, again.
 *
 * @param {{points: number[], ink: string, width: number}} stroke
 * @returns {Promise<{number: number, name: string} | null>}
 */
async function draw(stroke) {
  /** @type {Record<string, unknown>} */
  let asked = { draw: stroke };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const answers = await commands.send(asked).catch(() => null);
    const error = answers?.draw.error;
    if (answers === null || error === undefined) return answers?.draw ?? null;
    if (error.code === "enter-first") asked = { ...enter(), draw: stroke };
    else if (error.retry_after === undefined) return null;
    await new Promise((resolve) => setTimeout(resolve, (error.retry_after ?? 0) * 1000));
  }
  return null;
}

/** @type {{at: Point | null, ink: string, width: number} | null} */
let nextCursor = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let cursorTimer;
let lastCursor = "null";
let isTelling = false;

pen.onMove = (at, isDown) => {
  const { ink, width: wide } = chosen();
  nextCursor = { at, ink: isDown ? ink : "", width: isDown ? wide : 0 };
  cursorTimer ??= setTimeout(tellCursor, CURSOR_MS);
};

/** Tell where the pen is; never two at a time, or on a slow network strokes would wait for them. */
async function tellCursor() {
  cursorTimer = undefined;
  const text = JSON.stringify(nextCursor);
  if (isTelling || text === lastCursor) return;
  if (people.own === null || people.size < 2) return; // nobody would see it
  if (thywill.state !== "live" || document.visibilityState !== "visible") return;
  lastCursor = text;
  isTelling = true;
  await commands.send({ cursor: nextCursor }).catch(() => {});
  isTelling = false;
  cursorTimer ??= setTimeout(tellCursor, CURSOR_MS);
}

pen.onUndo = () => commands.send({ undo: null });
pen.onSay = announce;
element("undo").addEventListener("click", pen.onUndo);
element("clear").addEventListener("click", () => commands.send({ clear: null }));
element("export").addEventListener("click", () => commands.send({ export: null }));
element("tools").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  const isField = event.target instanceof HTMLInputElement && event.target.type === "text";
  if (isField || event.defaultPrevented || event.key.toLowerCase() !== "z") return;
  if (event.ctrlKey || event.metaKey) pen.onUndo();
});

const naming = document.getElementById("naming");
naming?.addEventListener("submit", (event) => {
  event.preventDefault();
  commands.send({ rename: /** @type {HTMLInputElement} */ (element("name")).value });
});

function savedName() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return ""; // the browser keeps nothing
  }
}

/** @param {string} name */
function saveName(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // Then it is asked for again.
  }
}

// --- what it hears ---

/** @type {{for: number, needed: number} | null} since the board was asked for, which may be older */
let votesHeard = null;

people.onChange = () => showPeople(people);

commands.onready = (isAgain) => {
  showProblem(null);
  people.expect();
  votesHeard = null;
  if (isAgain) view.dropGhosts();
  commands.send({ ...enter(), board: null });
};

/**
 * Listen to an answer; what was refused is shown.
 *
 * @param {string} key
 * @param {(answer: any) => void} listener
 * @param {string[]} [quiet] codes that are no trouble
 */
function hear(key, listener, quiet = []) {
  commands.on(key, (answer, error) => {
    if (error === null) {
      showProblem(null);
      listener(answer);
    } else if (!quiet.includes(error.code)) {
      showProblem(error.message);
    }
  });
}

hear(
  "enter",
  ({ person, name, greeting }) => {
    people.own = person;
    people.add({ person, name });
    element("greeting").textContent = greeting;
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById("name"));
    if (field !== null && field.value === "") field.value = name;
  },
  ["already-run"],
);
hear("board", ({ strokes, people: here, votes, last_stroke }) => {
  board.reset(strokes, last_stroke);
  view.show(board.strokes);
  people.reset(here);
  showVotes(votesHeard ?? votes);
  element("board").removeAttribute("aria-busy");
});
hear("draw", () => {}, ["enter-first", "too-many-requests"]);
hear("undo", () => announce("Your last line is taken back."), ["nothing-to-undo"]);
hear("cursor", (moved) => moved && view.moveGhost(moved, people.nameOf(moved.person)), [
  "enter-first",
  "too-many-requests",
]);
hear("rename", (name) => {
  saveName(name);
  element("greeting").textContent = `Hello ${name}.`;
});
hear("clear", ({ is_cleared, for: count, needed }) => {
  if (!is_cleared) announce(`You voted to clear the board: ${count} of ${needed} votes.`);
});
hear("export", ({ svg, strokes }) => {
  const link = /** @type {HTMLAnchorElement} */ (make("a", ""));
  link.href = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  link.download = "whiteboard.svg";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  announce(`Saved ${strokes} lines as whiteboard.svg.`);
});

hear("drawn", (stroke) => {
  if (!board.add(stroke)) return;
  view.dropGhost(stroke.by, true);
  view.show(board.strokes);
  if (stroke.by === people.own) return;
  announce(`${stroke.name} drew a line in ${inkInWords(stroke.ink)}.`, 3);
});
hear("removed", (numbers) => {
  board.remove(numbers);
  view.show(board.strokes);
});
hear("cleared", ({ last_stroke, name }) => {
  board.clear(last_stroke);
  view.show(board.strokes);
  announce(`${name} cleared the board.`);
});
hear("came", (card) => {
  if (!people.has(card.person) && card.person !== people.own) announce(`${card.name} is here.`);
  people.add(card);
});
hear("left", (person) => {
  if (people.has(person)) announce(`${people.nameOf(person)} has left.`);
  people.remove(person);
  view.dropGhost(person);
});
hear("votes", (votes) => {
  votesHeard = votes;
  showVotes(votes);
});

/** @param {{for: number, needed: number}} votes */
function showVotes(votes) {
  const label = user === null ? "Vote to clear" : "Clear";
  element("clear").textContent =
    votes.for > 0 ? `${label} (${votes.for} of ${votes.needed})` : label;
}

thywill.send.onError = () => {}; // whoever asked shows it
watchEnd(thywill, element("problem"));
