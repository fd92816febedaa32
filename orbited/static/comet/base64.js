/** Base64 of byte arrays: standard alphabet, padded, no line breaks. */

const CHUNK = 0x8000; // String.fromCharCode takes its characters as arguments; stacks are finite

/** A string with one character (0-255) for each byte. @param {Uint8Array} bytes */
export function toByteString(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return text;
}

/**
 * The bytes of a string whose characters are all 0-255.
 *
 * @param {string} text
 * @throws {RangeError} a character is not a byte
 */
export function fromByteString(text) {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 255) throw new RangeError(`character ${at} is not a byte: U+${code.toString(16)}`);
    bytes[at] = code;
  }
  return bytes;
}

/** @param {Uint8Array} bytes */
export function encode(bytes) {
  return btoa(toByteString(bytes));
}

/**
 * @param {string} text
 * @throws {DOMException} the text is not base64
 */
export function decode(text) {
  return fromByteString(atob(text));
}
