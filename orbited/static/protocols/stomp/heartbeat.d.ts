/**
 * STOMP heart-beats: each side promises a line end at least so often.
 *
 * @import { Platform } from "../../comet/browser.js"
 */
import type { Platform } from "../../comet/browser.js";
export type Beat = readonly [send: number, want: number];
/** @typedef {readonly [send: number, want: number]} Beat milliseconds; 0: cannot, or need not */
/**
 * @param {Beat} ours
 * @param {string | undefined} header the `heart-beat` header of the other side
 * @returns {{ sendEvery: number, expectEvery: number }} milliseconds; 0: never
 * @throws {FrameError} the header makes no sense
 */
export declare function negotiate(ours: Beat, header?: string | undefined): {
    sendEvery: number;
    expectEvery: number;
};
export declare class Heartbeat {
    #private;
    /**
     * @param {Platform} platform
     * @param {{ sendEvery: number, expectEvery: number }} agreed
     * @param {() => void} beat sends a beat, and says so with `sent()`
     * @param {() => void} dead the other side is silent
     */
    constructor(platform: Platform, { sendEvery, expectEvery }: {
        sendEvery: number;
        expectEvery: number;
    }, beat: () => void, dead: () => void);
    /** Something was sent, be it a frame or a beat. */
    sent(): void;
    /** Something came in. */
    received(): void;
    stop(): void;
}
