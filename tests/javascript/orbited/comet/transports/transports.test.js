import assert from "node:assert/strict";
import { test } from "node:test";

import { LongPollTransport } from "../../../../../orbited/static/comet/transports/longpoll.js";
import { PollTransport } from "../../../../../orbited/static/comet/transports/poll.js";
import { SSETransport } from "../../../../../orbited/static/comet/transports/sse.js";
import { TRANSPORTS } from "../../../../../orbited/static/comet/transports/table.js";
import { WebSocketTransport } from "../../../../../orbited/static/comet/transports/websocket.js";
import { XHRStreamTransport } from "../../../../../orbited/static/comet/transports/xhrstream.js";
import { encodeBytes } from "../../../../../orbited/static/comet/packets.js";
import { FakePlatform, freshSettings, settle } from "../../support/platform.js";

const OPEN = "11,204,open";
const HELLO = "11,314,data08,aGVsbG8=";

/** How each transport is made to answer by hand. */
const KINDS = [
  {
    Transport: XHRStreamTransport,
    async begin(platform) {
      await platform.request("/xhrstream").stream();
      await platform.request("/xhrstream").write(" ".repeat(256));
    },
    packets: (platform, text) => platform.request("/xhrstream").write(text),
    garbage: (platform) => platform.request("/xhrstream").write("???"),
    fail: (platform) => platform.request("/xhrstream").fail(),
  },
  {
    Transport: LongPollTransport,
    begin: async () => {},
    packets: (platform, text) => platform.request("/longpoll").respond(200, text),
    garbage: (platform) => platform.request("/longpoll").respond(200, "???"),
    fail: (platform) => platform.request("/longpoll").fail(),
  },
  {
    Transport: PollTransport,
    begin: async () => {},
    packets: (platform, text) => platform.request("/poll").respond(200, text),
    garbage: (platform) => platform.request("/poll").respond(200, "???"),
    fail: (platform) => platform.request("/poll").fail(),
  },
  {
    Transport: SSETransport,
    begin: async () => {},
    packets: (platform, text) => {
      const packets = text === OPEN ? [["2", "open"]] : [["3", "data", "aGVsbG8="]];
      return platform.sources.at(-1).event("payload", JSON.stringify(packets));
    },
    garbage: (platform) => platform.sources.at(-1).event("payload", "{"),
    fail: (platform) => platform.sources.at(-1).error(),
  },
  {
    Transport: WebSocketTransport,
    begin: (platform) => platform.sockets.at(-1).open(),
    packets: (platform, text) => {
      const packet =
        text === OPEN
          ? { id: 2, name: "open", data: new Uint8Array() }
          : { id: 3, name: "data", data: new TextEncoder().encode("hello") };
      return platform.sockets.at(-1).message(encodeBytes([packet]));
    },
    garbage: (platform) => platform.sockets.at(-1).message(new Uint8Array([63, 63])),
    fail: (platform) => platform.sockets.at(-1).drop(),
  },
];

function open(Transport, changes = {}) {
  const platform = new FakePlatform();
  const heard = [];
  const transport = new Transport(
    {
      platform,
      settings: freshSettings(),
      sessionUrl: "http://example.test/tcp/key",
      ack: 0,
      pingIntervalMs: 30000,
      ...changes,
    },
    {
      onalive: () => heard.at(-1) === "alive" || heard.push("alive"),
      onpacket: ({ id, name, data }) => heard.push([id, name, new TextDecoder().decode(data)]),
      onready: () => heard.push("ready"),
      onend: (outcome) => heard.push(outcome),
    },
  );
  transport.open();
  return { platform, transport, heard };
}

const packets = (heard) => heard.filter((one) => Array.isArray(one));

for (const { Transport, begin, packets: deliver, garbage, fail } of KINDS) {
  const name = Transport.transportName;

  test(`${name}: is in the table, and usable where the browser has what it needs`, () => {
    assert.equal(TRANSPORTS.get(name), Transport);
    assert.equal(Transport.isUsable(new FakePlatform()), true);
    assert.equal(Transport.isUsable({}), false);
  });

  test(`${name}: asks its own address, with an acknowledgement when there is one`, async () => {
    for (const [ack, query] of [
      [0, ""],
      [17, "?ack=17"],
    ]) {
      const { platform } = open(Transport, { ack });
      const made = [...platform.requests, ...platform.sockets, ...platform.sources];
      assert.equal(made.length, 1);
      assert.match(made[0].url, /^(http|ws):\/\/example\.test\/tcp\/key\//);
      assert.ok(made[0].url.endsWith(`/key/${name}${query}`));
    }
  });

  test(`${name}: delivers packets, and says that it is alive before`, async () => {
    const { platform, transport, heard } = open(Transport);
    await begin(platform);
    await deliver(platform, OPEN);
    assert.ok(heard.indexOf("alive") < heard.findIndex(Array.isArray));
    assert.deepEqual(packets(heard), [[2, "open", ""]]);
    assert.equal(transport.isAlive, true);
  });

  test(`${name}: decodes data`, async () => {
    const { platform, heard } = open(Transport);
    await begin(platform);
    await deliver(platform, HELLO);
    assert.deepEqual(packets(heard), [[3, "data", "hello"]]);
  });

  test(`${name}: a network error ends it, once`, async () => {
    const { platform, heard, transport } = open(Transport);
    await fail(platform);
    assert.deepEqual(heard, ["failed"]);
    assert.equal(transport.isAlive, false);
    assert.equal(platform.timers, 0);
  });

  test(`${name}: what is not a packet ends it`, async (context) => {
    context.mock.method(console, "warn", () => {});
    const { platform, heard } = open(Transport);
    await begin(platform);
    await garbage(platform);
    assert.equal(heard.at(-1), "failed");
    assert.deepEqual(packets(heard), []);
  });

  test(`${name}: silence ends it`, async () => {
    const { platform, heard, transport } = open(Transport);
    await platform.advance(46000);
    assert.deepEqual(heard, ["failed"]);
    assert.equal(transport.isAlive, false);
  });

  test(`${name}: after close nothing is heard, and nothing is left`, async () => {
    const { platform, transport, heard } = open(Transport);
    transport.close();
    await platform.advance(60000);
    assert.deepEqual(heard, []);
    assert.equal(platform.timers, 0);
    for (const request of platform.requests) assert.equal(request.isAborted, true);
    for (const socket of platform.sockets) assert.equal(socket.readyState, 3);
    for (const source of platform.sources) assert.equal(source.isClosed, true);
  });
}

for (const { Transport } of KINDS.slice(0, 3)) {
  const name = Transport.transportName;

  for (const [status, outcome] of [
    [404, "gone"],
    [500, "failed"],
    [503, "failed"],
  ]) {
    test(`${name}: status ${status} means ${outcome}`, async () => {
      const { platform, heard } = open(Transport);
      await platform.request(`/${name}`).respond(status);
      assert.deepEqual(heard, [outcome]);
    });
  }

  test(`${name}: never sends cookies to another origin, and keeps answers out of caches`, () => {
    const { platform } = open(Transport);
    const { options } = platform.request(`/${name}`);
    assert.deepEqual(options, {
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
    });
  });
}

test("xhrstream: packets come out wherever the stream is cut", async () => {
  const body = ` ${OPEN}x${HELLO}`;
  for (let cut = 0; cut <= body.length; cut++) {
    const { platform, heard } = open(XHRStreamTransport);
    const request = platform.request("/xhrstream");
    await request.stream();
    await request.write(body.slice(0, cut));
    await request.write(body.slice(cut));
    assert.deepEqual(packets(heard), [
      [2, "open", ""],
      [3, "data", "hello"],
    ]);
  }
});

test("xhrstream: a clean end between packets is clean, one inside a packet is not", async () => {
  for (const [body, outcome] of [
    [OPEN, "clean"],
    [`${OPEN}x`, "clean"],
    [OPEN.slice(0, -1), "failed"],
  ]) {
    const { platform, heard } = open(XHRStreamTransport);
    await platform.request("/xhrstream").stream();
    await platform.request("/xhrstream").write(body);
    await platform.request("/xhrstream").end();
    assert.equal(heard.at(-1), outcome);
  }
});

test("xhrstream: heartbeats keep it, six seconds without one end it", async () => {
  const { platform, heard, transport } = open(XHRStreamTransport);
  await platform.request("/xhrstream").stream();
  for (let beat = 0; beat < 5; beat++) {
    await platform.request("/xhrstream").write("x");
    await platform.advance(5000);
  }
  assert.deepEqual(heard, ["alive"]);
  await platform.advance(1000);
  assert.deepEqual(heard, ["alive", "failed"]);
  assert.equal(transport.isAlive, true);
});

test("xhrstream: headers without a byte are not a sign of life", async () => {
  const { platform, heard, transport } = open(XHRStreamTransport);
  await platform.request("/xhrstream").stream();
  await platform.advance(6000);
  assert.deepEqual(heard, ["failed"]);
  assert.equal(transport.isAlive, false);
});

test("longpoll: an empty answer is a clean end", async () => {
  const { platform, heard, transport } = open(LongPollTransport);
  await platform.advance(30000);
  await platform.request("/longpoll").respond(200, "");
  assert.deepEqual(heard, ["alive", "clean"]);
  assert.equal(transport.isAlive, true);
});

test("longpoll: half a packet is no clean end", async () => {
  const { platform, heard } = open(LongPollTransport);
  await platform.request("/longpoll").respond(200, HELLO.slice(0, 12));
  assert.equal(heard.at(-1), "failed");
});

test("longpoll does not stream, and waits for nothing", () => {
  assert.equal(LongPollTransport.isStreaming, false);
  assert.equal(open(LongPollTransport).transport.pauseMs, 0);
});

test("poll waits between its requests, unless the answer was a long one", async () => {
  const { platform, transport } = open(PollTransport, {
    settings: freshSettings({ POLL_AGAIN_BYTES: HELLO.length }),
  });
  assert.equal(transport.pauseMs, 2000);
  await platform.request("/poll").respond(200, HELLO);
  assert.equal(transport.pauseMs, 0);
});

test("sse: heartbeats keep it", async () => {
  const { platform, heard } = open(SSETransport);
  await platform.sources.at(-1).event("heartbeat");
  await platform.advance(30000);
  assert.deepEqual(heard, ["alive"]);
});

test("sse: an event that is no list of packets ends it", async (context) => {
  context.mock.method(console, "warn", () => {});
  for (const data of ["7", "[7]", '[["x","open"]]', "[null]"]) {
    const { platform, heard } = open(SSETransport);
    await platform.sources.at(-1).event("payload", data);
    assert.equal(heard.at(-1), "failed");
  }
});

test("websocket: goes to the same host, with wss where the page has https", () => {
  const { platform } = open(WebSocketTransport, { sessionUrl: "https://example.test/tcp/key" });
  assert.equal(platform.sockets[0].url, "wss://example.test/tcp/key/websocket");
});

test("websocket: is ready for packets when it is open, and sends them as bytes", async () => {
  const { platform, transport, heard } = open(WebSocketTransport);
  await platform.sockets[0].open();
  assert.deepEqual(heard, ["ready"]);
  transport.send([{ id: 1, name: "data", data: new Uint8Array([255]) }]);
  assert.deepEqual(
    [...platform.sockets[0].sent[0]],
    [...new TextEncoder().encode("11,114,data01,"), 255],
  );
});

test("websocket: an open one that says nothing is given up", async () => {
  const { platform, transport, heard } = open(WebSocketTransport);
  await platform.sockets[0].open();
  await platform.advance(6000);
  assert.deepEqual(heard, ["ready", "failed"]);
  assert.equal(transport.isAlive, false);
});

test("websocket: one that has become silent is asked, and given up without an answer", async () => {
  const { platform, heard } = open(WebSocketTransport);
  const [socket] = platform.sockets;
  await socket.open();
  await socket.message(encodeBytes([{ id: 2, name: "open", data: new Uint8Array() }]));
  heard.length = 0;
  await platform.advance(36000);
  assert.deepEqual(heard, ["ready"]);
  await platform.advance(6000);
  assert.deepEqual(heard, ["ready", "failed"]);
});

test("websocket: an answer to the question keeps it", async () => {
  const { platform, heard } = open(WebSocketTransport);
  const [socket] = platform.sockets;
  await socket.open();
  const ack = encodeBytes([{ id: 0, name: "ack", data: new TextEncoder().encode("1") }]);
  await socket.message(ack);
  for (let round = 0; round < 3; round++) {
    await platform.advance(36000);
    await socket.message(ack);
  }
  assert.ok(!heard.includes("failed"));
});

test("websocket: text messages and half packets end it", async () => {
  for (const message of ["11,204,open", new TextEncoder().encode("11,204,op")]) {
    const { platform, heard } = open(WebSocketTransport);
    await platform.sockets[0].open();
    await platform.sockets[0].message(message);
    assert.equal(heard.at(-1), "failed");
  }
});

test("websocket: a page whose policy forbids it goes on with the next", async () => {
  const platform = new FakePlatform();
  platform.WebSocket = class {
    constructor() {
      throw new DOMException("refused", "SecurityError");
    }
  };
  const { heard } = open(WebSocketTransport, { platform });
  await settle();
  assert.deepEqual(heard, ["failed"]);
});
