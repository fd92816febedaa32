/**
 * A TCP socket for JavaScript.
 *
 *     import { Orbited, TCPSocket } from "/static/Orbited.js";
 *
 * Old pages load this file as a module and find `Orbited` among the globals, when the document has
 * been parsed. What the parts do is told in comet/: session.js first.
 */
import { dispatchStomp, getLogger, OldURL } from "./comet/oldnames.js";
import { CometSession } from "./comet/session.js";
import { TCPSocket } from "./comet/tcpsocket.js";
import { LongPollTransport } from "./comet/transports/longpoll.js";
import { PollTransport } from "./comet/transports/poll.js";
import { SSETransport } from "./comet/transports/sse.js";
import { WebSocketTransport } from "./comet/transports/websocket.js";
import { XHRStreamTransport } from "./comet/transports/xhrstream.js";
declare const Orbited: {
    settings: import("./comet/settings.js").Settings;
    Errors: Readonly<{
        ConnectionTimeout: 101;
        InvalidHandshake: 102;
        UserConnectionReset: 103;
        RemoteConnectionTimeout: 104;
        Unauthorized: 106;
        RemoteConnectionFailed: 108;
    }>;
    Statuses: Readonly<{
        ServerClosedConnection: 201;
        SlowConsumer: 202;
        ServerGoingAway: 203;
        SocketControlKilled: 301;
    }>;
    TCPSocket: typeof TCPSocket;
    CometSession: typeof CometSession;
    CometTransports: {
        WebSocket: typeof WebSocketTransport;
        XHRStream: typeof XHRStreamTransport;
        SSE: typeof SSETransport;
        LongPoll: typeof LongPollTransport;
        Poll: typeof PollTransport;
        /** The stream of browsers that had no other. */
        HTMLFile: typeof XHRStreamTransport;
    };
    base64: {
        /** @param {string} bytes a string of characters 0-255 */
        encode: (bytes: string) => string;
        /** @param {string} text */
        decode: (text: string) => string;
    };
    utf8: {
        /** @param {string} text */
        encode: (text: string) => string;
        /** @param {string} bytes @returns {[text: string, bytesUsed: number]} */
        decode: (bytes: string) => [text: string, bytesUsed: number];
    };
    /** What old pages use to choose a transport. */
    util: {
        /** The transport that is tried first; a page may put a function of its own here. */
        chooseTransport: () => {
            transportName: string;
        };
        /** No browser is told by its name any more. */
        browser: null;
    };
    JSON: JSON;
    URL: typeof OldURL;
    /** Requests to other origins need no frames any more: the server's access list lets them in. */
    XSDR: {
        new (): XMLHttpRequest;
        prototype: XMLHttpRequest;
        readonly UNSENT: 0;
        readonly OPENED: 1;
        readonly HEADERS_RECEIVED: 2;
        readonly LOADING: 3;
        readonly DONE: 4;
    };
    /** What the frames of 0.7 knew their pages by. */
    singleton: {};
    loggers: Record<string, Console>;
    getLogger: typeof getLogger;
    test: {
        stompdispatcher: {
            send: typeof dispatchStomp;
        };
        socketcontrol: {
            /** @param {TCPSocket} socket */
            kill: (socket: TCPSocket) => void;
        };
    };
};
export { Orbited, TCPSocket };
