/**
 * A queue of bytes: filled at one end, searched and taken from the other. Grows by doubling and
 * moves its content only then, so that many small pieces cost no more than one large one.
 */
export declare class ByteBuffer {
    #private;
    get length(): number;
    /** @param {Uint8Array} piece */
    push(piece: Uint8Array): void;
    /** The byte at an offset that is smaller than `length`. @param {number} offset */
    at(offset: number): number;
    /** Offset of the first such byte, or -1. @param {number} byte @param {number} [from] */
    indexOf(byte: number, from?: number): number;
    /** Remove and return the first bytes, as a copy. @param {number} count */
    take(count: number): Uint8Array<ArrayBuffer>;
    /** @param {number} count */
    skip(count: number): void;
}
