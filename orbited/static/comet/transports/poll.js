import { LongPollTransport } from "./longpoll.js";

/** @import { Settings } from "../settings.js" */

/** A request every other second, answered at once with what there is: for the worst of proxies. */
export class PollTransport extends LongPollTransport {
  static transportName = "poll";

  /** @param {Settings} settings */
  static pauseMs(settings) {
    return settings.POLL_INTERVAL;
  }
}
