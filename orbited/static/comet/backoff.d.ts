/**
 * Full jitter: a random time between nothing and a limit that doubles with each failure, so that
 * a thousand browsers that lost the server together do not come back together.
 */
export declare class Backoff {
    #private;
    /**
     * @param {() => number} random 0 to 1
     * @param {number} base limit of the first wait, in milliseconds
     * @param {number} cap limit of all waits
     */
    constructor(random: () => number, base: number, cap: number);
    /** The time to wait now, in milliseconds. */
    next(): number;
    /** Something went well. */
    reset(): void;
}
