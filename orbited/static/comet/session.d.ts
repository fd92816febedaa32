/**
 * A session with the server: a pipe of bytes both ways that outlives the requests it is made of.
 *
 *     create           GET  .../tcp                          the answer is the key
 *     down             GET  .../tcp/KEY/TRANSPORT?ack=N      packets; opened again and again
 *     up               POST .../tcp/KEY?ack=N                packets; or through the WebSocket
 *
 * Both ends number their packets, keep them until the other has acknowledged them, and drop what
 * they have seen. So any request may fail at any moment, any transport may follow any other, and
 * nothing is lost or doubled while the server keeps the session.
 *
 * @import { Platform } from "./browser.js"
 * @import { Packet } from "./packets.js"
 * @import { Settings } from "./settings.js"
 */
import type { Platform } from "./browser.js";
import type { Settings } from "./settings.js";
export declare class CometSession {
    #private;
    /** @type {() => void} */
    onopen: () => void;
    /** @type {(bytes: Uint8Array) => void} */
    ondata: (bytes: Uint8Array) => void;
    /** @type {(code: number) => void} called once, in a later turn */
    onclose: (code: number) => void;
    /** @type {(name: string | null) => void} */
    ontransport: (name: string | null) => void;
    /** @type {string | null} name of the transport in use; null before the first, and in an outage */
    transport: string | null;
    /** @type {number} */
    readyState: number;
    /**
     * @param {Settings} [settings]
     * @param {Platform} [platform]
     */
    constructor(settings?: Settings, platform?: Platform);
    /** Bytes that the server has not accepted yet. */
    get bufferedAmount(): number;
    /**
     * Ask for a session. `onopen` or `onclose` follows.
     *
     * @throws {Error} this browser can use none of the transports in the settings
     */
    open(): void;
    /**
     * @param {Uint8Array} bytes kept as they are, not copied
     * @throws {Error} the session is not open, or too much is waiting
     */
    send(bytes: Uint8Array): void;
    /**
     * End the session. The page is told at once; what is queued goes up behind its back.
     *
     * @param {number} [code]
     */
    close(code?: number): void;
    /** End the session now; what is queued is dropped. */
    reset(): void;
    /**
     * The other end has closed: acknowledge that, so that the server can forget the session.
     *
     * @param {number} code
     */
    abandon(code: number): void;
    /** The network came back, or the page did. */
    wake(): void;
    /** Somebody looks at the page. */
    look(): void;
    /** The page is put aside, and may come back while the server keeps the session. */
    rest(): void;
    /** The page goes away; nobody is there to be told. */
    leave(): void;
}
