/** UTF-8 as the standard has it: a character beyond U+FFFF is four bytes, in both directions. */
/** @param {string} text */
export declare function encode(text: string): Uint8Array<ArrayBuffer>;
/** Decodes a stream whose cuts may fall inside a character. */
export declare class StreamDecoder {
    #private;
    /**
     * The text that is complete so far; the bytes of an unfinished character are kept.
     *
     * @param {Uint8Array} bytes
     */
    decode(bytes: Uint8Array): string;
}
/** Text of a complete piece; what is not UTF-8 becomes U+FFFD. @param {Uint8Array} bytes */
export declare function decode(bytes: Uint8Array): string;
