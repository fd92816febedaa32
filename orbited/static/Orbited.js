/**
 * A TCP socket for JavaScript.
 *
 *     import { Orbited, TCPSocket } from "/static/Orbited.js";
 *
 * Old pages load this file as a module and find `Orbited` among the globals, when the document has
 * been parsed. What the parts do is told in comet/: session.js first.
 */

/** @import { Transport } from "./comet/transports/base.js" */

import * as base64 from "./comet/base64.js";
import { Errors, Statuses } from "./comet/errors.js";
import { dispatchStomp, getLogger, loggers, OldURL } from "./comet/oldnames.js";
import { CometSession } from "./comet/session.js";
import { settings } from "./comet/settings.js";
import { TCPSocket } from "./comet/tcpsocket.js";
import { LongPollTransport } from "./comet/transports/longpoll.js";
import { PollTransport } from "./comet/transports/poll.js";
import { SSETransport } from "./comet/transports/sse.js";
import { TRANSPORTS, usableTransports } from "./comet/transports/table.js";
import { WebSocketTransport } from "./comet/transports/websocket.js";
import { XHRStreamTransport } from "./comet/transports/xhrstream.js";
import * as utf8 from "./comet/utf8.js";

const Orbited = {
  settings,
  Errors,
  Statuses,
  TCPSocket,
  CometSession,
  CometTransports: {
    WebSocket: WebSocketTransport,
    XHRStream: XHRStreamTransport,
    SSE: SSETransport,
    LongPoll: LongPollTransport,
    Poll: PollTransport,
    /** The stream of browsers that had no other. */
    HTMLFile: XHRStreamTransport,
  },
  base64: {
    /** @param {string} bytes a string of characters 0-255 */
    encode: (bytes) => base64.encode(base64.fromByteString(bytes)),
    /** @param {string} text */
    decode: (text) => base64.toByteString(base64.decode(text)),
  },
  utf8: {
    /** @param {string} text */
    encode: (text) => base64.toByteString(utf8.encode(text)),
    /** @param {string} bytes @returns {[text: string, bytesUsed: number]} */
    decode: (bytes) => {
      const text = new utf8.StreamDecoder().decode(base64.fromByteString(bytes));
      return [text, utf8.encode(text).length];
    },
  },
  /** What old pages use to choose a transport. */
  util: {
    /** The transport that is tried first; a page may put a function of its own here. */
    get chooseTransport() {
      return () => {
        const [name = ""] = usableTransports(settings, TCPSocket.platform);
        return /** @type {typeof Transport} */ (TRANSPORTS.get(name));
      };
    },
    /** @param {() => { transportName: string }} choose gives one of `CometTransports` */
    set chooseTransport(choose) {
      settings.transports = [choose().transportName];
    },
    /** No browser is told by its name any more. */
    browser: null,
  },
  JSON: globalThis.JSON,
  URL: OldURL,
  /** Requests to other origins need no frames any more: the server's access list lets them in. */
  XSDR: globalThis.XMLHttpRequest,
  /** What the frames of 0.7 knew their pages by. */
  singleton: {},
  loggers,
  getLogger,
  test: {
    stompdispatcher: { send: dispatchStomp },
    socketcontrol: {
      /** @param {TCPSocket} socket */
      kill: (socket) => socket.kill(Statuses.SocketControlKilled),
    },
  },
};

/** @type {any} */ (globalThis).Orbited ??= Orbited;

export { Orbited, TCPSocket };
