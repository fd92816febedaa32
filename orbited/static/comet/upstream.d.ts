/** @import { Packet } from "./packets.js" */
import type { Packet } from "./packets.js";
/**
 * Packets on their way to the server, kept until it has accepted them. What is sent again keeps
 * its id, and always begins with the oldest that is not accepted, so that the server sees no gap
 * and can drop what it has.
 */
export declare class Upstream {
    #private;
    /** Bytes of data that are not accepted. */
    get bytes(): number;
    get isEmpty(): boolean;
    /** @param {string} name @param {Uint8Array} [data] */
    push(name: string, data?: Uint8Array): void;
    /**
     * The server has everything up to this id.
     *
     * @param {number} id
     * @returns {boolean} whether that was news
     */
    accept(id: number): boolean;
    /**
     * The oldest packets after an id, as many as fit, but one at least if there is one.
     *
     * @param {number} id 0 for the oldest
     * @param {number} maxBytes of data
     */
    batch(id: number, maxBytes: number): Packet[];
    /** Forget what was not accepted. The next packet has a new id all the same. */
    discard(): void;
}
