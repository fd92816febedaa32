import { Transport } from "./base.js";
import type { Platform } from "../browser.js";
/** @import { Platform } from "../browser.js" */
/**
 * One endless answer, read as it comes. The server begins with blanks, beats with an `x` every five
 * seconds of silence, and ends the answer between two packets when it has grown long.
 */
export declare class XHRStreamTransport extends Transport {
    static transportName: string;
    /** @param {Platform} platform */
    static isUsable(platform: Platform): boolean;
    open(): void;
}
