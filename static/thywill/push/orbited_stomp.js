/**
 * Push over STOMP, through Orbited: the browser half of the component `orbited_stomp`.
 *
 * One connection is made like this; it counts as established with the last step only:
 *
 *     ticket          from the page itself the first time, later from /thywill/ticket/
 *     CONNECT         login: the client's uuid, passcode: the ticket
 *     CONNECTED
 *     SUBSCRIBE       to the client's own destinations, the last one with a receipt
 *     RECEIPT         from here on nothing that is pushed is missed
 *
 * When it breaks, another one is made after a random delay that grows with each failure. Before a
 * ticket ends, the live connection is prolonged: SUBSCRIBE to the renewal destination, showing a
 * new ticket, and UNSUBSCRIBE again once the receipt has come. After a log-in the new ticket names
 * one destination more, that of the user.
 */
import { Backoff } from "../backoff.js";
import { ThywillError, disconnected, isFinal } from "../errors.js";
import { thywill } from "../thywill.js";
import { Attempt, connectionLost } from "./attempt.js";
import { register } from "./register.js";
import { loadStompClient } from "./stomp_loader.js";

const SUBSCRIBED = "thywill-subscribed";

export class OrbitedStomp {
  /** How long one connection may take, all transports tried. */
  connectSeconds = 30;
  /** A connection that lasts this long ends a row of failures. */
  stableSeconds = 10;

  #thywill;
  #load;
  #backoff;
  #random;
  #isWanted = false;
  /** @type {Attempt | null} */
  #attempt = null;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {string[] | undefined} what the last ticket names beside the client's own destination */
  #destinations;
  /** @type {string | null} the ticket that came with the page, until it was used */
  #firstTicket = null;

  /**
   * @param {any} thywill
   * @param {{load?: (push: any, attempts: number) => Promise<any>, random?: () => number}} [options]
   *   `load` gives a new STOMPClient
   */
  constructor(thywill, { load = loadStompClient, random = Math.random } = {}) {
    this.#thywill = thywill;
    this.#load = load;
    this.#random = random;
    this.#backoff = new Backoff({ random });
  }

  /** Connect, and stay connected. */
  open() {
    if (this.#isWanted) {
      return;
    }
    this.#isWanted = true;
    if (this.#attempts === 0) {
      this.#firstTicket = this.#parameters.ticket;
    }
    this.#connect();
  }

  /** Disconnect, and stay so. */
  close() {
    this.#isWanted = false;
    clearTimeout(this.#retryTimer);
    this.#drop((client) => client.disconnect());
  }

  /** There is reason to think that it works now: do not wait any longer. */
  retryNow() {
    if (this.#isWanted && this.#attempt === null) {
      this.#connect();
    }
  }

  /** The connection cannot be trusted any more: make another one. */
  reconnect() {
    if (this.#attempt !== null) {
      const error = new ThywillError("connection-lost", "the page was asleep");
      this.#lost(this.#attempt, error);
      this.retryNow();
    }
  }

  /**
   * Listen on a channel's destination.
   *
   * @param {string} destination
   * @param {string} ticket
   * @returns {Promise<void>} rejects with `connection-lost` when the connection ends before
   */
  async subscribe(destination, ticket) {
    const attempt = this.#attempt;
    if (attempt === null || !attempt.isEstablished) {
      throw connectionLost();
    }
    attempt.destinations.add(destination);
    await attempt.confirmation((receipt) => {
      attempt.client.subscribe(destination, { id: destination, ticket, receipt });
    });
  }

  /**
   * Show another ticket for a channel that is listened to.
   *
   * @param {string} ticket
   * @returns {Promise<void>} rejects with `connection-lost` when the connection ends before
   */
  async renew(ticket) {
    const attempt = this.#attempt;
    if (attempt === null || !attempt.isEstablished) {
      throw connectionLost();
    }
    await this.#show(attempt, ticket);
  }

  /**
   * Listen no more on a channel's destination.
   *
   * @param {string} destination
   */
  unsubscribe(destination) {
    if (this.#attempt?.destinations.delete(destination)) {
      this.#attempt.client.unsubscribe(destination, { id: destination });
    }
  }

  get #parameters() {
    return this.#thywill.config.bootstrap_parameters.push;
  }

  async #connect() {
    clearTimeout(this.#retryTimer);
    this.#attempts += 1;
    const attempt = new Attempt();
    this.#attempt = attempt;
    attempt.after(this.connectSeconds, () => {
      const text = `no connection after ${this.connectSeconds} s`;
      this.#lost(attempt, new ThywillError("connection-lost", text));
    });
    try {
      const { ticket, expires_in: seconds, destinations } = await this.#takeTicket();
      this.#destinations = destinations;
      const client = await this.#load(this.#parameters, this.#attempts);
      if (this.#attempt === attempt) {
        this.#start(attempt, client, ticket, seconds);
      }
    } catch (error) {
      this.#lost(attempt, error);
    }
  }

  /** @returns {Promise<any>} `{ticket, expires_in, destinations}` */
  async #takeTicket() {
    const ticket = this.#firstTicket;
    this.#firstTicket = null;
    if (ticket !== null) {
      const { expires_in, destinations } = this.#parameters;
      return { ticket, expires_in, destinations };
    }
    return this.#requestTicket();
  }

  #requestTicket() {
    return this.#thywill.request(this.#thywill.config.bootstrap_parameters.ticket_path, {});
  }

  /**
   * @param {Attempt} attempt
   * @param {any} client
   * @param {string} ticket
   * @param {number} ticketSeconds
   */
  #start(attempt, client, ticket, ticketSeconds) {
    const push = this.#thywill.push;
    const parameters = this.#parameters;
    const login = parameters.login ?? this.#thywill.config.uuid;
    const isCurrent = () => this.#attempt === attempt;
    attempt.client = client;
    push.stomp = client;

    client.onopen = () => {};
    client.onclose = (/** @type {number} */ code) => {
      const text = `the connection was closed (code ${code})`;
      this.#lost(attempt, new ThywillError("connection-lost", text));
    };
    client.onerror = (/** @type {any} */ error) => {
      this.#lost(attempt, new ThywillError("connection-lost", String(error?.message ?? error)));
    };
    client.onerrorframe = (/** @type {any} */ frame) => {
      const text = frame.headers.message || frame.body || "the broker closed the connection";
      const isEnded = frame.headers.code === "disconnected";
      this.#lost(attempt, isEnded ? disconnected() : new ThywillError("broker", text));
    };
    client.onconnectedframe = () => {
      if (isCurrent()) {
        attempt.receipts.set(SUBSCRIBED, () => this.#established(attempt, ticketSeconds));
        this.#subscribeToMore(attempt, this.#destinations);
        client.subscribe(parameters.destination, { receipt: SUBSCRIBED });
      }
    };
    client.onreceiptframe = (/** @type {any} */ frame) => {
      if (isCurrent()) {
        attempt.confirm(frame.headers["receipt-id"]);
      }
    };
    client.onmessageframe = (/** @type {any} */ frame) => {
      if (isCurrent() && frame.headers.thywill === "disconnected") {
        this.#lost(attempt, disconnected()); // from a broker that cannot end it
      } else if (isCurrent()) {
        const { event, channel, epoch, offset } = frame.headers;
        const contentType = frame.headers["content-type"] ?? "text/plain";
        const place = channel === undefined ? {} : { channel, epoch, offset };
        push.deliver(frame.body, { event: event ?? null, contentType, ...place });
      }
    };

    const { stomp_hostname: host, stomp_port: port, heart_beat: heartBeat } = parameters;
    const options = heartBeat === undefined ? {} : { heartBeat };
    client.connect(host, port, login, ticket, options);
    if (isCurrent()) {
      client.socket.ontransport = (/** @type {string | null} */ name) => {
        if (isCurrent()) this.#onTransport(attempt, name);
      };
    }
  }

  /**
   * Orbited's session outlives its transports: while none works nothing is lost yet, and the page
   * is live again as soon as one does.
   *
   * @param {Attempt} attempt
   * @param {string | null} name
   */
  #onTransport(attempt, name) {
    const { push } = this.#thywill;
    push.onTransport(name);
    if (!attempt.isEstablished) return;
    if (name === null) {
      push.onConnectionLost(new ThywillError("connection-lost", "no answer from Orbited"));
    } else {
      push.onEstablishConnectionComplete();
    }
  }

  /**
   * @param {Attempt} attempt
   * @param {number} ticketSeconds
   */
  #established(attempt, ticketSeconds) {
    attempt.isEstablished = true;
    attempt.clearTimers();
    attempt.after(this.stableSeconds, () => this.#backoff.reset());
    this.#renewBefore(attempt, ticketSeconds);
    const { push } = this.#thywill;
    push.onTransport(attempt.client.socket?.transport ?? push.transport);
    push.onNewConnection();
    push.onEstablishConnectionComplete();
  }

  /**
   * Listen on what the ticket names beside the client's own destination.
   *
   * @param {Attempt} attempt
   * @param {string[]} [destinations]
   */
  #subscribeToMore(attempt, destinations = []) {
    for (const destination of destinations) {
      if (!attempt.destinations.has(destination)) {
        attempt.destinations.add(destination);
        attempt.client.subscribe(destination, { id: destination });
      }
    }
  }

  /**
   * Show a new ticket when between 60 and 80 % of the old one's time is over.
   *
   * @param {Attempt} attempt
   * @param {number} seconds how long the old one is good, counted in whole seconds
   */
  #renewBefore(attempt, seconds) {
    const certain = seconds - 1; // the second in which it was given may have been nearly over
    const delay = Math.max(certain * (0.6 + 0.2 * this.#random()), 0.5);
    attempt.after(delay, () => this.#renew(attempt));
  }

  /** @param {Attempt} attempt */
  async #renew(attempt) {
    try {
      const { ticket, expires_in: seconds, destinations } = await this.#requestTicket();
      if (this.#attempt !== attempt) {
        return;
      }
      this.#destinations = destinations;
      await this.#show(attempt, ticket);
      this.#subscribeToMore(attempt, destinations);
      this.#renewBefore(attempt, seconds);
    } catch (error) {
      if (this.#attempt !== attempt) {
        return;
      }
      if (isFinal(error)) {
        this.#lost(attempt, error);
      } else {
        attempt.after(5 + 10 * this.#random(), () => this.#renew(attempt));
      }
    }
  }

  /**
   * Show a ticket on the live connection.
   *
   * @param {Attempt} attempt
   * @param {string} ticket
   */
  async #show(attempt, ticket) {
    const { client } = attempt;
    const destination = `/topic/thywill.renew.${this.#thywill.config.uuid}`;
    let id = "";
    await attempt.confirmation((receipt) => {
      id = `${receipt}-subscription`;
      client.subscribe(destination, { id, ticket, receipt });
    });
    client.unsubscribe(destination, { id });
  }

  /**
   * @param {Attempt} attempt
   * @param {any} error
   */
  #lost(attempt, error) {
    if (this.#attempt !== attempt) {
      return;
    }
    this.#drop((client) => client.reset());
    const { push } = this.#thywill;
    if (isFinal(error)) {
      this.#isWanted = false;
      push.onConnectionRefused(error);
    } else {
      this.#retryTimer = setTimeout(() => this.retryNow(), this.#backoff.next());
      push.onConnectionLost(error);
    }
  }

  /** @param {(client: any) => void} end how to take leave of it */
  #drop(end) {
    const attempt = this.#attempt;
    this.#attempt = null; // first, so that what the client still says is not heard
    attempt?.end();
    if (attempt?.client) {
      try {
        end(attempt.client);
      } catch {
        attempt.client.reset(); // it was not open yet
      }
    }
    this.#thywill.push.onTransport(null);
  }
}

register(thywill, new OrbitedStomp(thywill));
