/**
 * One channel in the page.
 *
 *     const room = thywill.channel("room:lobby");
 *     room.on("said", (data, meta) => { ... });        // meta.offset, meta.replayed
 *     room.on("snapshot", (data) => { ... });          // where the application gives one
 *     room.on("recovered", (isWhole) => { ... });      // after an interruption
 *     await room.joined;                               // rejects when it is refused
 *     room.leave();
 *
 * Joining is the same each time a push connection is new:
 *
 *     ask         a ticket, and what is missing since the cursor
 *     subscribe   with the ticket; confirmed
 *     ask         what has fallen between
 *
 * and the site is asked again when a message is missing, and before the ticket ends: then the new
 * ticket is shown to the broker, which would send nothing more without it.
 */
import { Backoff } from "./backoff.js";
import { Emitter, guarded } from "./emitter.js";
import { ThywillError } from "./errors.js";
import { Sequence } from "./sequence.js";

/** What a further attempt may change, or that an attempt has not come through at all. */
const MAY_RETRY = new Set([
  "network",
  "still-handling",
  "push-unavailable",
  "too-many-requests",
  "site-failed",
  "application-failed",
]);

/** So near to its end a ticket may be over already, by another clock. */
const LATE_SECONDS = 3;

/**
 * @typedef {{event: string, channel: string, offset: number | null, epoch: string | null,
 *   replayed: boolean}} ChannelMeta `replayed`: it comes from the history
 * @typedef {"joining" | "joined" | "refused" | "left"} ChannelState
 * @typedef {object} Line what the channel talks through
 * @property {(fields: object) => Promise<any>} ask POST to `/thywill/channel/`
 * @property {(destination: string, ticket: string) => Promise<void>} subscribe
 * @property {(ticket: string) => Promise<void>} renew show another ticket; confirmed
 * @property {(destination: string) => void} unsubscribe
 * @property {() => void} left
 */

export class Channel {
  /** How long a missing message is waited for before the site is asked. */
  gapSeconds = 0.3;

  /** @type {ChannelState} */
  state = "joining";

  /** The channel's name. */
  name;

  /** @type {any} why it is refused */
  error = null;

  /**
   * The application's: every message of the channel.
   *
   * @type {(data: any, meta: ChannelMeta) => void}
   */
  onReceipt = () => {};

  /**
   * Settled once: in the channel, and all that was missing is here; or refused, with a ThywillError.
   *
   * @type {Promise<void>}
   */
  joined;

  #line;
  #random;
  #replay;
  #emitter = new Emitter();
  #sequence = new Sequence();
  #backoff;
  /** @type {{resolve: () => void, reject: (error: any) => void}} */
  #settle;
  /** Gives the answer that came with the page, once. */
  #takeFirst;
  /** @type {string | null} where it is subscribed, or will be */
  #destination = null;
  #isSubscribed = false;
  /** Grows with each connection. */
  #connection = 0;
  #isOpen = false;
  #isBusy = false;
  #isAskedFor = false;
  #isRenewalDue = false;
  /** When the ticket that was shown ends, by this page's clock; null for never. */
  #endsAt = /** @type {number | null} */ (null);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gapTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewalTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;

  /**
   * @param {string} name
   * @param {Line} line
   * @param {{takeFirst?: () => any, replay?: number | null, random?: () => number}} [options]
   *   `takeFirst`: gives the answer that came with the page, once; `replay`: how many of the newest
   *   messages to begin with
   */
  constructor(name, line, { takeFirst = () => null, replay = null, random = Math.random } = {}) {
    this.name = name;
    this.#line = line;
    this.#takeFirst = takeFirst;
    this.#replay = replay;
    this.#random = random;
    this.#backoff = new Backoff({ random });
    /** @type {any} */
    const settle = {};
    this.joined = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }));
    this.joined.catch(() => {}); // "refused" tells it too: a page may leave the promise alone
    this.#settle = settle;
  }

  /** The position after the last message that was delivered; null where there is no history. */
  get cursor() {
    return this.#sequence.cursor;
  }

  /**
   * Listen to an event that the site publishes, or to one of these:
   *
   * - `joined`, once; `left`; `refused`, with a ThywillError
   * - `snapshot`, with the application's data: begin anew from it
   * - `recovered`, after an interruption: `true` when nothing is missing; `false` when there is a
   *   hole, and then a snapshot follows, where the application gives one
   *
   * @param {string} event
   * @param {(data: any, meta: ChannelMeta) => void} listener
   * @returns {() => void} stops listening
   */
  on(event, listener) {
    return this.#emitter.on(event, listener);
  }

  /**
   * Ask who is here, in a channel with presence: `{identity, name}` of each, users and visitors.
   * Who comes and goes after that is heard with `on("join")` and `on("leave")`.
   *
   * @returns {Promise<{identity: string, name: string | null}[]>} rejects with a ThywillError
   */
  async presence() {
    const answer = await this.#line.ask({ channel: this.name, presence: true });
    return answer.presence;
  }

  /** Leave; nothing is heard from then on. */
  leave() {
    if (this.state !== "left") {
      this.#end("left");
      this.#line.left();
      this.#settle.reject(new ThywillError("left", `the page has left ${this.name}`));
      this.#emitter.emit("left");
    }
  }

  // For channels.js.

  /** A push connection is there, and nothing is subscribed on it. */
  connected() {
    this.#connection += 1;
    this.#isOpen = true;
    this.#isSubscribed = false;
    this.#backoff.reset();
    this.#synchronize();
  }

  /** The page has closed its connection: ask for nothing until there is another one. */
  closed() {
    this.#isOpen = false;
    this.#isSubscribed = false;
    this.#clearTimers();
  }

  /**
   * A message was pushed.
   *
   * @param {any} data
   * @param {{event: string, epoch: string | null, offset: number | null}} meta
   */
  receive(data, { event, epoch, offset }) {
    if (epoch === null || offset === null) {
      this.#deliver({ event, data, epoch, offset, replayed: false });
      return;
    }
    const found = this.#sequence.take({ event, data, epoch, offset, replayed: false });
    found.forEach((message) => this.#deliver(message));
    this.#watchGap();
  }

  /**
   * The page is refused for good, or has closed its connection.
   *
   * @param {any} error
   */
  refuse(error) {
    if (this.#isAlive) {
      this.error = error;
      this.#end("refused");
      this.#settle.reject(error);
      this.#emitter.emit("refused", error);
    }
  }

  // Asking the site, one question at a time.

  async #synchronize() {
    clearTimeout(this.#retryTimer);
    this.#isAskedFor = true;
    if (this.#isBusy) {
      return;
    }
    this.#isBusy = true;
    try {
      while (this.#isAskedFor && this.#isWanted) {
        this.#isAskedFor = false;
        await this.#next();
      }
      this.#watchGap();
      this.#isBusy = false;
    } catch (error) {
      this.#isBusy = false;
      this.#failed(error);
    }
  }

  #next() {
    if (!this.#isSubscribed) {
      return this.#join();
    }
    return this.#isRenewalDue ? this.#renew() : this.#fetch();
  }

  get #isWanted() {
    return this.#isOpen && this.#isAlive;
  }

  async #join() {
    const connection = this.#connection;
    const isFirst = this.state === "joining";
    const answer = this.#takeFirst() ?? (await this.#ask());
    let isWhole = this.#apply(answer);
    const isCurrent = () => connection === this.#connection && this.#isWanted;
    if (isCurrent()) {
      await this.#line.subscribe(answer.destination, answer.ticket);
    }
    if (!isCurrent()) {
      return; // left, or connected() has asked for another one
    }
    this.#isSubscribed = true;
    this.#shown(answer.expires_in);
    if (answer.has_history) {
      isWhole = (await this.#fetch()) && isWhole;
    }
    if (!this.#isWanted) {
      return;
    }
    this.#backoff.reset();
    this.state = "joined";
    if (isFirst) {
      this.#settle.resolve();
      this.#emitter.emit("joined");
    } else if (isWhole && answer.has_history) {
      this.#emitter.emit("recovered", true);
    } else if (!answer.has_history) {
      this.#emitter.emit("recovered", false); // what was published meanwhile is nowhere
    }
  }

  /** Get another ticket, with what was missing, and show it. */
  async #renew() {
    const connection = this.#connection;
    const answer = await this.#ask();
    this.#apply(answer);
    const isCurrent = () => connection === this.#connection && this.#isWanted;
    if (isCurrent()) {
      await this.#line.renew(answer.ticket);
    }
    if (!isCurrent()) {
      return; // left, or connected() has asked for another one
    }
    const wasLate = this.#endsAt !== null && Date.now() > this.#endsAt - LATE_SECONDS * 1000;
    this.#shown(answer.expires_in);
    if (answer.has_history && (wasLate || answer.more)) {
      await this.#fetch();
    } else if (wasLate) {
      this.#emitter.emit("recovered", false); // what was published meanwhile is nowhere
    }
  }

  /** Ask until there is no more; gives whether nothing is missing. */
  async #fetch() {
    let isWhole = true;
    for (;;) {
      const answer = await this.#ask();
      isWhole = this.#apply(answer) && isWhole;
      if (!answer.more || !this.#isWanted) {
        return isWhole;
      }
    }
  }

  #ask() {
    const after = this.#sequence.cursor;
    const replay = after === null ? { replay: this.#replay } : {};
    return this.#line.ask({ channel: this.name, after, ...replay });
  }

  /**
   * @param {any} answer
   * @returns {boolean} whether nothing is missing
   */
  #apply(answer) {
    if (!this.#isWanted) {
      return true;
    }
    this.#destination = answer.destination;
    if (!answer.has_history) {
      return true;
    }
    const { isWhole, messages } = this.#sequence.answer(answer);
    if (!isWhole) {
      this.#emitter.emit("recovered", false);
    }
    const isNew = !isWhole || answer.recovered === null;
    if (isNew && answer.snapshot !== undefined) {
      this.#emitter.emit("snapshot", answer.snapshot, this.#meta("snapshot", answer, true));
    }
    messages.forEach((message) => this.#deliver(message));
    return isWhole;
  }

  get #isAlive() {
    return this.state === "joining" || this.state === "joined";
  }

  /** @param {any} error */
  #failed(error) {
    if (!this.#isWanted) {
      return;
    }
    if (error?.code === "connection-lost") {
      // The next connection begins anew; it may be there already.
      if (this.#isAskedFor) this.#synchronize();
    } else if (MAY_RETRY.has(error?.code) || /^http-5/.test(String(error?.code))) {
      const delay = Math.max(this.#backoff.next(), (error.retryAfter ?? 0) * 1000);
      this.#retryTimer = setTimeout(() => this.#synchronize(), delay);
    } else {
      this.refuse(error);
    }
  }

  #watchGap() {
    if (!this.#sequence.hasGap) {
      clearTimeout(this.#gapTimer);
      this.#gapTimer = undefined;
    } else if (this.#gapTimer === undefined && this.#isSubscribed) {
      this.#gapTimer = setTimeout(() => {
        this.#gapTimer = undefined;
        this.#synchronize();
      }, this.gapSeconds * 1000);
    }
  }

  /**
   * The broker has a ticket: get the next one in time.
   *
   * @param {number | null} seconds how long it is good
   */
  #shown(seconds) {
    clearTimeout(this.#renewalTimer);
    this.#isRenewalDue = false;
    this.#endsAt = null;
    if (typeof seconds === "number") {
      this.#endsAt = Date.now() + seconds * 1000;
      const delay = Math.max((seconds - 1) * (0.6 + 0.2 * this.#random()), 0.5);
      this.#renewalTimer = setTimeout(() => {
        this.#isRenewalDue = true;
        this.#synchronize();
      }, delay * 1000);
    }
  }

  /** @param {ChannelState} state */
  #end(state) {
    this.state = state;
    this.#clearTimers();
    if (this.#destination !== null) {
      this.#line.unsubscribe(this.#destination);
    }
  }

  #clearTimers() {
    for (const timer of [this.#gapTimer, this.#renewalTimer, this.#retryTimer]) {
      clearTimeout(timer);
    }
    this.#gapTimer = undefined;
  }

  /** @param {{event: string, data: any, epoch: any, offset: any, replayed: boolean}} message */
  #deliver(message) {
    if (!this.#isAlive) {
      return; // a listener has left
    }
    const meta = this.#meta(message.event, message, message.replayed);
    this.#emitter.emit(message.event, message.data, meta);
    guarded(this.onReceipt, message.data, meta);
  }

  /**
   * @param {string} event
   * @param {{epoch: string | null, offset: number | null}} position
   * @param {boolean} replayed
   * @returns {ChannelMeta}
   */
  #meta(event, { epoch, offset }, replayed) {
    return { event, channel: this.name, epoch, offset, replayed };
  }
}
