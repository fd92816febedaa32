/**
 * Keeps the packets of one session moving: opens transport after transport, POSTs what no
 * transport carries up, and acknowledges what comes down. It knows nothing of what packets mean.
 *
 * When a transport ends:
 *
 *     something was heard on it    open it again; after a cut with jitter, after a clean end at once;
 *                                  but when it brings nothing, again and again, the next one
 *     nothing was heard on it      ask the server with a POST, which also takes up what is waiting:
 *         accepted                 the transport is at fault; the next one (see ladder.js)
 *         unknown session          the session is gone
 *         no answer                the network is at fault; the same one again, with jitter
 *
 * The pauses grow long only while the network is at fault. Without a transport that takes packets
 * up they go in POSTs, so that what is said up here, heart-beats among it, is never held back.
 *
 * @import { Platform } from "./browser.js"
 * @import { Downstream } from "./downstream.js"
 * @import { Packet } from "./packets.js"
 * @import { PostOutcome } from "./poster.js"
 * @import { Settings } from "./settings.js"
 * @import { Outcome } from "./transports/base.js"
 * @import { Upstream } from "./upstream.js"
 */

import { Backoff } from "./backoff.js";
import { Deadline } from "./deadline.js";
import { Ladder } from "./ladder.js";
import { Patience } from "./patience.js";
import { Pause } from "./pause.js";
import { Poster } from "./poster.js";
import { Transport } from "./transports/base.js";
import { TRANSPORTS, usableTransports } from "./transports/table.js";
import * as utf8 from "./utf8.js";

/** A transport that ends sooner than this, and brought nothing, is opened again with a pause. */
const TOO_SOON_MS = 1000;

/**
 * @typedef {object} LinkListener
 * @property {(packet: Packet) => void} onpacket a packet that was not delivered before, or `open`
 * @property {() => void} onheard the server has shown that it keeps the session
 * @property {(name: string | null) => void} ontransport another one works; null: none does
 * @property {() => void} onflushed the server has accepted everything
 * @property {() => void} ongone the server does not know the session, or refuses what we say
 */

/**
 * @typedef {object} LinkParts
 * @property {Platform} platform
 * @property {Settings} settings
 * @property {string} serverUrl
 * @property {string} sessionUrl
 * @property {Upstream} upstream
 * @property {Downstream} downstream
 */

export class Link {
  /** How often the server says something at least. */
  pingIntervalMs = 30000;

  #parts;
  #listener;
  #ladder;
  #poster;
  #ackSoon;
  #upSoon;
  #patience;
  #postBackoff;
  #postPause;
  /** @type {Transport | null} */
  #carrier = null;
  #carrierClass = Transport;
  #carrierSince = 0;
  #carrierAck = 0; // id of the last packet before it was opened
  #hasProgressed = false; // something new came through since the carrier was opened
  #isReady = false; // the carrier takes packets up
  #sentId = 0; // the last packet it was given
  /** @type {string | null} */
  #reported = null;
  #willFlush = false;
  #isPosting = false;
  #isWoken = false;
  #isResting = false;
  #isEnding = false;
  #isOver = false;

  /**
   * @param {LinkParts} parts
   * @param {LinkListener} listener
   */
  constructor(parts, listener) {
    const { platform, settings, serverUrl, sessionUrl, upstream, downstream } = parts;
    this.#parts = parts;
    this.#listener = listener;
    this.#ladder = new Ladder(serverUrl, usableTransports(settings, platform));
    this.#poster = new Poster(platform, settings, sessionUrl, upstream, downstream);
    this.#ackSoon = new Deadline(platform, () => this.#sendAck());
    this.#upSoon = new Deadline(platform, () => void this.#postAll());
    this.#patience = new Patience(platform, settings, () => this.#report(null));
    this.#postBackoff = new Backoff(platform.random, settings.RETRY_BASE, settings.RETRY_CAP);
    this.#postPause = new Pause(platform);
  }

  /** Whether pings are answered by packets; elsewhere the next request is the answer. */
  get isStreaming() {
    return this.#carrierClass.isStreaming;
  }

  /** Open the first transport. */
  start() {
    this.#connect();
  }

  /** Something was put into the upstream. It leaves with all that is put there in this turn. */
  flush() {
    if (this.#willFlush) return;
    this.#willFlush = true;
    queueMicrotask(() => {
      this.#willFlush = false;
      this.#flushNow();
    });
  }

  /** Bring up what is waiting, then no more: `onflushed` is called. */
  end() {
    this.#isEnding = true;
    this.wake();
    this.flush();
  }

  /** Tell the server, without waiting for an answer, what we have and what is left to say. */
  lastWords() {
    if (this.#carrierClass.carriesUpstream && this.#isReady) {
      this.#sendAck();
      if (this.#parts.upstream.isEmpty) return;
    }
    this.#poster.postLast();
  }

  stop() {
    this.#isOver = true;
    this.#carrier?.close();
    this.#carrier = null;
    this.#poster.interrupt();
    this.#ackSoon.clear();
    this.#upSoon.clear();
    this.#patience.stop();
    this.#postPause.skip();
  }

  /** The network may be another one: do not wait any longer, and trust no old connection. */
  wake() {
    this.#isWoken = this.#patience.isWaiting || this.#carrier === null;
    this.#postPause.skip();
    this.#patience.skip();
    if (this.#isEnding) return;
    this.#poster.interrupt();
    if (this.#carrier !== null || this.#isResting) this.#connect();
  }

  /** Make sure that the connection lives. */
  look() {
    if (this.#carrier === null) this.wake();
    else this.#carrier.probe();
  }

  /** Let go of the transport until `wake()`. */
  rest() {
    if (this.#carrier === null) return;
    this.#isResting = true;
    this.#isReady = false;
    this.#carrier.close();
    this.#carrier = null;
  }

  // ------------------------------------------------------------------ transports

  #connect() {
    const { platform, settings, sessionUrl, downstream } = this.#parts;
    const name = this.#ladder.current;
    this.#carrier?.close();
    this.#carrierClass = /** @type {typeof Transport} */ (TRANSPORTS.get(name));
    this.#carrierSince = platform.now();
    this.#carrierAck = downstream.lastId;
    this.#sentId = 0;
    this.#hasProgressed = this.#isReady = this.#isWoken = this.#isResting = false;
    const { pingIntervalMs } = this;
    const context = { platform, settings, sessionUrl, ack: downstream.lastId, pingIntervalMs };
    const carrier = new this.#carrierClass(context, {
      onalive: () => this.#onAlive(name),
      onpacket: (packet) => this.#onPacket(packet),
      onready: () => this.#onReady(),
      onend: (outcome) => void this.#onEnd(carrier, outcome),
    });
    this.#carrier = carrier;
    downstream.told();
    carrier.open();
    this.flush();
  }

  /** @param {string} name */
  #onAlive(name) {
    this.#ladder.worked();
    this.#patience.reached();
    this.#report(name);
  }

  /** @param {string | null} name */
  #report(name) {
    if (name === this.#reported) return;
    this.#reported = name;
    this.#listener.ontransport(name);
  }

  /** A carrier of packets is open, or wants to see an acknowledgement. */
  #onReady() {
    const { upstream, downstream } = this.#parts;
    this.#isReady = true;
    if (upstream.isEmpty && downstream.lastId > 0) upstream.push("ping");
    this.#flushNow();
  }

  /** @param {Transport} carrier @param {Outcome} outcome */
  async #onEnd(carrier, outcome) {
    this.#carrier = null;
    this.#isReady = false;
    if (outcome === "gone") {
      this.#listener.ongone();
    } else if (this.#isEnding) {
      this.#flushNow();
    } else {
      this.flush();
      if (carrier.isAlive) await this.#afterLife(outcome, carrier.pauseMs);
      else await this.#afterSilence();
      if (!this.#isOver && !this.#isEnding && this.#carrier === null) this.#connect();
    }
  }

  /** @param {Outcome} outcome @param {number} pauseMs */
  async #afterLife(outcome, pauseMs) {
    const hasLasted = this.#parts.platform.now() - this.#carrierSince >= TOO_SOON_MS;
    if (this.#hasProgressed || hasLasted) {
      this.#patience.succeeded();
      this.#ladder.succeeded();
    } else if (outcome === "failed" && this.#ladder.failed()) {
      return;
    }
    if (outcome === "clean") {
      this.#listener.onheard();
      if (pauseMs > 0) await this.#wait(() => this.#patience.betweenPolls(pauseMs));
      if (pauseMs > 0 || this.#hasProgressed || hasLasted) return;
    }
    await this.#wait(() => this.#patience.afterCut());
  }

  async #afterSilence() {
    this.#patience.asking();
    const outcome = await this.#poster.post();
    this.#patience.asked();
    if (this.#isOver || this.#isWoken) return;
    this.#judge(outcome);
    if (outcome !== "accepted") {
      await this.#wait(() => this.#patience.afterFailure());
    } else if (!this.#ladder.failed()) {
      await this.#wait(() => this.#patience.afterCut());
    }
  }

  /** @param {() => Promise<void>} wait */
  async #wait(wait) {
    if (!this.#isOver && !this.#isWoken) await wait();
  }

  // ------------------------------------------------------------------ down

  /** @param {Packet} packet */
  #onPacket(packet) {
    const { settings, upstream, downstream } = this.#parts;
    this.#listener.onheard();
    if (packet.id === 0 && packet.name === "ack") {
      const accepted = Number(utf8.decode(packet.data));
      if (Number.isSafeInteger(accepted) && upstream.accept(accepted)) this.#onAccepted();
      return;
    }
    const isNew = downstream.admit(packet);
    this.#hasProgressed ||= isNew;
    if (isNew || packet.name === "open") this.#listener.onpacket(packet);
    if (this.#isOver) return;
    if (this.#carrierClass.carriesUpstream) {
      // After a cut the server waits for the first acknowledgement before it says much.
      const isFirst = isNew && this.#carrierAck > 0 && packet.id === this.#carrierAck + 1;
      if (isFirst || downstream.untoldPackets >= settings.ACK_PACKETS) this.#sendAck();
      else this.#ackSoon.withinAtMost(settings.ACK_DELAY);
    } else if (this.isStreaming && downstream.untoldBytes > settings.ACK_BYTES) {
      void this.#post();
    }
  }

  #sendAck() {
    const { downstream } = this.#parts;
    if (!this.#isReady || downstream.untoldPackets === 0) return;
    this.#carrier?.send([{ id: 0, name: "ack", data: utf8.encode(String(downstream.lastId)) }]);
    downstream.told();
  }

  // ------------------------------------------------------------------ up

  #flushNow() {
    const { settings, upstream } = this.#parts;
    if (this.#isOver) return;
    if (this.#isReady) this.#sendUp();
    else if (this.#isEnding || !this.#carrierClass.carriesUpstream) void this.#postAll();
    else if (!upstream.isEmpty) this.#upSoon.withinAtMost(settings.UP_DELAY);
  }

  /** Whether packets go up in POSTs. */
  get #postsUp() {
    return !this.#isOver && !this.#isReady && !this.#isResting;
  }

  #sendUp() {
    const { settings, upstream } = this.#parts;
    for (;;) {
      const packets = upstream.batch(this.#sentId, settings.MAX_POST_BYTES);
      const last = packets.at(-1);
      if (last === undefined) return;
      this.#sentId = last.id;
      this.#carrier?.send(packets);
    }
  }

  async #postAll() {
    if (this.#isPosting) return;
    this.#isPosting = true;
    while (this.#postsUp && !this.#parts.upstream.isEmpty) {
      if ((await this.#post()) === "unreachable" && !this.#isOver) {
        await this.#postPause.wait(this.#postBackoff.next());
      }
    }
    this.#isPosting = false;
  }

  async #post() {
    const outcome = await this.#poster.post();
    if (!this.#isOver) this.#judge(outcome);
    return outcome;
  }

  /** @param {PostOutcome} outcome */
  #judge(outcome) {
    if (outcome === "accepted") {
      this.#postBackoff.reset();
      this.#patience.reached();
      this.#listener.onheard();
      this.#onAccepted();
    } else if (outcome !== "unreachable") {
      this.#listener.ongone();
    }
  }

  #onAccepted() {
    this.#hasProgressed = true;
    this.#patience.accepted();
    if (this.#isEnding && this.#parts.upstream.isEmpty) this.#listener.onflushed();
  }
}
