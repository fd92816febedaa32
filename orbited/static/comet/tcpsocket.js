/**
 * A TCP connection for a page, through a session with the server.
 *
 *     const socket = new TCPSocket();
 *     socket.onopen = () => socket.send("hello\n");
 *     socket.onread = (text) => console.log(text);
 *     socket.onclose = (code) => console.log("closed", code);
 *     socket.open("127.0.0.1", 7);
 *
 * The first packet of a session says where to connect, `HOST:PORT\n`. The first one back is "1", or
 * "0" and a code of the table in errors.js; after a "1" the bytes flow.
 */

import { fromByteString, toByteString } from "./base64.js";
import { browser } from "./browser.js";
import { callApplication, Errors, ReadyState, Statuses } from "./errors.js";
import { CometSession } from "./session.js";
import { settings } from "./settings.js";
import * as utf8 from "./utf8.js";

const CONNECTED = 0x31; // "1"

/** Codes that the answer to the handshake may hold. @type {Set<number>} */
const REFUSALS = new Set([
  Errors.InvalidHandshake,
  Errors.RemoteConnectionTimeout,
  Errors.Unauthorized,
  Errors.RemoteConnectionFailed,
]);

/**
 * How data looks to the page: text as UTF-8; a string with a character (0-255) for each byte; or
 * the bytes.
 *
 * @typedef {"text" | "binary" | "bytes"} Mode
 */

let lastId = 0;

export class TCPSocket {
  /** What all sockets of a class use; tests make a subclass with their own. */
  static settings = settings;
  static platform = browser;

  /** @type {() => void} */
  onopen = () => {};
  /** @type {(data: any) => void} a string, or a Uint8Array in bytes mode */
  onread = () => {};
  /** @type {(code: number) => void} called once, see errors.js */
  onclose = () => {};
  /** @type {(name: string | null) => void} another transport works; null: none does */
  ontransport = () => {};

  #id;
  #session;
  #readyState = /** @type {number} */ (ReadyState.INITIALIZED);
  /** @type {number | null} why the server does not connect us */
  #refusal = null;
  /** @type {Mode} */
  #mode = "text";
  #decoder = new utf8.StreamDecoder();

  constructor() {
    if (arguments.length > 0) throw new Error("TCPSocket takes no arguments");
    const Class = /** @type {typeof TCPSocket} */ (this.constructor);
    lastId += 1;
    this.#id = lastId;
    this.#session = new CometSession(Class.settings, Class.platform);
  }

  get id() {
    return this.#id;
  }

  /** 1 initialized, 2 opening, 3 open, 5 closed. */
  get readyState() {
    return this.#readyState;
  }

  /** Name of the transport in use; null before the first one works, and while none does. */
  get transport() {
    return this.#session.transport;
  }

  /** Bytes that were given to send() and not yet accepted by the server. */
  get bufferedAmount() {
    return this.#session.bufferedAmount;
  }

  toString() {
    return `<Orbited.TCPSocket ${this.#id}>`;
  }

  /**
   * Connect. The callbacks may still be set in the same turn.
   *
   * @param {string} host as the server sees it, and as its access list spells it
   * @param {number | string} port
   * @param {boolean | "bytes"} [isBinary] false: text; true: strings of bytes; or Uint8Arrays
   * @throws {Error} it was opened before, there is no host or port, or no transport can be used
   */
  open(host, port, isBinary = false) {
    if (this.#readyState !== ReadyState.INITIALIZED) throw new Error("Invalid readyState");
    if (!host) throw new Error("no host was given");
    if (port === "" || !(Number(port) >= 0)) throw new Error(`not a port: ${port}`);
    this.#mode = isBinary === "bytes" ? "bytes" : isBinary ? "binary" : "text";
    const session = this.#session;
    const name = /^[^[].*:/.test(host) ? `[${host}]` : host; // IPv6
    session.onopen = () => session.send(utf8.encode(`${name}:${port}\n`));
    session.ondata = (bytes) => this.#onData(bytes);
    session.onclose = (code) => this.#onClose(code);
    session.ontransport = (name) => callApplication(this.ontransport, name);
    session.open();
    this.#readyState = ReadyState.OPENING;
  }

  /**
   * Text as UTF-8; or, in binary mode, a string of characters 0-255; or, in bytes mode, bytes. In
   * the binary modes the other kind is taken, too.
   *
   * @param {string | Uint8Array} data
   * @throws {Error} the socket is not open, or too much waits to be sent (MAX_QUEUED_BYTES)
   */
  send(data) {
    if (this.#readyState !== ReadyState.OPEN) throw new Error("Invalid readyState");
    const isText = typeof data === "string";
    if (!isText) this.#session.send(data.slice());
    else if (this.#mode === "binary") this.#session.send(fromByteString(data));
    else this.#session.send(utf8.encode(data));
  }

  /** Close after what is queued has gone. `onclose(103)` follows. */
  close() {
    if (this.#readyState === ReadyState.CLOSED) return;
    const isUnborn = this.#readyState === ReadyState.INITIALIZED;
    this.#readyState = ReadyState.CLOSED;
    if (isUnborn) queueMicrotask(() => callApplication(this.onclose, Errors.UserConnectionReset));
    else this.#session.close();
  }

  /** Close and drop what is queued. `onclose(103)` follows, if the socket was opened. */
  reset() {
    if (this.#readyState === ReadyState.INITIALIZED) return;
    this.#readyState = ReadyState.CLOSED;
    this.#session.reset();
  }

  /**
   * Close with a code of one's own; for tests, and for protocols on top.
   *
   * @param {number} code
   */
  kill(code = Statuses.SocketControlKilled) {
    if (this.#readyState === ReadyState.CLOSED) return;
    this.#readyState = ReadyState.CLOSED;
    this.#session.close(code);
  }

  /** @param {Uint8Array} bytes */
  #onData(bytes) {
    if (this.#readyState === ReadyState.OPENING) this.#onAnswer(bytes);
    else if (this.#readyState === ReadyState.OPEN) this.#read(bytes);
  }

  /** @param {Uint8Array} bytes the answer to the handshake */
  #onAnswer(bytes) {
    if (bytes[0] === CONNECTED) {
      this.#readyState = ReadyState.OPEN;
      callApplication(this.onopen);
      if (bytes.length > 1) this.#onData(bytes.subarray(1));
      return;
    }
    const code = Number(toByteString(bytes.subarray(0, 4)));
    this.#readyState = ReadyState.CLOSED;
    if (REFUSALS.has(code)) {
      this.#refusal = code; // the server's close is next
    } else {
      this.#session.close(Errors.InvalidHandshake);
    }
  }

  /** @param {Uint8Array} bytes */
  #read(bytes) {
    if (this.#mode === "bytes") {
      callApplication(this.onread, bytes);
    } else if (this.#mode === "binary") {
      callApplication(this.onread, toByteString(bytes));
    } else {
      const text = this.#decoder.decode(bytes);
      if (text !== "") callApplication(this.onread, text);
    }
  }

  /** @param {number} code */
  #onClose(code) {
    this.#readyState = ReadyState.CLOSED;
    callApplication(this.onclose, this.#refusal ?? code);
  }
}

for (const [name, value] of Object.entries(ReadyState)) {
  Object.defineProperty(TCPSocket.prototype, `READY_STATE_${name}`, { value });
}
