/**
 * What a page may set, on `Orbited.settings`, before it opens a socket. Times are milliseconds.
 */
export class Settings {
  /** Address of the server: the folder above `static/`. A relative one is relative to the page. */
  url = new URL("../../", import.meta.url).href;

  /** Transports in order of preference; what does not work is left out for the page's life. */
  transports = ["websocket", "xhrstream", "longpoll"];

  /** False: only transports whose every answer ends, longpoll and poll. */
  streaming = true;

  /** Silence on a streaming transport after which it is opened anew. The server beats every 5 s. */
  HEARTBEAT_TIMEOUT = 6000;

  /** How long a new transport may take to its first byte before the next one is tried. */
  FIRST_DATA_TIMEOUT = 6000;

  /** How long one long poll may take. The server answers after 30 s at the latest. */
  LONGPOLL_TIMEOUT = 45000;

  /** Pause between two polls of the poll transport. */
  POLL_INTERVAL = 2000;

  /** What the server has accepted is probably answered: after so long, that pause is over. */
  POLL_AFTER_POST = 200;

  /** An answer at least so long is not followed by that pause: there may be more to say. */
  POLL_AGAIN_BYTES = 1024;

  /** How long the request for a new session may take; then the socket closes with 101. */
  CREATE_TIMEOUT = 30000;

  /** How long a POST may take before it is repeated. */
  POST_TIMEOUT = 30000;

  /** A WebSocket on which something was sent and nothing came back for so long is asked again. */
  ACK_TIMEOUT = 10000;

  /** Retries wait a random time between 0 and RETRY_BASE, 2 * RETRY_BASE, ... RETRY_CAP. */
  RETRY_BASE = 200;
  RETRY_CAP = 10000;

  /** The same while the server can be reached, and only its transports break. */
  RETRY_CAP_REACHABLE = 2000;

  /** No answer for so long after a transport fell silent: the page is told that none works. */
  OUTAGE_DELAY = 2000;

  /** What waits for a WebSocket so long goes up by POST. */
  UP_DELAY = 1000;

  /** A WebSocket acknowledges after so many packets, or after so long. */
  ACK_PACKETS = 64;
  ACK_DELAY = 1000;

  /** A stream acknowledges with an empty POST after so many bytes. */
  ACK_BYTES = 262144;

  /** Data is cut into packets of at most so many bytes. */
  MAX_PACKET_BYTES = 32768;

  /** One POST, or one WebSocket message, carries about so many bytes of data at most. */
  MAX_POST_BYTES = 131072;

  /** send() throws when more than this waits to be accepted by the server. */
  MAX_QUEUED_BYTES = 16777216;

  /** A packet from the server that is longer than this breaks the transport. */
  MAX_ARGUMENT_BYTES = 4194304;

  /** The three old ways to say where the server is; they read and change `url`. */
  get hostname() {
    return new URL(this.url, globalThis.location?.href).hostname;
  }

  set hostname(value) {
    this.#change((url) => (url.hostname = value));
  }

  get port() {
    const url = new URL(this.url, globalThis.location?.href);
    return Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  }

  set port(value) {
    this.#change((url) => (url.port = String(value)));
  }

  get protocol() {
    return new URL(this.url, globalThis.location?.href).protocol.slice(0, -1);
  }

  set protocol(value) {
    this.#change((url) => (url.protocol = value));
  }

  /** @param {(url: URL) => void} change */
  #change(change) {
    const url = new URL(this.url, globalThis.location?.href);
    change(url);
    this.url = url.href;
  }
}

/** The settings of this page. */
export const settings = new Settings();
