import { Transport } from "./base.js";
import type { Platform } from "../browser.js";
import type { Packet } from "../packets.js";
/**
 * @import { Platform } from "../browser.js"
 * @import { Packet } from "../packets.js"
 */
/**
 * Packets both ways in binary messages, data as it is. The browser does not tell why a WebSocket
 * does not open, so a session that is gone looks like any other failure.
 */
export declare class WebSocketTransport extends Transport {
    #private;
    static transportName: string;
    static carriesUpstream: boolean;
    /** @param {Platform} platform */
    static isUsable(platform: Platform): boolean;
    open(): void;
    /** @param {readonly Packet[]} packets */
    send(packets: readonly Packet[]): void;
    /** Silence: ask once before giving up. @protected */
    protected expired(): void;
    /** Ask for an acknowledgement. */
    probe(): void;
    /** @protected */
    protected abort(): void;
}
