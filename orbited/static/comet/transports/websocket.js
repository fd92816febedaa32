import { encodeBytes } from "../packets.js";
import { Transport } from "./base.js";

/**
 * @import { Platform } from "../browser.js"
 * @import { Packet } from "../packets.js"
 */

/**
 * Packets both ways in binary messages, data as it is. The browser does not tell why a WebSocket
 * does not open, so a session that is gone looks like any other failure.
 */
export class WebSocketTransport extends Transport {
  static transportName = "websocket";
  static carriesUpstream = true;

  /** @type {WebSocket | null} */
  #socket = null;
  #isProbing = false;

  /** @param {Platform} platform */
  static isUsable(platform) {
    return typeof platform.WebSocket === "function";
  }

  open() {
    const { platform, settings } = this.context;
    this.deadline.within(settings.FIRST_DATA_TIMEOUT);
    const WebSocket = /** @type {typeof globalThis.WebSocket} */ (platform.WebSocket);
    try {
      this.#socket = new WebSocket(this.url.replace(/^http/, "ws"));
    } catch {
      this.finish("failed"); // forbidden by the page's policy
      return;
    }
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.ready(); // what is sent gets acknowledged: the first data
    this.#socket.onclose = () => this.finish("failed");
    this.#socket.onmessage = ({ data }) => this.#read(data);
  }

  /** @param {unknown} data */
  #read(data) {
    if (!(data instanceof ArrayBuffer)) {
      this.finish("failed"); // the server sends binary messages only
      return;
    }
    const { settings, pingIntervalMs } = this.context;
    this.#isProbing = false;
    this.deadline.within(pingIntervalMs + settings.HEARTBEAT_TIMEOUT);
    this.alive();
    this.parse(new Uint8Array(data));
    if (!this.isAtBoundary) this.finish("failed"); // a message holds whole packets
  }

  /** @param {readonly Packet[]} packets */
  send(packets) {
    if (packets.some((packet) => packet.id > 0)) {
      this.deadline.withinAtMost(this.context.settings.ACK_TIMEOUT);
    }
    if (this.#isOpen) this.#socket?.send(encodeBytes(packets));
  }

  /** Silence: ask once before giving up. @protected */
  expired() {
    if (this.isAlive && this.#isOpen && !this.#isProbing) this.probe();
    else this.finish("failed");
  }

  get #isOpen() {
    return this.#socket?.readyState === 1;
  }

  /** Ask for an acknowledgement. */
  probe() {
    if (!this.#isOpen) return;
    this.#isProbing = true;
    this.deadline.within(this.context.settings.FIRST_DATA_TIMEOUT);
    this.ready(); // the session sends something that the server has to acknowledge
  }

  /** @protected */
  abort() {
    if (this.#socket === null) return;
    this.#socket.onopen = this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
    this.#socket = null;
  }
}
