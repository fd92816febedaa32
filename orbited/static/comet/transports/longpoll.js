import { Transport } from "./base.js";

/** @import { Platform } from "../browser.js" */

/**
 * A request that the server answers when it has something to say, or after thirty seconds with
 * nothing.
 */
export class LongPollTransport extends Transport {
  static transportName = "longpoll";
  static isStreaming = false;

  /** @param {Platform} platform */
  static isUsable(platform) {
    return typeof platform.fetch === "function";
  }

  /** Length of the answer. @protected */
  answerBytes = 0;

  open() {
    this.deadline.within(this.context.settings.LONGPOLL_TIMEOUT);
    void this.get(async (response) => {
      const body = new Uint8Array(await response.arrayBuffer());
      this.answerBytes = body.length;
      this.alive();
      this.parse(body);
    });
  }
}
