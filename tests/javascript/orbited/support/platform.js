/** A browser without a browser: a clock that the test moves, and a network that it plays. */

import { Settings } from "../../../../orbited/static/comet/settings.js";

/** Let everything happen that can happen without time passing. */
export async function settle() {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}

let lastServer = 0;

/** Settings for a server that no other test has met: pages remember what works where. */
export function freshSettings(changes = {}) {
  lastServer += 1;
  return Object.assign(new Settings(), { url: `http://server${lastServer}/comet/` }, changes);
}

/** One request that the page has made. */
export class FakeRequest {
  constructor(url, { method = "GET", body = "", signal, keepalive = false, ...rest } = {}) {
    Object.assign(this, { url, method, body, signal, keepalive, options: rest });
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    signal?.addEventListener("abort", () => this.fail(new DOMException("aborted", "AbortError")));
  }

  get isAborted() {
    return this.signal?.aborted === true;
  }

  get path() {
    return new URL(this.url).pathname;
  }

  /** Answer at once. */
  async respond(status, body = "") {
    this.resolve(new Response(status === 204 ? null : body, { status }));
    await settle();
  }

  /** Begin an answer that `write`, `end` and `fail` go on with. */
  async stream(status = 200) {
    const body = new ReadableStream({ start: (controller) => (this.controller = controller) });
    this.resolve(new Response(body, { status }));
    await settle();
  }

  async write(piece) {
    this.controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    await settle();
  }

  async end() {
    this.controller.close();
    await settle();
  }

  /** The network breaks. */
  async fail(error = new TypeError("Failed to fetch")) {
    this.reject(error);
    try {
      this.controller?.error(error);
    } catch {
      // it has ended
    }
    await settle();
  }
}

export class FakeWebSocket {
  readyState = 0;
  sent = [];

  constructor(url) {
    this.url = url;
  }

  send(message) {
    if (this.readyState !== 1) throw new Error("InvalidStateError");
    this.sent.push(message);
  }

  close() {
    this.readyState = 3;
  }

  async open() {
    this.readyState = 1;
    this.onopen?.();
    await settle();
  }

  async message(bytes) {
    this.onmessage?.({ data: typeof bytes === "string" ? bytes : bytes.slice().buffer });
    await settle();
  }

  /** The other end, or the network, closes it. */
  async drop() {
    this.readyState = 3;
    this.onclose?.();
    await settle();
  }
}

export class FakeEventSource extends EventTarget {
  isClosed = false;

  constructor(url) {
    super();
    this.url = url;
  }

  close() {
    this.isClosed = true;
  }

  async event(name, data) {
    this.dispatchEvent(Object.assign(new Event(name), { data }));
    await settle();
  }

  async error() {
    this.onerror?.(new Event("error"));
    await settle();
  }
}

export class FakePlatform {
  time = 1_000_000;
  /** All requests, WebSockets and event sources so far, oldest first. */
  requests = [];
  sockets = [];
  sources = [];
  /** What was sent as the page went away. */
  last = [];
  #timers = new Map();
  #lastTimer = 0;

  constructor() {
    const platform = this;
    this.WebSocket = class extends FakeWebSocket {
      constructor(url) {
        super(url);
        platform.sockets.push(this);
      }
    };
    this.EventSource = class extends FakeEventSource {
      constructor(url) {
        super(url);
        platform.sources.push(this);
      }
    };
  }

  now = () => this.time;
  /** What every throw of the dice gives. */
  chance = 0.5;
  random = () => this.chance;

  setTimeout = (callback, milliseconds) => {
    this.#lastTimer += 1;
    this.#timers.set(this.#lastTimer, { callback, at: this.time + milliseconds });
    return this.#lastTimer;
  };

  clearTimeout = (timer) => this.#timers.delete(timer);

  fetch = (url, init) => {
    const request = new FakeRequest(url, init);
    this.requests.push(request);
    return request.promise;
  };

  sendLast(url, body) {
    this.last.push({ url, body });
  }

  get timers() {
    return this.#timers.size;
  }

  /** Let time pass; timers run when they are due. */
  async advance(milliseconds) {
    const end = this.time + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end);
      if (due.length === 0) break;
      const [id, { callback, at }] = due.reduce((a, b) => (b[1].at < a[1].at ? b : a));
      this.time = Math.max(this.time, at);
      this.#timers.delete(id);
      callback();
      await settle();
    }
    this.time = end;
  }

  /** The machine sleeps: time passes, and no timer runs until it is over. */
  async sleep(milliseconds) {
    this.time += milliseconds;
    await this.advance(0);
  }

  /** The newest request whose path ends like this. */
  request(end, method = "GET") {
    return this.requests.findLast((one) => one.path.endsWith(end) && one.method === method);
  }

  /** The newest POST. */
  get post() {
    return this.requests.findLast((one) => one.method === "POST");
  }
}
