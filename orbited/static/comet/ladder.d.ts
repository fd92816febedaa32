/**
 * Which transport to use: the first in the page's order of preference that works.
 *
 * A transport that failed although the server could be reached is left out for the page's life: at
 * once when it never worked, after some failures in a row when it did. When none is left, all get
 * another chance.
 */
export type Record = {
    hasWorked: boolean;
    failures: number;
    isBroken: boolean;
};
export declare class Ladder {
    #private;
    /**
     * @param {string} url of the server
     * @param {readonly string[]} names of the usable transports, best first; not empty
     */
    constructor(url: string, names: readonly string[]);
    /** Name of the transport to use now. */
    get current(): string;
    /** The server was heard on the current transport. */
    worked(): void;
    /** The current transport has brought something, or has lasted. */
    succeeded(): void;
    /**
     * The current transport has failed, and the server is there: it was the transport's fault.
     *
     * @returns {boolean} whether there is another one to try at once
     */
    failed(): boolean;
}
