/** Every transport there is. A page names those it wants in `Orbited.settings.transports`. */

import { LongPollTransport } from "./longpoll.js";
import { PollTransport } from "./poll.js";
import { SSETransport } from "./sse.js";
import { WebSocketTransport } from "./websocket.js";
import { XHRStreamTransport } from "./xhrstream.js";

/** @import { Transport } from "./base.js" */

/** @type {ReadonlyMap<string, typeof Transport>} */
export const TRANSPORTS = new Map(
  [WebSocketTransport, XHRStreamTransport, SSETransport, LongPollTransport, PollTransport].map(
    (transport) => [transport.transportName, transport],
  ),
);
