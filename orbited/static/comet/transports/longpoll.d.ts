import { Transport } from "./base.js";
import type { Platform } from "../browser.js";
/** @import { Platform } from "../browser.js" */
/**
 * A request that the server answers when it has something to say, or after thirty seconds with
 * nothing.
 */
export declare class LongPollTransport extends Transport {
    static transportName: string;
    static isStreaming: boolean;
    /** @param {Platform} platform */
    static isUsable(platform: Platform): boolean;
    /** Length of the answer. @protected */
    protected answerBytes: number;
    open(): void;
}
