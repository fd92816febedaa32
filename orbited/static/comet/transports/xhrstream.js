import { Transport } from "./base.js";

/** @import { Platform } from "../browser.js" */

/**
 * One endless answer, read as it comes. The server begins with blanks, beats with an `x` every five
 * seconds of silence, and ends the answer between two packets when it has grown long.
 */
export class XHRStreamTransport extends Transport {
  static transportName = "xhrstream";

  /** @param {Platform} platform */
  static isUsable(platform) {
    return (
      typeof platform.fetch === "function" &&
      typeof ReadableStream === "function" &&
      typeof Response === "function" &&
      "body" in Response.prototype
    );
  }

  open() {
    const { FIRST_DATA_TIMEOUT, HEARTBEAT_TIMEOUT } = this.context.settings;
    this.deadline.within(FIRST_DATA_TIMEOUT);
    void this.get(async (response) => {
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        this.deadline.within(HEARTBEAT_TIMEOUT);
        this.alive();
        this.parse(value);
      }
    });
  }
}
