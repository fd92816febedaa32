import { PacketError } from "../errors.js";
import { fromTexts } from "../packets.js";
import { Transport } from "./base.js";

/** @import { Platform } from "../browser.js" */

/**
 * Server-sent events: each `payload` event is a JSON array of packets. The browser tells neither
 * the status nor the end of an answer, and would come back by itself with an old acknowledgement,
 * so every error ends the transport and the session opens the next one.
 */
export class SSETransport extends Transport {
  static transportName = "sse";

  /** @type {EventSource | null} */
  #source = null;

  /** @param {Platform} platform */
  static isUsable(platform) {
    return typeof platform.EventSource === "function";
  }

  open() {
    const { platform, settings, pingIntervalMs } = this.context;
    const EventSource = /** @type {typeof globalThis.EventSource} */ (platform.EventSource);
    const source = new EventSource(this.url);
    const heard = () => {
      this.deadline.within(pingIntervalMs + settings.HEARTBEAT_TIMEOUT);
      this.alive();
    };
    this.deadline.within(settings.FIRST_DATA_TIMEOUT);
    source.onerror = () => this.finish("failed");
    source.addEventListener("heartbeat", heard);
    source.addEventListener("payload", ({ data }) => {
      heard();
      this.#read(data);
    });
    this.#source = source;
  }

  /** @param {string} json */
  #read(json) {
    try {
      const packets = JSON.parse(json);
      if (!Array.isArray(packets)) throw new PacketError("an event is not a list of packets");
      for (const packet of packets) this.deliver(fromTexts(packet));
    } catch (error) {
      if (!(error instanceof PacketError || error instanceof SyntaxError)) throw error;
      console.warn(`Orbited: ${error.message}`);
      this.finish("failed");
    }
  }

  /** @protected */
  abort() {
    this.#source?.close();
    this.#source = null;
  }
}
