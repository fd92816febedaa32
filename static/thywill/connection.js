/**
 * Shows how the page is connected, in the elements that ask for it:
 *
 *     <p class="state" data-connection="state"> ... </p>     gets data-state="live" and so on
 *     <span data-connection="words">connecting</span>        "connected", "reconnecting", ...
 *     <span data-connection="transport">nothing yet</span>   "WebSocket", "long polling", ...
 *
 * A script of an application, named before its own: App(scripts=["thywill/connection.js", ...]).
 * The template thywill/connection.html has the first two.
 */

/** @type {Record<string, string>} */
const STATES = {
  connecting: "connecting",
  live: "connected",
  recovering: "reconnecting",
  offline: "no connection, trying on",
  closed: "ended",
};

/** @type {Record<string, string>} */
const TRANSPORTS = {
  websocket: "WebSocket",
  xhrstream: "XHR streaming",
  sse: "server-sent events",
  longpoll: "long polling",
  poll: "polling",
};

/** @param {string} state of `thywill.state` */
export function stateInWords(state) {
  return STATES[state] ?? state;
}

/** @param {string | null} name of a transport; null while there is none */
export function transportInWords(name) {
  return name === null ? "nothing at the moment" : (TRANSPORTS[name] ?? name);
}

/**
 * @param {{state: string, on: (name: "state" | "transport", listener: Function) => unknown}} thywill
 * @param {Document} page
 */
export function showConnection(thywill, page) {
  /**
   * @param {string} what
   * @param {(element: HTMLElement) => void} change
   */
  function each(what, change) {
    for (const element of page.querySelectorAll(`[data-connection="${what}"]`)) {
      change(/** @type {HTMLElement} */ (element));
    }
  }

  /** @param {string} state */
  function showState(state) {
    each("state", (element) => (element.dataset.state = state));
    each("words", (element) => (element.textContent = stateInWords(state)));
  }

  showState(thywill.state);
  thywill.on("state", showState);
  thywill.on("transport", (/** @type {string | null} */ name) => {
    each("transport", (element) => (element.textContent = transportInWords(name)));
  });
}

if ("thywill" in globalThis) {
  showConnection(/** @type {any} */ (globalThis).thywill, document);
}
