/** What pages of 0.7 find on `Orbited` beside its sockets. Nothing here is used by the rest. */
/** An address in parts that can be changed; a port that is not named is 80, and 443 for https. */
export declare class OldURL {
    #private;
    /** @type {string | undefined} */
    protocol: string | undefined;
    domain: string;
    port: number;
    path: string;
    qs: string;
    hash: string;
    /** @param {string} text @throws {Error} the port is no number */
    constructor(text: string);
    render(): string;
    /** @param {string} other */
    isSamePort(other: string): boolean;
    /** @param {string} other one without a host is of the same */
    isSameDomain(other: string): boolean;
    /** Whether this is below the other. @param {string} other */
    isSubDomain(other: string): boolean;
    /** Whether the other is of this domain, or of one above the page's. @param {string} other */
    isSameParentDomain(other: string): boolean;
    /** @param {string} name @param {string | number} value */
    setQsParameter(name: string, value: string | number): void;
    /** @param {string} name */
    removeQsParameter(name: string): void;
    /** @param {string} qs parameters that are set, or outweigh those that are */
    mergeQs(qs: string): void;
}
/** By their names; all of them are the console. @type {Record<string, Console>} */
export declare const loggers: Record<string, Console>;
/** @param {string} name */
export declare function getLogger(name: string): Console;
/**
 * Have the server publish a message, for tests of a page; `[test] stompdispatcher.enabled` lets it.
 *
 * @param {string} destination
 * @param {string} message
 */
export declare function dispatchStomp(destination: string, message: string): void;
