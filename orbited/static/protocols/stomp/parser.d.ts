import { Frame } from "./frame.js";
import type { Version } from "./frame.js";
/** What one frame may hold. What is larger ends the connection. */
export declare const LIMITS: Readonly<{
    maxHeaders: 1000;
    maxHeaderBytes: 262144;
    maxBodyBytes: 67108864;
}>;
/**
 * Takes frames out of a stream of bytes that may be cut anywhere. `version` may change between two
 * frames.
 */
export declare class FrameParser {
    #private;
    /** @type {Version} */
    version: Version;
    /** @param {typeof LIMITS} [limits] */
    constructor(limits?: typeof LIMITS);
    /**
     * @param {Uint8Array} bytes
     * @returns {Generator<Frame, void>} the frames that are complete now
     * @throws {FrameError} while the generator runs; the stream is of no use any more
     */
    parse(bytes: Uint8Array): Generator<Frame, void>;
}
