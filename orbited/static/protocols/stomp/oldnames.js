/** The globals that stomp.js of 0.7 made beside `STOMPClient`. */

import { LineProtocol } from "./lineprotocol.js";

const page = /** @type {any} */ (globalThis);

page.LineProtocol ??= LineProtocol;

/** A page that sets this to true hears what is said to the loggers. */
page.STOMP_DEBUG ??= false;

/** @param {string} name */
page.getStompLogger ??= (name) => ({
  /** @param {...unknown} words */
  debug: (...words) => {
    if (page.STOMP_DEBUG) console.debug(name, ...words);
  },
  /** @param {unknown} value */
  dir: (value) => {
    if (page.STOMP_DEBUG) console.dir(value);
  },
});
