/** @import { Platform } from "./browser.js" */
import type { Platform } from "./browser.js";
/**
 * Calls a function when a time has passed without being put off. Putting off only writes down the
 * new time, so that it may be done for every packet.
 */
export declare class Deadline {
    #private;
    /**
     * @param {Platform} platform
     * @param {(overdue: number) => void} expired called with how late it is, in milliseconds: more
     *     than some seconds mean that the machine has slept
     */
    constructor(platform: Platform, expired: (overdue: number) => void);
    /** Expire so many milliseconds from now, whatever was said before. @param {number} wait */
    within(wait: number): void;
    /** Expire in so many milliseconds, or when it would have. @param {number} wait */
    withinAtMost(wait: number): void;
    clear(): void;
    /** Look at the clock now: timers may be late after a sleep of the machine. */
    check(): void;
}
