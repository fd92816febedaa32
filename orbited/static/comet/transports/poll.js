import { LongPollTransport } from "./longpoll.js";

/**
 * A request every other second, answered at once with what there is: for the worst of proxies. After
 * a long answer the next one does not wait, because the server has cut it and more follows.
 */
export class PollTransport extends LongPollTransport {
  static transportName = "poll";

  get pauseMs() {
    const { POLL_INTERVAL, POLL_AGAIN_BYTES } = this.context.settings;
    return this.answerBytes < POLL_AGAIN_BYTES ? POLL_INTERVAL : 0;
  }
}
