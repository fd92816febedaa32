/**
 * How long a link waits between its attempts, and when the page hears of an outage.
 *
 * The waits stay short while the server can be reached, however often a transport is cut, and grow
 * long while nothing gets through. All have full jitter, and end at once when there is reason to.
 *
 * @import { Platform } from "./browser.js"
 * @import { Settings } from "./settings.js"
 */
import type { Platform } from "./browser.js";
import type { Settings } from "./settings.js";
export declare class Patience {
    #private;
    /**
     * @param {Platform} platform
     * @param {Settings} settings
     * @param {() => void} onoutage nothing gets through, and has not for more than a moment
     */
    constructor(platform: Platform, settings: Settings, onoutage: () => void);
    get isWaiting(): boolean;
    /** A transport has brought something, or has lasted. */
    succeeded(): void;
    /** The server has answered: a long wait, if there is one, is over. */
    reached(): void;
    /** The server is being asked whether it is there. */
    asking(): void;
    /** It has answered, or cannot be reached. */
    asked(): void;
    /** Wait: a transport was cut, and the server can be reached. */
    afterCut(): Promise<void>;
    /** Wait: the server could not be reached. */
    afterFailure(): Promise<void>;
    /** @param {number} milliseconds */
    betweenPolls(milliseconds: number): Promise<void>;
    /** The server has accepted something, which is probably answered. */
    accepted(): void;
    /** Go on now. */
    skip(): void;
    stop(): void;
}
