/**
 * A session with the server: a pipe of bytes both ways that outlives the requests it is made of.
 *
 *     create           GET  .../tcp                          the answer is the key
 *     down             GET  .../tcp/KEY/TRANSPORT?ack=N      packets; opened again and again
 *     up               POST .../tcp/KEY?ack=N                packets; or through the WebSocket
 *
 * Both ends number their packets, keep them until the other has acknowledged them, and drop what
 * they have seen. So any request may fail at any moment, any transport may follow any other, and
 * nothing is lost or doubled while the server keeps the session.
 *
 * @import { Platform } from "./browser.js"
 * @import { Packet } from "./packets.js"
 * @import { Settings } from "./settings.js"
 */

import { browser, REQUEST } from "./browser.js";
import { Deadline } from "./deadline.js";
import { Downstream } from "./downstream.js";
import { callApplication, codeOf, Errors, ReadyState, Statuses } from "./errors.js";
import * as lifecycle from "./lifecycle.js";
import { Link } from "./link.js";
import { settings as pageSettings } from "./settings.js";
import { usableTransports } from "./transports/table.js";
import { Upstream } from "./upstream.js";
import * as utf8 from "./utf8.js";

/** A deadline that is found so long overdue was slept through. */
const SLEPT_MS = 2000;

export class CometSession {
  /** @type {() => void} */
  onopen = () => {};
  /** @type {(bytes: Uint8Array) => void} */
  ondata = () => {};
  /** @type {(code: number) => void} called once, in a later turn */
  onclose = () => {};
  /** @type {(name: string | null) => void} */
  ontransport = () => {};

  /** @type {string | null} name of the transport in use; null before the first, and in an outage */
  transport = null;

  /** @type {number} */
  readyState = ReadyState.INITIALIZED;

  #settings;
  #platform;
  #upstream = new Upstream();
  #downstream = new Downstream();
  /** @type {Link | null} */
  #link = null;
  #creation = new AbortController();
  #giveUp;
  #pingInterval = 30; // seconds, until the server tells us its own
  #pingTimeout = 30;
  #isPageTold = false; // onclose was called, or will be
  #isOver = false; // and nothing goes on behind the page's back

  /**
   * @param {Settings} [settings]
   * @param {Platform} [platform]
   */
  constructor(settings = pageSettings, platform = browser) {
    this.#settings = settings;
    this.#platform = platform;
    this.#giveUp = new Deadline(platform, (overdue) => this.#timedOut(overdue));
  }

  /** Bytes that the server has not accepted yet. */
  get bufferedAmount() {
    return this.#upstream.bytes;
  }

  /**
   * Ask for a session. `onopen` or `onclose` follows.
   *
   * @throws {Error} this browser can use none of the transports in the settings
   */
  open() {
    if (this.readyState !== ReadyState.INITIALIZED) throw new Error("Invalid readyState");
    usableTransports(this.#settings, this.#platform);
    this.readyState = ReadyState.OPENING;
    lifecycle.add(this);
    void this.#create();
  }

  /**
   * @param {Uint8Array} bytes kept as they are, not copied
   * @throws {Error} the session is not open, or too much is waiting
   */
  send(bytes) {
    if (this.readyState !== ReadyState.OPEN) throw new Error("Invalid readyState");
    const { MAX_QUEUED_BYTES, MAX_PACKET_BYTES } = this.#settings;
    if (this.#upstream.bytes + bytes.length > MAX_QUEUED_BYTES) {
      throw new Error(`more than ${MAX_QUEUED_BYTES} bytes would wait to be sent`);
    }
    for (let at = 0; at < bytes.length; at += MAX_PACKET_BYTES) {
      this.#upstream.push("data", bytes.subarray(at, at + MAX_PACKET_BYTES));
    }
    this.#link?.flush();
  }

  /**
   * End the session. The page is told at once; what is queued goes up behind its back.
   *
   * @param {number} [code]
   */
  close(code = Errors.UserConnectionReset) {
    if (this.readyState === ReadyState.CLOSED) return;
    const isUnborn = this.readyState === ReadyState.INITIALIZED;
    this.#tellPage(code);
    if (isUnborn) {
      this.#finish(code);
    } else {
      this.#upstream.push("close");
      this.#link?.end();
    }
  }

  /** End the session now; what is queued is dropped. */
  reset() {
    if (this.#isOver) return;
    this.#upstream.discard();
    this.#upstream.push("close");
    this.#link?.lastWords();
    this.#finish(Errors.UserConnectionReset);
  }

  /**
   * The other end has closed: acknowledge that, so that the server can forget the session.
   *
   * @param {number} code
   */
  abandon(code) {
    if (this.#isOver) return;
    this.#upstream.discard();
    this.#link?.lastWords();
    this.#finish(code);
  }

  /** The network came back, or the page did. */
  wake() {
    this.#link?.wake();
  }

  /** Somebody looks at the page. */
  look() {
    this.#giveUp.check();
    this.#link?.look();
  }

  /** The page is put aside, and may come back while the server keeps the session. */
  rest() {
    this.#link?.rest();
  }

  /** The page goes away; nobody is there to be told. */
  leave() {
    this.#isPageTold = true;
    this.#upstream.push("close");
    this.#link?.lastWords();
    this.#finish(Errors.UserConnectionReset);
  }

  async #create() {
    const limit = new Deadline(this.#platform, () => this.#creation.abort());
    limit.within(this.#settings.CREATE_TIMEOUT);
    const serverUrl = absolute(this.#settings.url);
    let key = "";
    try {
      const { signal } = this.#creation;
      const response = await this.#platform.fetch(`${serverUrl}tcp`, { ...REQUEST, signal });
      const text = await response.text();
      if (response.status === 200 && /^[\w.~-]+$/.test(text)) key = text;
    } catch {
      // no network, too slow, or not allowed by the server's rules for other origins
    }
    limit.clear();
    if (this.#isOver) return;
    if (key === "") {
      const isLate = this.#creation.signal.aborted;
      this.#finish(isLate ? Errors.ConnectionTimeout : Errors.InvalidHandshake);
    } else {
      this.#start(serverUrl, `${serverUrl}tcp/${key}`);
    }
  }

  /** @param {string} serverUrl @param {string} sessionUrl */
  #start(serverUrl, sessionUrl) {
    const link = new Link(
      {
        platform: this.#platform,
        settings: this.#settings,
        serverUrl,
        sessionUrl,
        upstream: this.#upstream,
        downstream: this.#downstream,
      },
      {
        onpacket: (packet) => this.#onPacket(packet),
        onheard: () => this.#heard(),
        ontransport: (name) => this.#onTransport(name),
        onflushed: () => this.#finish(Errors.UserConnectionReset),
        ongone: () => this.#finish(Statuses.ServerClosedConnection),
      },
    );
    this.#link = link;
    this.#heard();
    if (this.#isPageTold) link.end();
    else link.start();
  }

  /** @param {Packet} packet */
  #onPacket({ name, data }) {
    if (name === "data") {
      if (this.readyState === ReadyState.OPEN) callApplication(this.ondata, data);
    } else if (name === "open") {
      if (this.readyState !== ReadyState.OPENING) return; // said again until it is acknowledged
      this.readyState = ReadyState.OPEN;
      callApplication(this.onopen);
    } else if (name === "ping") {
      if (!this.#link?.isStreaming) return; // the next request is the answer
      this.#upstream.push("ping");
      this.#link.flush();
    } else if (name === "opt") {
      this.#setOption(utf8.decode(data));
    } else if (name === "close") {
      this.abandon(codeOf(utf8.decode(data)));
    }
  }

  /** @param {string} text like `pingInterval,30` */
  #setOption(text) {
    const [name, value] = text.split(",");
    const seconds = Number.parseInt(value ?? "", 10);
    if (!(seconds > 0)) return;
    if (name === "pingTimeout") this.#pingTimeout = seconds;
    if (name === "pingInterval") {
      this.#pingInterval = seconds;
      if (this.#link) this.#link.pingIntervalMs = 1000 * seconds;
    }
    this.#heard();
  }

  /** @param {string | null} name */
  #onTransport(name) {
    if (this.#isPageTold) return;
    this.transport = name;
    callApplication(this.ontransport, name);
  }

  /** The server keeps the session from now on for this long. */
  #heard() {
    if (!this.#isOver) this.#giveUp.within(1000 * (this.#pingInterval + this.#pingTimeout));
  }

  /** @param {number} overdue milliseconds */
  #timedOut(overdue) {
    if (overdue > SLEPT_MS) {
      // The machine was asleep, and perhaps not for too long: look once before giving up.
      this.#giveUp.within(this.#settings.FIRST_DATA_TIMEOUT);
      this.wake();
    } else {
      this.#finish(Errors.ConnectionTimeout);
    }
  }

  /** @param {number} code */
  #finish(code) {
    if (this.#isOver) return;
    this.#isOver = true;
    lifecycle.remove(this);
    this.#creation.abort();
    this.#giveUp.clear();
    this.#link?.stop();
    this.#tellPage(code);
  }

  /** @param {number} code */
  #tellPage(code) {
    this.readyState = ReadyState.CLOSED;
    this.transport = null;
    if (this.#isPageTold) return;
    this.#isPageTold = true;
    queueMicrotask(() => callApplication(this.onclose, code));
  }
}

/** The server's address, complete and with a slash at the end. @param {string} url */
function absolute(url) {
  return new URL(url.replace(/\/?$/, "/"), globalThis.location?.href).href;
}
