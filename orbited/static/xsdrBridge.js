/**
 * Makes requests for a page of 2010 that comes from another port or subdomain than Orbited.
 *
 * Orbited.js of 0.7 puts xsdrBridge.html into a hidden frame, with the number of a request object
 * behind the `#`. Both documents give `document.domain` the same value, and can then reach each
 * other. The page has, in `Orbited.singleton.XSDR`:
 *
 *     queues[number]        what to ask: [method, address, body, headers]
 *     receiveCbs[number]    told ["initialized"] once, and ["readystatechange", state] as XHR goes on
 *
 * The server says who may embed this, see `frame-ancestors`: nobody but the pages of its own
 * origin, and of those that the access list names.
 */

(() => {
  /** How often the queue is looked at, in milliseconds. */
  const QUEUE_INTERVAL = 20;

  const number = Number(location.hash.slice(1));
  const { queues, receiveCbs } = meetParent().Orbited.singleton.XSDR;

  /** Give `document.domain` the value with which the parent's document can be reached. */
  function meetParent() {
    const labels = document.domain.split(".");
    for (let first = 0; first < labels.length; first += 1) {
      try {
        document.domain = labels.slice(first).join(".");
        if (/** @type {any} */ (parent).Orbited) return /** @type {any} */ (parent);
      } catch {
        // The parent is not there yet, or this is no domain that may be set: try a wider one.
      }
    }
    throw new Error(
      "the page must set document.domain, and be served with Origin-Agent-Cluster: ?0",
    );
  }

  function takeNext() {
    const request = queues[number].shift();
    if (request) send(request);
    else setTimeout(takeNext, QUEUE_INTERVAL);
  }

  /** @param {[string, string, string?, Record<string, string>?]} request */
  function send([method, url, body, headers]) {
    const xhr = new XMLHttpRequest();
    let length = 0;
    xhr.onreadystatechange = () => {
      const { readyState, status, responseText: text } = xhr;
      const responseText = text.slice(length);
      length = text.length;
      receiveCbs[number](["readystatechange", { readyState, status, responseText }]);
      if (readyState === XMLHttpRequest.DONE) takeNext();
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers ?? {})) xhr.setRequestHeader(name, value);
    xhr.send(body);
  }

  addEventListener("load", takeNext);
  receiveCbs[number](["initialized"]);
})();
