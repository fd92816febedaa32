/** @import { Platform } from "./browser.js" */
import type { Platform } from "./browser.js";
/** A wait that can be cut short. */
export declare class Pause {
    #private;
    /** @param {Platform} platform */
    constructor(platform: Platform);
    get isWaiting(): boolean;
    /**
     * One at a time.
     *
     * @param {number} milliseconds
     * @returns {Promise<void>}
     */
    wait(milliseconds: number): Promise<void>;
    /** Go on after so long at the latest. @param {number} milliseconds */
    withinAtMost(milliseconds: number): void;
    /** Go on now. */
    skip(): void;
}
