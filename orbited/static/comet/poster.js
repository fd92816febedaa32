/**
 * @import { Platform } from "./browser.js"
 * @import { Downstream } from "./downstream.js"
 * @import { Settings } from "./settings.js"
 * @import { Upstream } from "./upstream.js"
 */

import { REQUEST } from "./browser.js";
import { Deadline } from "./deadline.js";
import { encodeText } from "./packets.js";

/**
 * What became of a POST: "accepted"; "gone" when the server does not know the session; "refused"
 * when it will not take what we say, now or later; "unreachable" when it makes sense to repeat it.
 *
 * @typedef {"accepted" | "gone" | "refused" | "unreachable"} PostOutcome
 */

/** Statuses in the 400s that ask for patience. */
const LATER = new Set([408, 425, 429]);

/** Last words share about 64 KiB with all other requests of a page that goes away. */
const MAX_LAST_WORDS = 60000;

/** Sends packets up in POSTs, never two at a time. */
export class Poster {
  #platform;
  #settings;
  #url;
  #upstream;
  #downstream;
  /** @type {Promise<PostOutcome> | null} */
  #current = null;
  /** @type {AbortController | null} */
  #abort = null;

  /**
   * @param {Platform} platform
   * @param {Settings} settings
   * @param {string} url of the session, with the key
   * @param {Upstream} upstream
   * @param {Downstream} downstream
   */
  constructor(platform, settings, url, upstream, downstream) {
    this.#platform = platform;
    this.#settings = settings;
    this.#url = url;
    this.#upstream = upstream;
    this.#downstream = downstream;
  }

  /** POST the oldest packets and the acknowledgement; or wait for the POST that is on its way. */
  post() {
    this.#current ??= this.#post().finally(() => (this.#current = null));
    return this.#current;
  }

  /** Break off the POST that is on its way, if there is one; it counts as unreachable. */
  interrupt() {
    this.#abort?.abort();
  }

  /**
   * Send what is left as the page goes away, without looking for an answer. When it is too much
   * for that, only its last packet goes, so that the server hears at least of the close.
   */
  postLast() {
    const all = this.#upstream.batch(0, Infinity);
    const body = encodeText(all);
    const fits = body.length <= MAX_LAST_WORDS;
    this.#platform.sendLast(this.#address(), fits ? body : encodeText(all.slice(-1)));
  }

  #address() {
    return `${this.#url}?ack=${this.#downstream.lastId}`;
  }

  /** @returns {Promise<PostOutcome>} */
  async #post() {
    const packets = this.#upstream.batch(0, this.#settings.MAX_POST_BYTES);
    const abort = new AbortController();
    this.#abort = abort;
    const deadline = new Deadline(this.#platform, () => abort.abort());
    deadline.within(this.#settings.POST_TIMEOUT);
    this.#downstream.told();
    try {
      const response = await this.#platform.fetch(this.#address(), {
        ...REQUEST,
        method: "POST",
        body: encodeText(packets),
        signal: abort.signal,
      });
      await response.text(); // lets the browser use the connection again
      const outcome = judge(response.status);
      if (outcome === "accepted") this.#upstream.accept(packets.at(-1)?.id ?? 0);
      return outcome;
    } catch {
      return "unreachable";
    } finally {
      deadline.clear();
    }
  }
}

/** @param {number} status @returns {PostOutcome} */
function judge(status) {
  if (status === 200) return "accepted";
  if (status === 404) return "gone";
  return status >= 400 && status < 500 && !LATER.has(status) ? "refused" : "unreachable";
}
