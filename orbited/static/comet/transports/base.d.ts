/**
 * The contract between a session and its transports.
 *
 * A transport object is one attempt to hear from the server: one request, or one WebSocket. The
 * session makes it, calls `open()`, and hears of it through a listener:
 *
 * - `onalive()` for every sign of life, be it a blank or a heartbeat;
 * - `onpacket(packet)` for every packet, in order;
 * - `onready()` when a transport that carries packets up may be given some;
 * - `onend(outcome)` once, as the last thing: "clean" when the server ended an answer as it should
 *   (open the next one at once), "gone" when the server does not know the session, "failed" for
 *   everything else.
 *
 * After `close()` the listener hears nothing more. A new transport is a subclass with a name, a
 * test of what the browser can do, `open()`, and `abort()`; and a line in the table.
 *
 *     class Poll extends Transport {
 *       static transportName = "poll";
 *       static isUsable(platform) { return typeof platform.fetch === "function"; }
 *       open() {
 *         void this.get(async (response) => {
 *           this.parse(new Uint8Array(await response.arrayBuffer()));
 *         });
 *       }
 *     }
 *
 * @import { Platform } from "../browser.js"
 * @import { Packet } from "../packets.js"
 * @import { Settings } from "../settings.js"
 */
import type { Platform } from "../browser.js";
import type { Packet } from "../packets.js";
import type { Settings } from "../settings.js";
import { Deadline } from "../deadline.js";
export type Outcome = "clean" | "failed" | "gone";
export type Listener = {
    onalive: () => void;
    onpacket: (packet: Packet) => void;
    onready: () => void;
    onend: (outcome: Outcome) => void;
};
export type Context = {
    platform: Platform;
    settings: Settings;
    /**
     * address of the session, with the key
     */
    sessionUrl: string;
    /**
     * id of the last packet delivered; 0 for none
     */
    ack: number;
    /**
     * how often the server says something at least
     */
    pingIntervalMs: number;
};
/** @typedef {"clean" | "failed" | "gone"} Outcome */
/**
 * @typedef {object} Listener
 * @property {() => void} onalive
 * @property {(packet: Packet) => void} onpacket
 * @property {() => void} onready
 * @property {(outcome: Outcome) => void} onend
 */
/**
 * @typedef {object} Context
 * @property {Platform} platform
 * @property {Settings} settings
 * @property {string} sessionUrl address of the session, with the key
 * @property {number} ack id of the last packet delivered; 0 for none
 * @property {number} pingIntervalMs how often the server says something at least
 */
export declare class Transport {
    #private;
    /** The last part of the URL, and the name in the settings. */
    static transportName: string;
    /** Whether answers stay open: false for those that work through any proxy. */
    static isStreaming: boolean;
    /** Whether packets go up through it too, in place of POSTs. */
    static carriesUpstream: boolean;
    /**
     * Whether this browser has what it takes.
     *
     * @param {Platform} _platform
     */
    static isUsable(_platform: Platform): boolean;
    /** Whether anything was heard. */
    isAlive: boolean;
    /** @protected */
    protected context: Context;
    /** @protected */
    protected deadline: Deadline;
    /** @param {Context} context @param {Listener} listener */
    constructor(context: Context, listener: Listener);
    /** How long to wait after a clean end. */
    get pauseMs(): number;
    open(): void;
    /** @param {readonly Packet[]} _packets */
    send(_packets: readonly Packet[]): void;
    /** Somebody is looking: see whether the other end is still there, if that can be asked. */
    probe(): void;
    /** End it; the listener is not told. */
    close(): void;
    /** Let go of what the subclass holds. @protected */
    protected abort(): void;
    /** Nothing was heard for too long. @protected */
    protected expired(): void;
    /** @protected @param {Outcome} outcome */
    protected finish(outcome: Outcome): void;
    /** @protected */
    protected alive(): void;
    /** @protected */
    protected ready(): void;
    /** @protected @param {Packet} packet */
    protected deliver(packet: Packet): void;
    /**
     * Take bytes apart and deliver the packets. What is no packet ends the transport.
     *
     * @protected
     * @param {Uint8Array} bytes
     */
    protected parse(bytes: Uint8Array): void;
    /** Whether all packets so far came whole. @protected */
    protected get isAtBoundary(): boolean;
    /** Address of this transport, with the acknowledgement. @protected */
    protected get url(): string;
    /**
     * One GET. Everything that can go wrong with it ends the transport.
     *
     * @protected
     * @param {(response: Response) => Promise<void>} read takes a good answer to its clean end
     */
    protected get(read: (response: Response) => Promise<void>): Promise<void>;
}
