import { ByteBuffer } from "../../comet/bytebuffer.js";
import * as utf8 from "../../comet/utf8.js";
import { Frame, FrameError, UNESCAPED_COMMANDS, UNESCAPES } from "./frame.js";

/** @import { Headers, Version } from "./frame.js" */

const LF = 0x0a;
const CR = 0x0d;
const NUL = 0x00;
const DECIMAL = /^\d{1,15}$/;

/** What one frame may hold. What is larger ends the connection. */
export const LIMITS = Object.freeze({
  maxHeaders: 1000,
  maxHeaderBytes: 262144,
  maxBodyBytes: 67108864,
});

/**
 * Takes frames out of a stream of bytes that may be cut anywhere. `version` may change between two
 * frames.
 */
export class FrameParser {
  /** @type {Version} */
  version = "1.0";

  #limits;
  #buffer = new ByteBuffer();
  #searched = 0; // so far there is no end of the line, or of the body
  /** @type {string | null} */
  #command = null; // null: between two frames
  /** @type {[name: string, value: string][]} */
  #lines = [];
  #headerBytes = 0;
  /** @type {Headers | null} */
  #headers = null; // null: there are more to come
  #bodyLength = -1; // -1: up to the NUL

  /** @param {typeof LIMITS} [limits] */
  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Generator<Frame, void>} the frames that are complete now
   * @throws {FrameError} while the generator runs; the stream is of no use any more
   */
  *parse(bytes) {
    this.#buffer.push(bytes);
    for (;;) {
      if (this.#headers !== null) {
        const body = this.#takeBody();
        if (body === null) return;
        const frame = new Frame(/** @type {string} */ (this.#command), this.#headers, body);
        this.#command = this.#headers = null;
        yield frame;
      } else if (!this.#takeLine()) {
        return;
      }
    }
  }

  /** Take one line of the head, if it is there. */
  #takeLine() {
    if (this.#command === null) this.#skipLineEnds();
    const end = this.#buffer.indexOf(LF, this.#searched);
    const length = end === -1 ? this.#buffer.length : end;
    if (this.#headerBytes + length > this.#limits.maxHeaderBytes) {
      throw new FrameError(`the head of a frame exceeds ${this.#limits.maxHeaderBytes} bytes`);
    }
    this.#searched = end === -1 ? length : 0;
    if (end === -1) return false;
    this.#headerBytes += length;
    let line = this.#buffer.take(end + 1).subarray(0, -1);
    if (line.at(-1) === CR && this.version !== "1.1") line = line.subarray(0, -1);
    this.#readLine(utf8.decode(line));
    return true;
  }

  /** Between frames there may be line ends: they are heart-beats. */
  #skipLineEnds() {
    while (this.#buffer.length > 0 && (this.#buffer.at(0) === LF || this.#buffer.at(0) === CR)) {
      this.#buffer.skip(1);
    }
  }

  /** @param {string} line */
  #readLine(line) {
    if (this.#command === null) {
      this.#command = line;
    } else if (line !== "") {
      this.#lines.push(this.#readHeader(line));
      if (this.#lines.length > this.#limits.maxHeaders) {
        throw new FrameError(`a frame has more than ${this.#limits.maxHeaders} headers`);
      }
    } else {
      this.#headers = this.#collect();
      this.#bodyLength = this.#readLength(this.#headers["content-length"]);
      this.#lines = [];
      this.#headerBytes = 0;
    }
  }

  /** @param {string} line @returns {[name: string, value: string]} */
  #readHeader(line) {
    const colon = line.indexOf(":");
    if (colon === -1) throw new FrameError(`a header has no colon: ${line.slice(0, 40)}`);
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1);
    if (this.version === "1.0") return [name.trim(), value.trim()];
    return [this.#unescape(name), this.#unescape(value)];
  }

  /** @param {string} text */
  #unescape(text) {
    if (!text.includes("\\") || UNESCAPED_COMMANDS.has(this.#command ?? "")) return text;
    return text.replace(/\\([^]?)/g, (escape, letter) => {
      const character = UNESCAPES[this.version].get(letter);
      if (character !== undefined) return character;
      throw new FrameError(`not an escape of STOMP ${this.version}: ${JSON.stringify(escape)}`);
    });
  }

  /** Of a repeated header the first one counts since 1.1; in 1.0, as ever here, the last. */
  #collect() {
    /** @type {Headers} */
    const headers = Object.create(null);
    for (const [name, value] of this.#lines) {
      if (this.version === "1.0" || !(name in headers)) headers[name] = value;
    }
    return headers;
  }

  /** @param {string | undefined} text */
  #readLength(text) {
    if (text === undefined) return -1;
    const value = text.trim();
    if (!DECIMAL.test(value)) throw new FrameError(`not a content-length: ${value.slice(0, 40)}`);
    this.#checkLength(Number(value));
    return Number(value);
  }

  /** @param {number} length */
  #checkLength(length) {
    const { maxBodyBytes } = this.#limits;
    if (length > maxBodyBytes) throw new FrameError(`a body exceeds ${maxBodyBytes} bytes`);
  }

  /** The body without its NUL; null while it is not complete. */
  #takeBody() {
    let length = this.#bodyLength;
    if (length === -1) {
      length = this.#buffer.indexOf(NUL, this.#searched);
      this.#checkLength(length === -1 ? this.#buffer.length : length);
      this.#searched = length === -1 ? this.#buffer.length : 0;
      if (length === -1) return null;
    }
    if (this.#buffer.length <= length) return null;
    if (this.#buffer.at(length) !== NUL) {
      throw new FrameError(`no NUL after a body of ${length} bytes`);
    }
    const body = this.#buffer.take(length);
    this.#buffer.skip(1);
    return body;
  }
}
