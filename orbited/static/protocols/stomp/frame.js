/**
 * STOMP frames and how they are written, 1.0 to 1.2.
 *
 *     COMMAND LF (NAME ":" VALUE LF)* LF BODY NUL
 */

import * as utf8 from "../../comet/utf8.js";

/** @typedef {"1.0" | "1.1" | "1.2"} Version */

/** @typedef {Record<string, string>} Headers without a prototype when they were received */

/** Versions that we speak, as `accept-version` wants them. */
export const ACCEPTED_VERSIONS = "1.0,1.1,1.2";

/** Frames whose headers are never escaped, so that every version can read them. */
export const UNESCAPED_COMMANDS = new Set(["CONNECT", "STOMP", "CONNECTED"]);

/** What escaping stands for, by version. STOMP 1.2, "Value Encoding". */
export const UNESCAPES = Object.freeze({
  "1.0": new Map(),
  1.1: new Map([
    ["n", "\n"],
    ["c", ":"],
    ["\\", "\\"],
  ]),
  1.2: new Map([
    ["r", "\r"],
    ["n", "\n"],
    ["c", ":"],
    ["\\", "\\"],
  ]),
});

/** @type {Readonly<Record<Version, Map<string, string>>>} character to escape */
const ESCAPES = Object.freeze({
  "1.0": new Map(),
  1.1: inverted(UNESCAPES["1.1"]),
  1.2: inverted(UNESCAPES["1.2"]),
});

/** @param {Map<string, string>} map @returns {Map<string, string>} */
function inverted(map) {
  return new Map([...map].map(([letter, character]) => [character, `\\${letter}`]));
}

/** The server, or the page, does not keep to STOMP. */
export class FrameError extends Error {}

/** A frame that was received. */
export class Frame {
  /** @type {string | null} */
  #text = null;

  /**
   * @param {string} type the command
   * @param {Headers} headers
   * @param {Uint8Array} bytes
   */
  constructor(type, headers, bytes) {
    this.type = type;
    this.headers = headers;
    this.bytes = bytes;
  }

  /** The body as text; what is not UTF-8 becomes U+FFFD. */
  get body() {
    this.#text ??= utf8.decode(this.bytes);
    return this.#text;
  }
}

/** Whether a header looks the same in all versions. @param {string} text */
export function isPlain(text) {
  return !/[\\:\r\n\0]/.test(text);
}

/**
 * A frame as bytes.
 *
 * @param {string} type
 * @param {Headers} headers
 * @param {Uint8Array} body
 * @param {Version} version
 * @throws {FrameError} a header cannot be written in this version
 */
export function encode(type, headers, body, version) {
  const escapes = UNESCAPED_COMMANDS.has(type) ? ESCAPES["1.0"] : ESCAPES[version];
  /** @param {string} text */
  const escape = (text) =>
    text.replace(/[\\:\r\n]/g, (character) => escapes.get(character) ?? character);
  const lines = Object.entries(headers).map(([name, value]) => {
    const [left, right] = [escape(name), escape(String(value))];
    if (/[\r\n\0]/.test(left + right) || left.includes(":") || left === "") {
      throw new FrameError(`header ${JSON.stringify(name)} cannot be sent in a ${type} frame`);
    }
    return `${left}:${right}\n`;
  });
  const head = utf8.encode(`${type}\n${lines.join("")}\n`);
  const bytes = new Uint8Array(head.length + body.length + 1); // the last one is the NUL
  bytes.set(head, 0);
  bytes.set(body, head.length);
  return bytes;
}
