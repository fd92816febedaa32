/**
 * Push by asking: the browser half of the component `in_memory`.
 *
 * The page asks for what came after the last message that it has; the site answers as soon as
 * there is something, or after some seconds with nothing. The first question is answered at once,
 * and then the connection counts as established: the site keeps what is pushed from there on.
 */
import { Backoff } from "../backoff.js";
import { isFinal } from "../errors.js";
import { thywill } from "../thywill.js";
import { register } from "./register.js";

/** An empty answer that comes sooner than this means that the site lets no more pages wait. */
const SOON_SECONDS = 1;
const PAUSE_SECONDS = 2;

/** How this way of pushing is called where pages show their transport. */
const TRANSPORT = "longpoll";

export class InMemory {
  #thywill;
  #backoff;
  #sleep;
  #isWanted = false;
  /** @type {object | null} the loop that is asking; none while it waits to try again */
  #loop = null;
  /** The id of the last message that was delivered. */
  #after = 0;
  /** The number of the queue that the site keeps for this page. @type {number | null} */
  #queue = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;

  /**
   * @param {any} thywill
   * @param {{random?: () => number, sleep?: (ms: number) => Promise<void>}} [options]
   */
  constructor(thywill, { random = Math.random, sleep = pause } = {}) {
    this.#thywill = thywill;
    this.#sleep = sleep;
    this.#backoff = new Backoff({ random });
  }

  /** Ask, and go on asking. */
  open() {
    if (!this.#isWanted) {
      this.#isWanted = true;
      this.#ask();
    }
  }

  /** Ask no more. */
  close() {
    this.#isWanted = false;
    this.#loop = null;
    this.#queue = null; // the channels are joined again after `open`
    clearTimeout(this.#retryTimer);
    this.#thywill.push.onTransport(null);
  }

  /** There is reason to think that it works now: do not wait any longer. */
  retryNow() {
    if (this.#isWanted && this.#loop === null) {
      this.#ask();
    }
  }

  /** Nothing lasts longer than one question here: ask a new one. */
  reconnect() {
    this.#loop = null;
    this.retryNow();
  }

  /** The site has subscribed the page already, when it gave the ticket. */
  async subscribe() {}

  /** There are no tickets. */
  async renew() {}

  /**
   * Let the site know, so that it keeps no more messages of this channel.
   *
   * @param {string} destination
   * @param {string} channel
   */
  unsubscribe(destination, channel) {
    const { channel_path: path } = this.#thywill.config.bootstrap_parameters;
    this.#thywill.request(path, { channel, leave: true }).catch(() => {});
  }

  async #ask() {
    clearTimeout(this.#retryTimer);
    const loop = {};
    this.#loop = loop;
    const { push, config } = this.#thywill;
    const { push_path: path } = config.bootstrap_parameters;
    let isFirst = true;
    try {
      while (this.#loop === loop) {
        const question = { after: this.#after, wait: !isFirst };
        const askedAt = performance.now();
        const answer = await this.#thywill.request(path, question, 60);
        if (this.#loop !== loop) {
          return;
        }
        if (answer.queue !== this.#queue) {
          this.#queue = answer.queue; // another one knows nothing of this page's channels
          push.onNewConnection();
        }
        if (isFirst) {
          isFirst = false;
          this.#backoff.reset();
          push.onTransport(TRANSPORT);
          push.onEstablishConnectionComplete();
        }
        for (const { id, body, content_type: contentType, event, headers } of answer.messages) {
          this.#after = id;
          push.deliver(body, { event: event ?? null, contentType, ...headers });
        }
        const seconds = (performance.now() - askedAt) / 1000;
        if (question.wait && answer.messages.length === 0 && seconds < SOON_SECONDS) {
          await this.#sleep(PAUSE_SECONDS * 1000);
        }
      }
    } catch (error) {
      if (this.#loop === loop) {
        this.#lost(error);
      }
    }
  }

  /** @param {any} error */
  #lost(error) {
    this.#loop = null;
    const { push } = this.#thywill;
    push.onTransport(null);
    if (isFinal(error)) {
      this.#isWanted = false;
      push.onConnectionRefused(error);
    } else {
      this.#retryTimer = setTimeout(() => this.retryNow(), this.#backoff.next());
      push.onConnectionLost(error);
    }
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

register(thywill, new InMemory(thywill));
