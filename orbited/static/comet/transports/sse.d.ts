import { Transport } from "./base.js";
import type { Platform } from "../browser.js";
/** @import { Platform } from "../browser.js" */
/**
 * Server-sent events: each `payload` event is a JSON array of packets. The browser tells neither
 * the status nor the end of an answer, and would come back by itself with an old acknowledgement,
 * so every error ends the transport and the session opens the next one.
 */
export declare class SSETransport extends Transport {
    #private;
    static transportName: string;
    /** @param {Platform} platform */
    static isUsable(platform: Platform): boolean;
    open(): void;
    /** @protected */
    protected abort(): void;
}
