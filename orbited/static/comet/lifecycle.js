/**
 * What happens to the page, told to its sessions: the network comes back, the tab is looked at
 * again, the page goes away or is taken out of the back-forward cache.
 *
 * @typedef {object} Resident
 * @property {() => void} wake the network may have changed: connect at once
 * @property {() => void} look somebody is looking: make sure that the connection lives
 * @property {() => void} rest the page is put aside, and may come back
 * @property {() => void} leave the page is going
 */

/** @type {Set<Resident>} */
const residents = new Set();
let isListening = false;

/** @param {Resident} resident */
export function add(resident) {
  residents.add(resident);
  if (!isListening) listen();
}

/** @param {Resident} resident */
export function remove(resident) {
  residents.delete(resident);
}

function listen() {
  const page = globalThis.window;
  if (page === undefined) return; // not in a page
  isListening = true;
  /** @param {(resident: Resident) => void} tell */
  const all = (tell) => [...residents].forEach(tell);
  page.addEventListener("online", () => all((resident) => resident.wake()));
  page.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) all((resident) => resident.wake());
  });
  page.addEventListener("pagehide", ({ persisted }) => {
    all((resident) => (persisted ? resident.rest() : resident.leave()));
  });
  page.document.addEventListener("resume", () => all((resident) => resident.wake()));
  page.document.addEventListener("visibilitychange", () => {
    if (!page.document.hidden) all((resident) => resident.look());
  });
}
