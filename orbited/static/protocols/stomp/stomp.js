/**
 * A STOMP client for the browser, 1.0 to 1.2, over `Orbited.TCPSocket`.
 *
 *     import { STOMPClient } from "/static/protocols/stomp/stomp.js";
 *
 *     const client = new STOMPClient();
 *     client.onopen = () => client.subscribe("/topic/news", { receipt: "subscribed" });
 *     client.onreceiptframe = (frame) => console.log(frame.headers["receipt-id"]);
 *     client.onmessageframe = (frame) => console.log(frame.body);
 *     client.onerrorframe = (frame) => console.warn(frame.headers.message);
 *     client.onclose = (code) => console.log("closed", code);
 *     client.connect("127.0.0.1", 61613, "login", "passcode");
 *
 * What is sent before CONNECTED has come leaves at once, unless a header would look different from
 * version to version; then it waits for the version, and all that follows waits behind it.
 *
 * @import { Beat } from "./heartbeat.js"
 * @import { Frame, Headers, Version } from "./frame.js"
 * @import { LIMITS } from "./parser.js"
 */

import { fromByteString } from "../../comet/base64.js";
import { browser } from "../../comet/browser.js";
import { callApplication, Errors, ReadyState } from "../../comet/errors.js";
import { TCPSocket } from "../../comet/tcpsocket.js";
import * as utf8 from "../../comet/utf8.js";
import { ACCEPTED_VERSIONS, encode, FrameError, isPlain } from "./frame.js";
import { Heartbeat, negotiate } from "./heartbeat.js";
import "./oldnames.js";
import { FrameParser } from "./parser.js";

const LINE_END = new Uint8Array([0x0a]);
const NO_BODY = new Uint8Array();

/** How long disconnect() waits for the server, in milliseconds, before it closes by itself. */
const DISCONNECT_TIMEOUT = 5000;

/** Ids that we make up begin with this, so as not to meet the page's own. */
const OWN = "stomp.js-";

/**
 * @typedef {object} ConnectOptions
 * @property {Headers} [headers] for the CONNECT frame; `host` is the virtual host
 * @property {Beat} [heartBeat] milliseconds; default [0, 0], because the session below has pings of
 *     its own, and browsers delay the timers of hidden pages
 * @property {typeof LIMITS} [limits] what a frame from the server may hold
 */

export class STOMPClient {
  /** What timers use; tests make a subclass with their own. */
  static platform = browser;

  /** CONNECT was written; CONNECTED has not come. @type {() => void} */
  onopen = () => {};
  /** The connection is closed, with a code of Orbited. @type {(code: number) => void} */
  onclose = () => {};
  /** Bytes that are not STOMP, or an unknown frame. @type {(error: Error) => void} */
  onerror = () => {};
  /** Every frame; a page that sets this does what #dispatch does. @type {(frame: Frame) => void} */
  onframe = (frame) => this.#dispatch(frame);
  /** @type {(frame: Frame) => void} */
  onconnectedframe = () => {};
  /** @type {(frame: Frame) => void} */
  onmessageframe = (frame) => callApplication(this.onmessage, frame);
  /** The old name. @type {(frame: Frame) => void} */
  onmessage = () => {};
  /** @type {(frame: Frame) => void} */
  onreceiptframe = () => {};
  /** The server closes the connection after it. @type {(frame: Frame) => void} */
  onerrorframe = () => {};

  /** The login given to connect(). @type {string | undefined} */
  user = undefined;

  /** The connection below. @type {import("../../comet/tcpsocket.js").TCPSocket | null} */
  socket = null;

  /** The version agreed on; null until CONNECTED has come. @type {Version | null} */
  version = null;

  #parser = new FrameParser();
  /** @type {Beat} */
  #beat = [0, 0];
  /** @type {Heartbeat | null} */
  #heartbeat = null;
  /** @type {(() => void)[]} frames that wait for the version */
  #held = [];
  /** @type {Map<string, { destination: string, mode: string }>} by the subscription's id */
  #subscriptions = new Map();
  #counter = 0;
  /** @type {string | null} */
  #farewell = null; // receipt of our DISCONNECT
  /** @type {unknown} */
  #farewellTimer = null;

  /**
   * Connect and log in. A client connects once, or again after `onclose`.
   *
   * @param {string} host as the server of Orbited sees it
   * @param {number | string} port
   * @param {string} [user]
   * @param {string} [password]
   * @param {ConnectOptions} [options]
   */
  connect(host, port, user, password, { headers = {}, heartBeat = [0, 0], limits } = {}) {
    const Socket = /** @type {any} */ (globalThis).TCPSocket ?? TCPSocket;
    /** @type {import("../../comet/tcpsocket.js").TCPSocket} */
    const socket = new Socket();
    this.#forget();
    this.socket = socket;
    this.user = user;
    this.#beat = heartBeat;
    this.#parser = new FrameParser(limits);
    socket.onopen = () => {
      this.#write("CONNECT", {
        "accept-version": ACCEPTED_VERSIONS,
        host,
        ...(user === undefined || user === null ? {} : { login: user }),
        ...(password === undefined || password === null ? {} : { passcode: password }),
        "heart-beat": heartBeat.join(","),
        ...headers,
      });
      callApplication(this.onopen);
    };
    socket.onread = (bytes) => this.#read(bytes);
    socket.onclose = (code) => {
      if (this.socket !== socket) return;
      this.#forget();
      callApplication(this.onclose, code);
    };
    socket.open(host, port, "bytes");
  }

  /**
   * Say good-bye; the server has then read all that was sent, and closes.
   *
   * @param {Headers} [headers]
   */
  disconnect(headers = {}) {
    this.#farewell = headers["receipt"] ?? this.#newId();
    this.sendFrame("DISCONNECT", { ...headers, receipt: this.#farewell });
    const { platform } = /** @type {typeof STOMPClient} */ (this.constructor);
    this.#farewellTimer = platform.setTimeout(() => this.socket?.close(), DISCONNECT_TIMEOUT);
  }

  /** Drop the connection, and what has not been sent. */
  reset() {
    this.socket?.reset();
  }

  /**
   * @param {string | Uint8Array} message
   * @param {string} destination
   * @param {Headers} [extraHeaders]
   */
  send(message, destination, extraHeaders = {}) {
    this.sendFrame("SEND", { destination, ...extraHeaders }, message);
  }

  /**
   * @param {string} destination
   * @param {Headers} [extraHeaders]
   * @returns {string} id of the subscription, which its messages carry as `subscription`
   */
  subscribe(destination, extraHeaders = {}) {
    const id = extraHeaders["id"] ?? this.#newId();
    this.sendFrame("SUBSCRIBE", { destination, ...extraHeaders, id });
    this.#subscriptions.set(id, { destination, mode: extraHeaders["ack"] ?? "auto" });
    return id;
  }

  /**
   * @param {string} destination or the id of a subscription
   * @param {Headers} [extraHeaders] with an `id`, if there are several to the destination
   */
  unsubscribe(destination, extraHeaders = {}) {
    const id = extraHeaders["id"] ?? this.#subscriptionTo(destination);
    const target = this.#subscriptions.get(id)?.destination ?? destination;
    this.sendFrame("UNSUBSCRIBE", { destination: target, ...extraHeaders, id });
    this.#subscriptions.delete(id);
  }

  /** @param {string} id of a new transaction @param {Headers} [extraHeaders] */
  begin(id, extraHeaders = {}) {
    this.sendFrame("BEGIN", { ...extraHeaders, transaction: id });
  }

  /** @param {string} id of a transaction @param {Headers} [extraHeaders] */
  commit(id, extraHeaders = {}) {
    this.sendFrame("COMMIT", { ...extraHeaders, transaction: id });
  }

  /** @param {string} id of a transaction @param {Headers} [extraHeaders] */
  abort(id, extraHeaders = {}) {
    this.sendFrame("ABORT", { ...extraHeaders, transaction: id });
  }

  /**
   * Acknowledge a MESSAGE of a subscription with ack `client` or `client-individual`. For others
   * nothing is sent, as nothing ever was when pages of old called this.
   *
   * @param {Frame | string} [message] or what the broker knows it by
   * @param {Headers} [extraHeaders]
   */
  ack(message, extraHeaders = {}) {
    this.#answer("ACK", message, extraHeaders);
  }

  /**
   * The opposite: the message was not dealt with.
   *
   * @param {Frame | string} [message] see ack()
   * @param {Headers} [extraHeaders]
   */
  nack(message, extraHeaders = {}) {
    this.#answer("NACK", message, extraHeaders);
  }

  /**
   * Any frame. A body gets `content-length` and, if it has none, a `content-type`.
   *
   * @param {string} type the command
   * @param {Headers} [headers]
   * @param {string | Uint8Array} [body] a string is sent as UTF-8; with a `content-length` among
   *     the headers, as of old, it is a string of bytes
   * @throws {Error} the socket is not open, or a header cannot be written
   */
  sendFrame(type, headers = {}, body = "") {
    if (this.socket?.readyState !== ReadyState.OPEN) throw new Error("Invalid readyState");
    const bytes = toBytes(body, headers);
    const complete = bytes.length > 0 ? { ...bodyHeaders(body, bytes, headers) } : headers;
    const isPlainFrame = Object.entries(complete).every(
      ([name, value]) => isPlain(name) && isPlain(String(value)),
    );
    const write = () => this.#write(type, complete, bytes);
    if (this.version === null && (this.#held.length > 0 || !isPlainFrame)) this.#held.push(write);
    else write();
  }

  /** The old name. @param {string} type @param {Headers} [headers] @param {string} [body] */
  send_frame(type, headers, body) {
    this.sendFrame(type, headers, body);
  }

  #newId() {
    this.#counter += 1;
    return OWN + this.#counter;
  }

  /** @param {string} destination */
  #subscriptionTo(destination) {
    if (this.#subscriptions.has(destination)) return destination;
    const found = [...this.#subscriptions].findLast(([, to]) => to.destination === destination);
    return found?.[0] ?? destination;
  }

  /** @param {string} type @param {Frame | string | undefined} message @param {Headers} more */
  #answer(type, message, more) {
    if (message === undefined) return;
    const headers = typeof message === "string" ? identified(message) : message.headers;
    const asked = this.#subscriptions.get(headers["subscription"] ?? "");
    const all = asked === undefined ? [...this.#subscriptions.values()] : [asked];
    if (all.length > 0 && all.every(({ mode }) => mode === "auto")) return;
    this.sendFrame(type, { ...this.#nameOf(headers), ...more });
  }

  /** How ACK and NACK name a message. @param {Headers} headers of it @returns {Headers} */
  #nameOf(headers) {
    if (this.version === "1.2") return { id: headers["ack"] ?? "" };
    const name = { "message-id": headers["message-id"] ?? "" };
    return this.version === "1.1" ? { ...name, subscription: headers["subscription"] ?? "" } : name;
  }

  /** @param {string} type @param {Headers} headers @param {Uint8Array} [body] */
  #write(type, headers, body = NO_BODY) {
    this.socket?.send(encode(type, headers, body, this.version ?? "1.2"));
    this.#heartbeat?.sent();
  }

  /** @param {Uint8Array} bytes */
  #read(bytes) {
    const { socket } = this;
    this.#heartbeat?.received();
    try {
      for (const frame of this.#parser.parse(bytes)) {
        this.#receive(frame);
        if (this.socket !== socket || socket?.readyState !== ReadyState.OPEN) return;
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      callApplication(this.onerror, error);
      socket?.close();
    }
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.type === "CONNECTED" && this.version === null) this.#begin(frame.headers);
    if (frame.type === "RECEIPT" && frame.headers["receipt-id"] === this.#farewell) {
      this.socket?.close();
      if (this.#farewell?.startsWith(OWN)) return;
    }
    callApplication(this.onframe, frame);
  }

  /** What CONNECTED says holds from now on. @param {Headers} headers */
  #begin(headers) {
    const { version = "1.0" } = headers;
    if (!ACCEPTED_VERSIONS.split(",").includes(version)) {
      throw new FrameError(`the server wants to speak STOMP ${version.slice(0, 40)}`);
    }
    const { platform } = /** @type {typeof STOMPClient} */ (this.constructor);
    const agreed = negotiate(this.#beat, headers["heart-beat"]);
    this.version = this.#parser.version = /** @type {Version} */ (version);
    const beat = () => {
      if (this.socket?.readyState === ReadyState.OPEN) this.socket.send(LINE_END);
      this.#heartbeat?.sent();
    };
    const dead = () => this.socket?.kill(Errors.ConnectionTimeout);
    this.#heartbeat = new Heartbeat(platform, agreed, beat, dead);
    for (const write of this.#held.splice(0)) {
      try {
        write();
      } catch (error) {
        callApplication(this.onerror, /** @type {Error} */ (error)); // not in this version
      }
    }
  }

  /** @param {Frame} frame */
  #dispatch(frame) {
    const { type } = frame;
    if (type === "CONNECTED") callApplication(this.onconnectedframe, frame);
    else if (type === "MESSAGE") callApplication(this.onmessageframe, frame);
    else if (type === "RECEIPT") callApplication(this.onreceiptframe, frame);
    else if (type === "ERROR") callApplication(this.onerrorframe, frame);
    else callApplication(this.onerror, new FrameError(`unknown frame: ${type.slice(0, 40)}`));
  }

  /** Nothing is left of a connection. */
  #forget() {
    const { platform } = /** @type {typeof STOMPClient} */ (this.constructor);
    this.#heartbeat?.stop();
    this.#heartbeat = null;
    platform.clearTimeout(this.#farewellTimer);
    this.#farewell = null;
    this.#held = [];
    this.#subscriptions.clear();
    this.version = null;
  }
}

/** @param {string} id @returns {Headers} */
function identified(id) {
  return { ack: id, "message-id": id };
}

/** @param {string | Uint8Array} body @param {Headers} headers */
function toBytes(body, headers) {
  if (typeof body !== "string") return body;
  return "content-length" in headers ? fromByteString(body) : utf8.encode(body);
}

/**
 * The headers of a frame with a body.
 *
 * @param {string | Uint8Array} body
 * @param {Uint8Array} bytes
 * @param {Headers} headers
 * @returns {Headers}
 */
function bodyHeaders(body, bytes, headers) {
  const length = { "content-length": String(bytes.length) };
  if ("content-length" in headers) return { ...headers, ...length };
  if (typeof body !== "string") {
    return { "content-type": "application/octet-stream", ...headers, ...length };
  }
  return { "content-type": "text/plain", "content-encoding": "utf-8", ...headers, ...length };
}

/** @type {any} */ (globalThis).STOMPClient ??= STOMPClient;
