// stompjs 2.3 of 2013 against /stomp: STOMP 1.1 as text, which is all that it knows.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Inbox, say, url } from "./support.js";

const { Stomp } = createRequire(import.meta.url)("stompjs/lib/stomp.js");
Stomp.setInterval = (milliseconds, callback) => setInterval(callback, milliseconds);
Stomp.clearInterval = (id) => clearInterval(id);

const messages = new Inbox();
const receipts = new Inbox();
const heartBeats = new Inbox();
const socket = new WebSocket(url, ["v10.stomp", "v11.stomp"]);
const client = Stomp.over(socket);
client.debug = (line) => line.startsWith("<<< PONG") && heartBeats.put(line);
client.heartbeat = { outgoing: 2500, incoming: 2500 };
client.onreceipt = (frame) => receipts.put(frame.headers["receipt-id"]);

const connected = await new Promise((resolve, reject) => client.connect("a", "b", resolve, reject));
assert.equal(connected.headers.version, "1.1");
assert.equal(socket.protocol, "v11.stomp");
say("connected");

const subscription = client.subscribe("/topic/a", (message) => messages.put(message), {
  ack: "client",
  receipt: "subscribed",
});
assert.equal(await receipts.take(), "subscribed");
client.send("/topic/a", { "content-type": "text/plain", receipt: "sent" }, "κόσμε 🌍\n\nend");
const message = await messages.take();
assert.equal(message.body, "κόσμε 🌍\n\nend");
message.ack({ receipt: "acked" });
assert.deepEqual([await receipts.take(), await receipts.take()], ["sent", "acked"]);
say("text");

for (let count = 0; count < 1000; count += 1) client.send("/topic/a", {}, `${count}`);
for (let count = 0; count < 1000; count += 1) {
  const numbered = await messages.take();
  assert.equal(numbered.body, `${count}`);
  numbered.ack();
}
say("thousand");

client.send("/topic/a", {}, "x".repeat(100_000));
assert.equal((await messages.take()).body.length, 100_000);
say("large");

await heartBeats.take();
await heartBeats.take();
say("heart-beats");

subscription.unsubscribe();
await new Promise((resolve) => client.disconnect(resolve));
say("done");
process.exit(0);
