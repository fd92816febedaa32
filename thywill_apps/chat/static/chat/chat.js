/** The chat in the page: rooms, the one that is open, writing in it. */
import { showEnd, watchEnd } from "../thywill/ended.js";
import { showUnsent, showWaiting, wireComposer } from "./composer.js";
import { element, show } from "./elements.js";
import { LogView } from "./log_view.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { OpenRoom } from "./room.js";
import { addressOf, refreshLinks, showRooms, slugInAddress, wireMaker } from "./rooms_view.js";
import { TypingNotice } from "./typing.js";

/** @typedef {import("./rooms_view.js").Room} Room */

const { thywill } = /** @type {any} */ (globalThis);
const { user, rooms: firstRooms, messages_in_page: kept } = parameters();

/** @type {Room[]} */
let rooms = firstRooms;
/** @type {OpenRoom | null} */
let open = null;

/** @type {string | null} what has become of the room that was open */
let lost = null;

const view = new LogView(user);
const people = new People(user);
const outbox = new Outbox((room, text) => thywill.send.fn("say", { room: room.id, text }));
const notice = new TypingNotice((is_typing) => {
  // Telling it is not worth an error, nor a second attempt.
  if (open !== null) thywill.send.fn("typing", { room: open.room.id, is_typing }).catch(() => {});
});

/** What the site told the page; `thywill.config` has it later, and the views are needed now. */
function parameters() {
  const told = element("thywill-configuration").textContent;
  return JSON.parse(told ?? "").application_parameters.chat;
}

/** @param {Room | null} room */
function enter(room) {
  open?.leave();
  open = null;
  notice.reset();
  people.reset([]);
  view.reset([]);
  for (const id of ["empty", "earlier"]) element(id).hidden = true;
  show("problem", null);
  lost = null;
  element("room-name").textContent = room?.name ?? "Chat";
  element("topic").textContent = room?.topic ?? "Choose a room, or make one.";
  if (room !== null) open = new OpenRoom(room, { view, people, own: user, kept });
  showRooms(rooms, room, choose);
  refreshLinks();
  nameTab(0);
}

/** @param {Room} room */
function choose(room) {
  if (room.id === open?.room.id) return;
  history.pushState(null, "", addressOf(room.slug));
  enter(room);
  element("announcement").textContent = `Room ${room.name}`;
  foldRooms();
}

function enterByAddress() {
  const slug = slugInAddress();
  const named = rooms.find((room) => room.slug === slug);
  // By name, whoever makes a room could put it before everybody.
  const [oldest] = [...rooms].sort((one, other) => Number(one.id) - Number(other.id));
  enter(named ?? (slug === null ? (oldest ?? null) : null));
  if (slug !== null && named === undefined) {
    show("problem", "There is no such room, or it is not open to you.");
  }
}

async function refreshRooms() {
  rooms = await thywill.send.fn("rooms", null);
  const current = open?.room;
  if (current !== undefined && !rooms.some((room) => room.id === current.id)) {
    enter(null);
    lost = `The room ${current.name} is gone, or no longer open to you.`;
    if (thywill.state === "closed") showEnd(element("problem"), lost);
    else show("problem", lost);
    return;
  }
  showRooms(rooms, current ?? null, choose);
}

/** @param {number} unread */
function nameTab(unread) {
  const name = open?.room.name ?? "Chat";
  document.title = unread > 0 ? `(${unread}) ${name}` : name;
}

/** On a narrow page the list of rooms is folded away, and opens to be chosen from. */
const narrow = matchMedia("(max-width: 52rem)");

function foldRooms() {
  /** @type {HTMLDetailsElement} */ (element("rooms-fold")).open = !narrow.matches;
}

refreshLinks();
view.onUnread = nameTab;
outbox.onChange = showWaiting;
outbox.onUnsent = (unsent) => showUnsent(unsent, () => outbox.add(unsent.room, unsent.text));
narrow.addEventListener("change", foldRooms);
addEventListener("popstate", enterByAddress);
// Leaving the page while messages wait would lose them.
addEventListener("beforeunload", (event) => {
  if (outbox.waiting > 0) event.preventDefault();
});

thywill.send.onError = () => {}; // whoever asked shows it
thywill.push.onError = () => {}; // the state says it

thywill.application.fn = () => {
  foldRooms();
  enterByAddress();
  const list = thywill.channel("chat-rooms");
  list.on("changed", () => refreshRooms().catch(() => {}));
  list.on("recovered", () => refreshRooms().catch(() => {}));
  element("earlier").addEventListener("click", () => {
    open?.showEarlier().catch((/** @type {any} */ error) => show("problem", error.message));
  });
  wireComposer(
    (text) => {
      notice.reset();
      if (open !== null) outbox.add(open.room, text);
    },
    (hasText) => notice.update(hasText),
  );
  wireMaker(
    (fields) => thywill.send.fn("make_room", fields),
    (room) => {
      if (!rooms.some(({ id }) => id === room.id)) rooms = [...rooms, room];
      choose(room);
    },
  );
};

watchEnd(thywill, element("problem"), () => lost);
