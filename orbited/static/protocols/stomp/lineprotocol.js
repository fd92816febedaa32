/**
 * Cuts what a socket reads into lines. The STOMP client of 0.7 stood on this, and old pages have
 * used it for protocols of their own; stomp.js does not need it.
 *
 *     const lines = new LineProtocol(new Orbited.TCPSocket());
 *     lines.onlinereceived = (line) => console.log(line);
 *     lines.open("127.0.0.1", 4321, true);
 */

/** @import { TCPSocket } from "../../comet/tcpsocket.js" */

import { fromByteString } from "../../comet/base64.js";
import { callApplication } from "../../comet/errors.js";
import * as utf8 from "../../comet/utf8.js";

export class LineProtocol {
  /** A longer line, in bytes, is an error, and closes the socket. */
  static maxLineBytes = 1048576;

  onopen = () => {};
  /** @type {(code: number) => void} */
  onclose = () => {};
  /** @type {(error: Error) => void} */
  onerror = () => {};
  /** @type {(line: string) => void} decoded as UTF-8, without its line end */
  onlinereceived = () => {};
  /** @type {(bytes: string) => void} in raw mode: a string with a character (0-255) for each byte */
  onrawdatareceived = () => {};

  #transport;
  #isLineMode = true;
  #buffer = "";

  /** @param {TCPSocket} transport to be opened in binary mode */
  constructor(transport) {
    this.#transport = transport;
    transport.onopen = () => {
      this.#buffer = "";
      this.#isLineMode = true;
      callApplication(this.onopen);
    };
    transport.onclose = (code) => {
      this.#buffer = "";
      callApplication(this.onclose, code);
    };
    transport.onread = (bytes) => this.#read(bytes);
  }

  /** @param {string} host @param {number | string} port @param {boolean} [isBinary] */
  open(host, port, isBinary) {
    this.#transport.open(host, port, isBinary);
  }

  /** @param {string} data */
  send(data) {
    this.#transport.send(data);
  }

  close() {
    this.#transport.close();
  }

  reset() {
    this.#transport.reset();
  }

  /** From here on `onrawdatareceived` gets bytes as they come. */
  setRawMode() {
    this.#isLineMode = false;
  }

  /** From here on `onlinereceived` gets lines. @param {string} [extra] bytes that are the first */
  setLineMode(extra = "") {
    this.#isLineMode = true;
    this.#read(extra);
  }

  /** @param {string} bytes */
  #read(bytes) {
    this.#buffer += bytes;
    while (this.#isLineMode) {
      const end = this.#buffer.indexOf("\n");
      if (end === -1) return this.#checkLength();
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 1);
      callApplication(this.onlinereceived, utf8.decode(fromByteString(line)));
    }
    const raw = this.#buffer;
    this.#buffer = "";
    if (raw !== "") callApplication(this.onrawdatareceived, raw);
  }

  #checkLength() {
    if (this.#buffer.length <= LineProtocol.maxLineBytes) return;
    this.#buffer = "";
    callApplication(this.onerror, new Error(`a line is longer than ${LineProtocol.maxLineBytes}`));
    this.#transport.close();
  }
}
