/**
 * Packets on the wire.
 *
 *     packet    [id, name] or [id, name, data]
 *     argument  FLAG LEN "," BYTES      FLAG "1": more arguments follow, "0": the last one
 *
 *     11,5 14,data 08,aGVsbG8=          ["5", "data", "aGVsbG8="], written without the blanks
 *
 * In an HTTP body everything is ASCII, and the data of a `data` packet is base64. In a WebSocket
 * message it is the bytes themselves.
 */

import * as base64 from "./base64.js";
import { ByteBuffer } from "./bytebuffer.js";
import { PacketError } from "./errors.js";
import * as utf8 from "./utf8.js";

/**
 * @typedef {object} Packet
 * @property {number} id
 * @property {string} name
 * @property {Uint8Array} data empty when the packet has none
 */

const COMMA = 0x2c;
const LAST = 0x30;
const MORE = 0x31;
const PADDING = new Set([0x20, 0x78, 0x0a, 0x0d]); // blank, "x", line ends
const MAX_LENGTH_DIGITS = 10;
const MAX_ARGUMENTS = 8;

/**
 * Packets as the body of a POST.
 *
 * @param {readonly Packet[]} packets
 */
export function encodeText(packets) {
  return packets
    .map(({ id, name, data }) => {
      if (name === "close") return argument(1, String(id)) + argument(0, name);
      const last = name === "data" ? base64.encode(data) : base64.toByteString(data);
      return argument(1, String(id)) + argument(1, name) + argument(0, last);
    })
    .join("");
}

/** @param {0 | 1} flag @param {string} text */
function argument(flag, text) {
  return `${flag}${text.length},${text}`;
}

/**
 * Packets as one binary WebSocket message.
 *
 * @param {readonly Packet[]} packets
 */
export function encodeBytes(packets) {
  const pieces = packets.flatMap(({ id, name, data }) => {
    const head = argument(1, String(id)) + argument(name === "close" ? 0 : 1, name);
    return name === "close" ? [utf8.encode(head)] : [utf8.encode(`${head}0${data.length},`), data];
  });
  const message = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    message.set(piece, at);
    at += piece.length;
  }
  return message;
}

/**
 * A packet from its arguments as text, data in base64: what an event stream carries as JSON.
 *
 * @param {unknown} texts
 * @returns {Packet}
 */
export function fromTexts(texts) {
  const [id, name, data = ""] = Array.isArray(texts) ? texts : [];
  const areTexts = [id, name, data].every((text) => typeof text === "string");
  if (!areTexts || !/^\d{1,15}$/.test(id) || name === "") {
    throw new PacketError(`not a packet: id ${JSON.stringify(id)}, name ${JSON.stringify(name)}`);
  }
  try {
    const bytes = name === "data" ? base64.decode(data) : utf8.encode(data);
    return { id: Number(id), name, data: bytes };
  } catch {
    throw new PacketError(`packet ${id}: the data is not base64`);
  }
}

/** Takes packets out of a stream of bytes that may be cut anywhere. */
export class PacketParser {
  #buffer = new ByteBuffer();
  #isBase64;
  #maxArgumentBytes;
  /** @type {Uint8Array[]} */
  #arguments = [];
  #flag = 0;
  #length = -1; // of the argument that is being read; -1 while its head is

  /**
   * @param {object} options
   * @param {boolean} options.isBase64 how the data of a packet is written
   * @param {number} options.maxArgumentBytes
   */
  constructor({ isBase64, maxArgumentBytes }) {
    this.#isBase64 = isBase64;
    this.#maxArgumentBytes = maxArgumentBytes;
  }

  /** Whether all that was read were whole packets. */
  get isAtBoundary() {
    this.#skipPadding();
    return this.#arguments.length === 0 && this.#length === -1 && this.#buffer.length === 0;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Generator<Packet, void>} the packets that are complete now
   * @throws {PacketError} while the generator runs; the stream is of no use any more
   */
  *parse(bytes) {
    this.#buffer.push(bytes);
    for (;;) {
      if (this.#length === -1 && !this.#readHead()) return;
      if (this.#buffer.length < this.#length) return;
      this.#arguments.push(this.#buffer.take(this.#length));
      this.#length = -1;
      if (this.#flag === LAST) {
        const packet = this.#packet(this.#arguments);
        this.#arguments = [];
        yield packet;
      } else if (this.#arguments.length === MAX_ARGUMENTS) {
        throw new PacketError(`a packet has more than ${MAX_ARGUMENTS} arguments`);
      }
    }
  }

  /** Between packets a stream may hold padding, and an `x` as heartbeat. */
  #skipPadding() {
    if (this.#arguments.length > 0 || this.#length !== -1) return;
    while (this.#buffer.length > 0 && PADDING.has(this.#buffer.at(0))) this.#buffer.skip(1);
  }

  /** Read FLAG LEN ",", if it is there. */
  #readHead() {
    this.#skipPadding();
    if (this.#buffer.length === 0) return false;
    this.#flag = this.#buffer.at(0);
    if (this.#flag !== LAST && this.#flag !== MORE) {
      throw new PacketError(`an argument begins with byte ${this.#flag}, not with "0" or "1"`);
    }
    let length = 0;
    for (let at = 1; at < this.#buffer.length; at++) {
      const byte = this.#buffer.at(at);
      if (byte === COMMA && at > 1) {
        this.#buffer.skip(at + 1);
        this.#length = length;
        return true;
      }
      if (byte < 0x30 || byte > 0x39 || at > MAX_LENGTH_DIGITS) {
        throw new PacketError("the length of an argument is not a decimal number");
      }
      length = length * 10 + byte - 0x30;
      if (length > this.#maxArgumentBytes) {
        throw new PacketError(`an argument is longer than ${this.#maxArgumentBytes} bytes`);
      }
    }
    return false;
  }

  /** @param {Uint8Array[]} parts @returns {Packet} */
  #packet([id, name, data = new Uint8Array()]) {
    const texts = [id, name].map((part) => base64.toByteString(part ?? new Uint8Array()));
    if (this.#isBase64) return fromTexts([...texts, base64.toByteString(data)]);
    return { ...fromTexts(texts), data };
  }
}
