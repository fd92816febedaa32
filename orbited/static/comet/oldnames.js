/** What pages of 0.7 find on `Orbited` beside its sockets. Nothing here is used by the rest. */

import { settings } from "./settings.js";

/** An address in parts that can be changed; a port that is not named is 80, and 443 for https. */
export class OldURL {
  /** @type {string | undefined} */
  protocol;
  domain = "";
  port = 80;
  path = "/";
  qs = "";
  hash = "";

  /** @param {string} text @throws {Error} the port is no number */
  constructor(text) {
    const match =
      /^(?:([^:/?#]+):\/\/)?([^/?#:]*)(?::([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text);
    if (match === null || (match[3] !== undefined && !/^\d+$/.test(match[3]))) {
      throw new Error("Invalid _url");
    }
    this.protocol = match[1];
    this.domain = match[2] ?? "";
    this.port = Number(match[3] ?? this.#usualPort);
    this.path = match[4] || "/";
    this.qs = match[5] ?? "";
    this.hash = match[6] ?? "";
  }

  get #usualPort() {
    return this.protocol === "https" ? 443 : 80;
  }

  render() {
    const scheme = this.protocol === undefined ? "" : `${this.protocol}://`;
    const port = !this.port || this.port === this.#usualPort ? "" : `:${this.port}`;
    const query = this.qs === "" ? "" : `?${this.qs}`;
    return `${scheme}${this.domain}${port}${this.path}${query}${this.hash && `#${this.hash}`}`;
  }

  /** @param {string} other */
  isSamePort(other) {
    return new OldURL(other).port === this.port;
  }

  /** @param {string} other one without a host is of the same */
  isSameDomain(other) {
    const { domain, port } = new OldURL(other);
    return !domain || !this.domain || (domain === this.domain && port === this.port);
  }

  /** Whether this is below the other. @param {string} other */
  isSubDomain(other) {
    const { domain, port } = new OldURL(other);
    return domain !== "" && port === this.port && this.domain.endsWith(`.${domain}`);
  }

  /** Whether the other is of this domain, or of one above the page's. @param {string} other */
  isSameParentDomain(other) {
    const { domain } = new OldURL(other);
    const own = globalThis.location?.hostname ?? "";
    return domain === this.domain || (domain.includes(".") && `.${own}`.endsWith(`.${domain}`));
  }

  /** @param {string} name @param {string | number} value */
  setQsParameter(name, value) {
    this.#change((parameters) => parameters.set(name, String(value)));
  }

  /** @param {string} name */
  removeQsParameter(name) {
    this.#change((parameters) => parameters.delete(name));
  }

  /** @param {string} qs parameters that are set, or outweigh those that are */
  mergeQs(qs) {
    this.#change((parameters) => {
      for (const [name, value] of new URLSearchParams(qs)) parameters.set(name, value);
    });
  }

  /** @param {(parameters: URLSearchParams) => void} change */
  #change(change) {
    const parameters = new URLSearchParams(this.qs);
    change(parameters);
    this.qs = parameters.toString();
  }
}

/** By their names; all of them are the console. @type {Record<string, Console>} */
export const loggers = {};

/** @param {string} name */
export function getLogger(name) {
  return (loggers[name] ??= globalThis.console);
}

/**
 * Have the server publish a message, for tests of a page; `[test] stompdispatcher.enabled` lets it.
 *
 * @param {string} destination
 * @param {string} message
 */
export function dispatchStomp(destination, message) {
  const script = document.createElement("script");
  const query = new URLSearchParams({ msg: message, dest: destination });
  script.src = new URL(`system/test/stomp?${query}`, new URL(settings.url, location.href)).href;
  script.onload = script.onerror = () => script.remove();
  document.body.append(script);
}
