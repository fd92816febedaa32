/** Base64 of byte arrays: standard alphabet, padded, no line breaks. */
/** A string with one character (0-255) for each byte. @param {Uint8Array} bytes */
export declare function toByteString(bytes: Uint8Array): string;
/**
 * The bytes of a string whose characters are all 0-255.
 *
 * @param {string} text
 * @throws {RangeError} a character is not a byte
 */
export declare function fromByteString(text: string): Uint8Array<ArrayBuffer>;
/** @param {Uint8Array} bytes */
export declare function encode(bytes: Uint8Array): string;
/**
 * @param {string} text
 * @throws {DOMException} the text is not base64
 */
export declare function decode(text: string): Uint8Array<ArrayBuffer>;
