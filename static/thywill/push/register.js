/**
 * Make a connection the page's push connection, and tell it what the browser knows.
 *
 * @param {any} thywill
 * @param {{open: () => void, close: () => void, retryNow: () => void, reconnect: () => void,
 *   subscribe: (destination: string, ticket: string) => Promise<void>,
 *   renew: (ticket: string) => Promise<void>,
 *   unsubscribe: (destination: string, channel: string) => void}} connection
 * @param {any} [page] the window; there is none when this runs outside a browser
 */
export function register(thywill, connection, page = globalThis.window) {
  thywill.push.establishConnection = () => connection.open();
  thywill.push.closeConnection = () => connection.close();
  thywill.push.subscribe = (/** @type {string} */ destination, /** @type {string} */ ticket) =>
    connection.subscribe(destination, ticket);
  thywill.push.renew = (/** @type {string} */ ticket) => connection.renew(ticket);
  thywill.push.unsubscribe = (/** @type {string} */ destination, /** @type {string} */ channel) =>
    connection.unsubscribe(destination, channel);
  page?.addEventListener("online", () => connection.retryNow());
  page?.addEventListener("pageshow", (/** @type {PageTransitionEvent} */ event) => {
    if (event.persisted) {
      connection.reconnect(); // back from the history: what was open then is not open now
    }
  });
  page?.document.addEventListener("visibilitychange", () => {
    if (page.document.visibilityState === "visible") {
      connection.retryNow();
    }
  });
}
