/**
 * @import { Platform } from "./browser.js"
 * @import { Downstream } from "./downstream.js"
 * @import { Settings } from "./settings.js"
 * @import { Upstream } from "./upstream.js"
 */
import type { Platform } from "./browser.js";
import type { Downstream } from "./downstream.js";
import type { Settings } from "./settings.js";
import type { Upstream } from "./upstream.js";
export type PostOutcome = "accepted" | "gone" | "refused" | "unreachable";
/** Sends packets up in POSTs, never two at a time. */
export declare class Poster {
    #private;
    /**
     * @param {Platform} platform
     * @param {Settings} settings
     * @param {string} url of the session, with the key
     * @param {Upstream} upstream
     * @param {Downstream} downstream
     */
    constructor(platform: Platform, settings: Settings, url: string, upstream: Upstream, downstream: Downstream);
    /** POST the oldest packets and the acknowledgement; or wait for the POST that is on its way. */
    post(): Promise<PostOutcome>;
    /** Break off the POST that is on its way, if there is one; it counts as unreachable. */
    interrupt(): void;
    /**
     * Send what is left as the page goes away, without looking for an answer. When it is too much
     * for that, only its last packet goes, so that the server hears at least of the close.
     */
    postLast(): void;
}
