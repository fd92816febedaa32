/** The list of rooms, and the dialog that makes one. */
import { element, make, show } from "./elements.js";

/** @typedef {{id: string, slug: string, name: string, topic: string, is_public: boolean}} Room */

/**
 * @param {string} slug
 * @returns {string} the address of a room, with the transport that this page was asked for
 */
export function addressOf(slug) {
  const query = new URLSearchParams(location.search);
  query.set("room", slug);
  return `${location.pathname}?${query}`;
}

/** The room that the address names, or null. */
export function slugInAddress() {
  return new URLSearchParams(location.search).get("room");
}

/** Let the links that leave the page know where to come back to, and the transports the room. */
export function refreshLinks() {
  const here = location.pathname + location.search;
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (
    document.querySelectorAll("a[data-next]")
  )) {
    link.search = new URLSearchParams({ next: here }).toString();
  }
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (
    document.querySelectorAll("a[data-transport]")
  )) {
    const query = new URLSearchParams(location.search);
    query.delete("transport");
    if (link.dataset.transport) query.set("transport", link.dataset.transport);
    link.search = query.toString();
  }
}

/**
 * @param {Room[]} rooms
 * @param {Room | null} current
 * @param {(room: Room) => void} open called for a click on a link
 */
export function showRooms(rooms, current, open) {
  const focused = document.activeElement?.getAttribute("data-room");
  const rows = rooms.map((room) => {
    const link = /** @type {HTMLAnchorElement} */ (make("a", "room", room.name));
    link.href = addressOf(room.slug);
    link.dataset.room = room.id;
    if (room.id === current?.id) link.ariaCurrent = "page";
    if (!room.is_public) link.append(make("span", "soft", " (not public)"));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      open(room);
    });
    const row = make("li", "");
    row.append(link);
    return row;
  });
  if (rooms.length === 0) rows.push(make("li", "soft", "There is none yet."));
  const list = element("rooms");
  list.replaceChildren(...rows);
  if (focused) {
    const link = list.querySelector(`[data-room="${Number(focused)}"]`);
    if (link instanceof HTMLElement) link.focus();
  }
}

/**
 * Wire the dialog, where the page has one.
 *
 * @param {(fields: {name: string, topic: string, reading: string}) => Promise<Room>} make_ rejects
 *   with a ThywillError
 * @param {(room: Room) => void} made
 */
export function wireMaker(make_, made) {
  if (document.getElementById("making") === null) return;
  const dialog = /** @type {HTMLDialogElement} */ (element("making"));
  const form = /** @type {HTMLFormElement} */ (element("maker"));
  const name = /** @type {HTMLInputElement} */ (element("maker-name"));
  const topic = /** @type {HTMLInputElement} */ (element("maker-topic"));
  element("new-room").addEventListener("click", () => {
    show("maker-problem", null);
    form.reset();
    dialog.showModal();
  });
  element("maker-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reading = String(new FormData(form).get("reading"));
    try {
      const room = await make_({ name: name.value, topic: topic.value, reading });
      dialog.close();
      made(room);
    } catch (/** @type {any} */ error) {
      show("maker-problem", error.message);
      name.focus();
    }
  });
}
