import { Channel } from "./channel.js";
import { ThywillError } from "./errors.js";

/** All channels of a page: one object for each name, however often it is asked for. */
export class Channels {
  /** How many channels a page may be in; one more is refused with the code `too-many-channels`. */
  maxChannels = 90;

  #thywill;
  /** @type {Map<string, Channel>} */
  #channels = new Map();
  #isConnected = false;

  /** @param {any} thywill */
  constructor(thywill) {
    this.#thywill = thywill;
  }

  /** Every channel that the page is in, or was refused. */
  get all() {
    return [...this.#channels.values()];
  }

  /**
   * @param {string} name
   * @param {{replay?: number | null}} [options]
   * @returns {Channel}
   */
  get(name, options = {}) {
    const found = this.#channels.get(name);
    if (found !== undefined && found.state !== "refused") {
      return found;
    }
    const takeFirst = () => this.#first(name);
    const channel = new Channel(name, this.#lineOf(name), { ...options, takeFirst });
    if (this.#channels.size >= this.maxChannels) {
      const text = `this page is in ${this.maxChannels} channels already`;
      channel.refuse(new ThywillError("too-many-channels", text));
      return channel;
    }
    this.#channels.set(name, channel);
    if (this.#isConnected) {
      queueMicrotask(() => channel.connected()); // the page sets its listeners first
    }
    return channel;
  }

  /** A push connection is there, and nothing is subscribed on it. */
  connected() {
    this.#isConnected = true;
    for (const channel of [...this.#channels.values()]) {
      channel.connected();
    }
  }

  /** The page has closed its connection. */
  closed() {
    this.#isConnected = false;
    for (const channel of this.#channels.values()) {
      channel.closed();
    }
  }

  /**
   * A message of a channel was pushed.
   *
   * @param {any} data
   * @param {any} meta
   */
  receive(data, { event, channel, epoch, offset }) {
    const number = offset === undefined ? null : Number(offset);
    this.#channels.get(channel)?.receive(data, { event, epoch: epoch ?? null, offset: number });
  }

  /**
   * The page is refused for good.
   *
   * @param {any} error
   */
  refuse(error) {
    for (const channel of [...this.#channels.values()]) {
      channel.refuse(error);
    }
  }

  /**
   * What came with the page, once.
   *
   * @param {string} name
   */
  #first(name) {
    const told = this.#thywill.config?.bootstrap_parameters.channels ?? {};
    const first = told[name] ?? null;
    delete told[name];
    return first;
  }

  /**
   * @param {string} name
   * @returns {import("./channel.js").Line}
   */
  #lineOf(name) {
    const thywill = this.#thywill;
    return {
      ask: (fields) => thywill.request(thywill.config.bootstrap_parameters.channel_path, fields),
      subscribe: (destination, ticket) => thywill.push.subscribe(destination, ticket),
      renew: (ticket) => thywill.push.renew(ticket),
      unsubscribe: (destination) => thywill.push.unsubscribe(destination, name),
      left: () => void this.#channels.delete(name),
    };
  }
}
