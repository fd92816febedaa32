/**
 * The contract between a session and its transports.
 *
 * A transport object is one attempt to hear from the server: one request, or one WebSocket. The
 * session makes it, calls `open()`, and hears of it through a listener:
 *
 * - `onalive()` for every sign of life, be it a blank or a heartbeat;
 * - `onpacket(packet)` for every packet, in order;
 * - `onready()` when a transport that carries packets up may be given some;
 * - `onend(outcome)` once, as the last thing: "clean" when the server ended an answer as it should
 *   (open the next one at once), "gone" when the server does not know the session, "failed" for
 *   everything else.
 *
 * After `close()` the listener hears nothing more. A new transport is a subclass with a name, a
 * test of what the browser can do, `open()`, and `abort()`; and a line in the table.
 *
 *     class Poll extends Transport {
 *       static transportName = "poll";
 *       static isUsable(platform) { return typeof platform.fetch === "function"; }
 *       open() {
 *         void this.get(async (response) => {
 *           this.parse(new Uint8Array(await response.arrayBuffer()));
 *         });
 *       }
 *     }
 *
 * @import { Platform } from "../browser.js"
 * @import { Packet } from "../packets.js"
 * @import { Settings } from "../settings.js"
 */

import { REQUEST } from "../browser.js";
import { Deadline } from "../deadline.js";
import { PacketError } from "../errors.js";
import { PacketParser } from "../packets.js";

/** @typedef {"clean" | "failed" | "gone"} Outcome */

/**
 * @typedef {object} Listener
 * @property {() => void} onalive
 * @property {(packet: Packet) => void} onpacket
 * @property {() => void} onready
 * @property {(outcome: Outcome) => void} onend
 */

/**
 * @typedef {object} Context
 * @property {Platform} platform
 * @property {Settings} settings
 * @property {string} sessionUrl address of the session, with the key
 * @property {number} ack id of the last packet delivered; 0 for none
 * @property {number} pingIntervalMs how often the server says something at least
 */

export class Transport {
  /** The last part of the URL, and the name in the settings. */
  static transportName = "";

  /** Whether answers stay open: false for those that work through any proxy. */
  static isStreaming = true;

  /** Whether packets go up through it too, in place of POSTs. */
  static carriesUpstream = false;

  /**
   * Whether this browser has what it takes.
   *
   * @param {Platform} _platform
   */
  static isUsable(_platform) {
    return false;
  }

  /** Whether anything was heard. */
  isAlive = false;

  /** @protected */
  context;
  /** @protected */
  deadline;
  #parser;
  /** @type {Listener | null} */
  #listener;
  #abort = new AbortController();

  /** @param {Context} context @param {Listener} listener */
  constructor(context, listener) {
    const { carriesUpstream } = /** @type {typeof Transport} */ (this.constructor);
    this.context = context;
    this.#listener = listener;
    this.deadline = new Deadline(context.platform, () => this.expired());
    this.#parser = new PacketParser({
      isBase64: !carriesUpstream,
      maxArgumentBytes: context.settings.MAX_ARGUMENT_BYTES,
    });
  }

  /** How long to wait after a clean end. */
  get pauseMs() {
    return 0;
  }

  open() {
    throw new Error("a transport has to say how it opens");
  }

  /** @param {readonly Packet[]} _packets */
  send(_packets) {
    throw new Error("this transport does not carry packets up");
  }

  /** Somebody is looking: see whether the other end is still there, if that can be asked. */
  probe() {
    this.deadline.check();
  }

  /** End it; the listener is not told. */
  close() {
    this.#listener = null;
    this.deadline.clear();
    this.#abort.abort();
    this.abort();
  }

  /** Let go of what the subclass holds. @protected */
  abort() {}

  /** Nothing was heard for too long. @protected */
  expired() {
    this.finish("failed");
  }

  /** @protected @param {Outcome} outcome */
  finish(outcome) {
    const listener = this.#listener;
    if (listener === null) return;
    this.close();
    listener.onend(outcome);
  }

  /** @protected */
  alive() {
    this.isAlive = true;
    this.#listener?.onalive();
  }

  /** @protected */
  ready() {
    this.#listener?.onready();
  }

  /** @protected @param {Packet} packet */
  deliver(packet) {
    this.#listener?.onpacket(packet);
  }

  /**
   * Take bytes apart and deliver the packets. What is no packet ends the transport.
   *
   * @protected
   * @param {Uint8Array} bytes
   */
  parse(bytes) {
    try {
      for (const packet of this.#parser.parse(bytes)) {
        if (this.#listener === null) return;
        this.deliver(packet);
      }
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      console.warn(`Orbited: ${error.message}`);
      this.finish("failed");
    }
  }

  /** Whether all packets so far came whole. @protected */
  get isAtBoundary() {
    return this.#parser.isAtBoundary;
  }

  /** Address of this transport, with the acknowledgement. @protected */
  get url() {
    const { transportName } = /** @type {typeof Transport} */ (this.constructor);
    const { sessionUrl, ack } = this.context;
    return `${sessionUrl}/${transportName}${ack > 0 ? `?ack=${ack}` : ""}`;
  }

  /**
   * One GET. Everything that can go wrong with it ends the transport.
   *
   * @protected
   * @param {(response: Response) => Promise<void>} read takes a good answer to its clean end
   */
  async get(read) {
    try {
      const response = await this.context.platform.fetch(this.url, {
        ...REQUEST,
        signal: this.#abort.signal,
      });
      if (response.status === 200) await read(response);
      else this.finish(response.status === 404 ? "gone" : "failed");
    } catch {
      this.finish("failed"); // no network, or cut; nothing to do after close()
      return;
    }
    this.finish(this.isAtBoundary ? "clean" : "failed");
  }
}
