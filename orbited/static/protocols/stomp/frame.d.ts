/**
 * STOMP frames and how they are written, 1.0 to 1.2.
 *
 *     COMMAND LF (NAME ":" VALUE LF)* LF BODY NUL
 */
export type Version = "1.0" | "1.1" | "1.2";
export type Headers = Record<string, string>;
/** @typedef {"1.0" | "1.1" | "1.2"} Version */
/** @typedef {Record<string, string>} Headers without a prototype when they were received */
/** Versions that we speak, as `accept-version` wants them. */
export declare const ACCEPTED_VERSIONS = "1.0,1.1,1.2";
/** Frames whose headers are never escaped, so that every version can read them. */
export declare const UNESCAPED_COMMANDS: Set<string>;
/** What escaping stands for, by version. STOMP 1.2, "Value Encoding". */
export declare const UNESCAPES: Readonly<{
    "1.0": Map<any, any>;
    1.1: Map<string, string>;
    1.2: Map<string, string>;
}>;
/** The server, or the page, does not keep to STOMP. */
export declare class FrameError extends Error {
}
/** A frame that was received. */
export declare class Frame {
    #private;
    type: string;
    headers: Headers;
    bytes: Uint8Array<ArrayBufferLike>;
    /**
     * @param {string} type the command
     * @param {Headers} headers
     * @param {Uint8Array} bytes
     */
    constructor(type: string, headers: Headers, bytes: Uint8Array);
    /** The body as text; what is not UTF-8 becomes U+FFFD. */
    get body(): string;
}
/** Whether a header looks the same in all versions. @param {string} text */
export declare function isPlain(text: string): boolean;
/**
 * A frame as bytes.
 *
 * @param {string} type
 * @param {Headers} headers
 * @param {Uint8Array} body
 * @param {Version} version
 * @throws {FrameError} a header cannot be written in this version
 */
export declare function encode(type: string, headers: Headers, body: Uint8Array, version: Version): Uint8Array<ArrayBuffer>;
