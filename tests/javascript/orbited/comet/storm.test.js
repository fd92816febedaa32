import assert from "node:assert/strict";
import { test } from "node:test";

import { TCPSocket } from "../../../../orbited/static/comet/tcpsocket.js";
import { FakePlatform, freshSettings } from "../support/platform.js";
import { ModelServer, randomFrom } from "../support/server.js";

const LINES = 200;
const RUNS = Number(process.env.STORM_RUNS ?? 12);

/** Send numbered lines through an echo and see what comes back. */
async function storm(seed, { breakage, transports, refuses = [] }) {
  const random = randomFrom(seed);
  const platform = new FakePlatform();
  const server = new ModelServer(platform, { random, breakage, refuses });
  const settings = freshSettings({ transports, RETRY_CAP: 1000 });
  class Socket extends TCPSocket {
    static settings = settings;
    static platform = platform;
  }
  const socket = new Socket();
  const used = new Set();
  let [returned, isOpen, code] = ["", false, 0];
  socket.onopen = () => (isOpen = true);
  socket.onread = (text) => (returned += text);
  socket.onclose = (value) => (code = value);
  socket.ontransport = (name) => used.add(name);
  socket.open("echo", 7);
  for (let turn = 0; !isOpen && turn < 500; turn++) await platform.advance(100);
  let expected = "";
  for (let line = 0; line < LINES; line++) {
    socket.send(`line ${line}\n`);
    expected += `line ${line}\n`;
    if (random() < 0.5) await platform.advance(random() * 100);
  }
  for (let turn = 0; returned.length < expected.length && code === 0 && turn < 2000; turn++) {
    await platform.advance(100);
  }
  await platform.advance(2000);
  assert.equal(code, 0);
  assert.equal(server.received, expected);
  assert.equal(returned, expected);
  socket.reset();
  assert.equal(platform.timers < 20, true);
  return { used, opened: server.opened };
}

for (const transport of ["websocket", "xhrstream", "longpoll"]) {
  test(`nothing is lost or doubled on a network that breaks: ${transport}`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const { opened } = await storm(seed, { breakage: 0.05, transports: [transport] });
      assert.deepEqual([...new Set(opened)], [transport]);
    }
  });
}

test("nothing is lost or doubled when it breaks so often that transports change", async () => {
  const used = new Set();
  for (let seed = 1; seed <= RUNS; seed++) {
    const transports = ["websocket", "xhrstream", "longpoll"];
    const run = await storm(seed, { breakage: 0.2, transports });
    run.opened.forEach((name) => used.add(name));
  }
  assert.ok(used.has("websocket") && used.has("xhrstream"));
});

test("what never answers is passed over, and nothing is lost by it", async () => {
  const { used } = await storm(1, {
    breakage: 0,
    transports: ["websocket", "xhrstream", "longpoll"],
    refuses: ["websocket", "xhrstream"],
  });
  assert.deepEqual([...used], ["longpoll"]);
});
