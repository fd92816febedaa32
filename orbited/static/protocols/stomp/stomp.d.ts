/**
 * A STOMP client for the browser, 1.0 to 1.2, over `Orbited.TCPSocket`.
 *
 *     import { STOMPClient } from "/static/protocols/stomp/stomp.js";
 *
 *     const client = new STOMPClient();
 *     client.onopen = () => client.subscribe("/topic/news", { receipt: "subscribed" });
 *     client.onreceiptframe = (frame) => console.log(frame.headers["receipt-id"]);
 *     client.onmessageframe = (frame) => console.log(frame.body);
 *     client.onerrorframe = (frame) => console.warn(frame.headers.message);
 *     client.onclose = (code) => console.log("closed", code);
 *     client.connect("127.0.0.1", 61613, "login", "passcode");
 *
 * What is sent before CONNECTED has come leaves at once, unless a header would look different from
 * version to version; then it waits for the version, and all that follows waits behind it.
 *
 * @import { Beat } from "./heartbeat.js"
 * @import { Frame, Headers, Version } from "./frame.js"
 * @import { LIMITS } from "./parser.js"
 */
import type { Beat } from "./heartbeat.js";
import type { Frame, Headers, Version } from "./frame.js";
import type { LIMITS } from "./parser.js";
import "./oldnames.js";
export type ConnectOptions = {
    /**
     * for the CONNECT frame; `host` is the virtual host
     */
    headers?: Headers;
    /**
     * milliseconds; default [0, 0], because the session below has pings of
     * its own, and browsers delay the timers of hidden pages
     */
    heartBeat?: Beat;
    /**
     * what a frame from the server may hold
     */
    limits?: typeof LIMITS;
};
/**
 * @typedef {object} ConnectOptions
 * @property {Headers} [headers] for the CONNECT frame; `host` is the virtual host
 * @property {Beat} [heartBeat] milliseconds; default [0, 0], because the session below has pings of
 *     its own, and browsers delay the timers of hidden pages
 * @property {typeof LIMITS} [limits] what a frame from the server may hold
 */
export declare class STOMPClient {
    #private;
    /** What timers use; tests make a subclass with their own. */
    static platform: {
        fetch: typeof globalThis.fetch;
        readonly WebSocket: typeof globalThis.WebSocket | undefined;
        readonly EventSource: typeof globalThis.EventSource | undefined;
        now: () => number;
        random: () => number;
        setTimeout: (callback: () => void, milliseconds: number) => unknown;
        clearTimeout: (timer: unknown) => void;
        sendLast(url: string, body: string): void;
    };
    /** CONNECT was written; CONNECTED has not come. @type {() => void} */
    onopen: () => void;
    /** The connection is closed, with a code of Orbited. @type {(code: number) => void} */
    onclose: (code: number) => void;
    /** Bytes that are not STOMP, or an unknown frame. @type {(error: Error) => void} */
    onerror: (error: Error) => void;
    /** Every frame; a page that sets this does what #dispatch does. @type {(frame: Frame) => void} */
    onframe: (frame: Frame) => void;
    /** @type {(frame: Frame) => void} */
    onconnectedframe: (frame: Frame) => void;
    /** @type {(frame: Frame) => void} */
    onmessageframe: (frame: Frame) => void;
    /** The old name. @type {(frame: Frame) => void} */
    onmessage: (frame: Frame) => void;
    /** @type {(frame: Frame) => void} */
    onreceiptframe: (frame: Frame) => void;
    /** The server closes the connection after it. @type {(frame: Frame) => void} */
    onerrorframe: (frame: Frame) => void;
    /** The login given to connect(). @type {string | undefined} */
    user: string | undefined;
    /** The connection below. @type {import("../../comet/tcpsocket.js").TCPSocket | null} */
    socket: import("../../comet/tcpsocket.js").TCPSocket | null;
    /** The version agreed on; null until CONNECTED has come. @type {Version | null} */
    version: Version | null;
    /**
     * Connect and log in. A client connects once, or again after `onclose`.
     *
     * @param {string} host as the server of Orbited sees it
     * @param {number | string} port
     * @param {string} [user]
     * @param {string} [password]
     * @param {ConnectOptions} [options]
     */
    connect(host: string, port: number | string, user?: string, password?: string, { headers, heartBeat, limits }?: ConnectOptions): void;
    /**
     * Say good-bye; the server has then read all that was sent, and closes.
     *
     * @param {Headers} [headers]
     */
    disconnect(headers?: Headers): void;
    /** Drop the connection, and what has not been sent. */
    reset(): void;
    /**
     * @param {string | Uint8Array} message
     * @param {string} destination
     * @param {Headers} [extraHeaders]
     */
    send(message: string | Uint8Array, destination: string, extraHeaders?: Headers): void;
    /**
     * @param {string} destination
     * @param {Headers} [extraHeaders]
     * @returns {string} id of the subscription, which its messages carry as `subscription`
     */
    subscribe(destination: string, extraHeaders?: Headers): string;
    /**
     * @param {string} destination or the id of a subscription
     * @param {Headers} [extraHeaders] with an `id`, if there are several to the destination
     */
    unsubscribe(destination: string, extraHeaders?: Headers): void;
    /** @param {string} id of a new transaction @param {Headers} [extraHeaders] */
    begin(id: string, extraHeaders?: Headers): void;
    /** @param {string} id of a transaction @param {Headers} [extraHeaders] */
    commit(id: string, extraHeaders?: Headers): void;
    /** @param {string} id of a transaction @param {Headers} [extraHeaders] */
    abort(id: string, extraHeaders?: Headers): void;
    /**
     * Acknowledge a MESSAGE of a subscription with ack `client` or `client-individual`. For others
     * nothing is sent, as nothing ever was when pages of old called this.
     *
     * @param {Frame | string} [message] or what the broker knows it by
     * @param {Headers} [extraHeaders]
     */
    ack(message?: Frame | string, extraHeaders?: Headers): void;
    /**
     * The opposite: the message was not dealt with.
     *
     * @param {Frame | string} [message] see ack()
     * @param {Headers} [extraHeaders]
     */
    nack(message?: Frame | string, extraHeaders?: Headers): void;
    /**
     * Any frame. A body gets `content-length` and, if it has none, a `content-type`.
     *
     * @param {string} type the command
     * @param {Headers} [headers]
     * @param {string | Uint8Array} [body] a string is sent as UTF-8; with a `content-length` among
     *     the headers, as of old, it is a string of bytes
     * @throws {Error} the socket is not open, or a header cannot be written
     */
    sendFrame(type: string, headers?: Headers, body?: string | Uint8Array): void;
    /** The old name. @param {string} type @param {Headers} [headers] @param {string} [body] */
    send_frame(type: string, headers?: Headers, body?: string): void;
}
