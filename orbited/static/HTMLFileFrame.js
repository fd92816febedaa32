/**
 * The script of the page that htmlfile streams into a hidden frame, for pages of 2010.
 *
 * Orbited.js of 0.7 expects from it: `e(packets)` for each burst and `h()` for each heartbeat, which
 * the streamed scripts call; and calls on its transport, which it finds in the parent window under
 * the number of the query's `frameID`:
 *
 *     streamStarted()        the stream is there
 *     receive(id, name, data)    one packet
 *     restartingStream(url)  the frame goes to that address now; watch that it arrives
 *
 * A classic script: the scripts behind it in the stream must find the two functions.
 */

(() => {
  const query = new URLSearchParams(location.search);
  const frameID = query.get("frameID") ?? "";
  const { Orbited } = /** @type {any} */ (parent);
  const transport = Orbited.singleton.HTMLFile.instances[frameID];
  let lastId = query.get("ack");
  let timer = 0;

  /** Ask for the next stream, from behind the last packet that was read. */
  function reconnect() {
    const next = new URLSearchParams({ frameID });
    if (lastId !== null) next.set("ack", lastId);
    // Without a number of its own the address would be the same, and nothing would be loaded.
    next.set("reload", String(Number(query.get("reload") ?? 0) + 1));
    const url = `${location.pathname}?${next}`;
    transport.restartingStream(url);
    location.replace(url);
  }

  function heartbeat() {
    clearTimeout(timer);
    timer = setTimeout(reconnect, Orbited.settings.HEARTBEAT_TIMEOUT);
  }

  /** @param {string[][]} packets of one burst: id, name and perhaps data */
  function receive(packets) {
    heartbeat();
    for (const [id, name, data] of packets) {
      lastId = id;
      transport.receive(id, name, data);
    }
  }

  Object.assign(globalThis, { e: receive, h: heartbeat });
  addEventListener("load", reconnect);
  heartbeat();
  transport.streamStarted();
})();
