/** UTF-8 as the standard has it: a character beyond U+FFFF is four bytes, in both directions. */

const encoder = new TextEncoder();

/** @param {string} text */
export function encode(text) {
  return encoder.encode(text);
}

/** Decodes a stream whose cuts may fall inside a character. */
export class StreamDecoder {
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /**
   * The text that is complete so far; the bytes of an unfinished character are kept.
   *
   * @param {Uint8Array} bytes
   */
  decode(bytes) {
    return this.#decoder.decode(bytes, { stream: true });
  }
}

/** Text of a complete piece; what is not UTF-8 becomes U+FFFD. @param {Uint8Array} bytes */
export function decode(bytes) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
