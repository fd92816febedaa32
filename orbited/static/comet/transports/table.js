/** Every transport there is. A page names those it wants in `Orbited.settings.transports`. */

import { LongPollTransport } from "./longpoll.js";
import { PollTransport } from "./poll.js";
import { SSETransport } from "./sse.js";
import { WebSocketTransport } from "./websocket.js";
import { XHRStreamTransport } from "./xhrstream.js";

/**
 * @import { Platform } from "../browser.js"
 * @import { Settings } from "../settings.js"
 * @import { Transport } from "./base.js"
 */

/** @type {ReadonlyMap<string, typeof Transport>} */
export const TRANSPORTS = new Map(
  [WebSocketTransport, XHRStreamTransport, SSETransport, LongPollTransport, PollTransport].map(
    (transport) => [transport.transportName, transport],
  ),
);

/**
 * The transports of the settings that this browser can use.
 *
 * @param {Settings} settings
 * @param {Platform} platform
 * @returns {string[]}
 * @throws {Error} there is none
 */
export function usableTransports(settings, platform) {
  const names = settings.transports.filter((name) => {
    const transport = TRANSPORTS.get(name);
    const isWanted = settings.streaming || transport?.isStreaming === false;
    return isWanted && transport?.isUsable(platform);
  });
  if (names.length > 0) return names;
  throw new Error(`no usable transport among ${settings.transports.join(", ") || "none"}`);
}
