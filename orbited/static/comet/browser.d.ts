/**
 * Everything that a session needs from the browser, in one object, so that tests can hand it
 * another one. Globals are looked up at each use: a page may replace them.
 */
export declare const browser: {
    /** @type {typeof globalThis.fetch} */
    fetch: typeof globalThis.fetch;
    /** @returns {typeof globalThis.WebSocket | undefined} */
    readonly WebSocket: typeof globalThis.WebSocket | undefined;
    /** @returns {typeof globalThis.EventSource | undefined} */
    readonly EventSource: typeof globalThis.EventSource | undefined;
    /** Wall clock: it goes on while the machine sleeps, which performance.now() need not. */
    now: () => number;
    random: () => number;
    /**
     * @param {() => void} callback
     * @param {number} milliseconds
     * @returns {unknown} what clearTimeout takes
     */
    setTimeout: (callback: () => void, milliseconds: number) => unknown;
    /** @param {unknown} timer */
    clearTimeout: (timer: unknown) => void;
    /**
     * Send as the page goes away; the answer is never seen.
     *
     * @param {string} url
     * @param {string} body at most about 60 KiB, the browsers' limit for all such requests together
     */
    sendLast(url: string, body: string): void;
};
export type Platform = typeof browser;
/** @typedef {typeof browser} Platform */
/**
 * What all our requests have in common.
 *
 * The key in the URL is the session's only secret; the server reads no cookie. Cookies are sent to
 * the page's own origin all the same ("same-origin"), because a login gate or a load balancer in
 * front of the server may want them, and never to another one: there they would only widen what a
 * cross-origin rule has to allow. A body is a string, so its type is text/plain and no request
 * needs a CORS preflight.
 *
 * @type {RequestInit}
 */
export declare const REQUEST: RequestInit;
