// @stomp/stompjs against /stomp: everything of STOMP 1.2, and a server that goes and comes back.

import assert from "node:assert/strict";
import { Client, ReconnectionTimeMode } from "@stomp/stompjs";
import { Inbox, say, url } from "./support.js";

const connections = new Inbox();
const heartBeats = new Inbox();
const messages = new Inbox();
let errors = 0;

const client = new Client({
  brokerURL: url,
  connectHeaders: { login: "a", passcode: "b", host: "/" },
  heartbeatIncoming: 2500,
  heartbeatOutgoing: 2500, // a machine that is busy for two periods would end it
  reconnectDelay: 100,
  reconnectTimeMode: ReconnectionTimeMode.LINEAR,
  splitLargeFrames: true,
  onConnect: (frame) => connections.put(frame),
  onStompError: () => (errors += 1),
  debug: (line) => line.startsWith("<<< PONG") && heartBeats.put(performance.now()),
});

/** A frame has been handled by the broker. */
const receipt = (id) => new Promise((resolve) => client.watchForReceipt(id, () => resolve()));

/** What a SUBSCRIBE needs to be heard before anything is sent. */
async function subscribe(destination, headers = {}) {
  const id = `subscribed-${destination}`;
  const done = receipt(id);
  client.subscribe(destination, (message) => messages.put(message), { receipt: id, ...headers });
  await done;
}

async function publish(destination, body, headers = {}) {
  const id = `sent-${Math.random()}`;
  const done = receipt(id);
  client.publish({ destination, headers: { receipt: id, ...headers }, ...body });
  await done;
}

client.activate();
const connected = await connections.take();
assert.equal(client.connectedVersion, "1.2");
assert.equal(client.webSocket.protocol, "v12.stomp");
assert.match(connected.headers["heart-beat"], /^[1-9]\d*,[1-9]\d*$/);
say("connected");

await subscribe("/topic/a");
for (const text of ["plain", "κόσμε 🌍", "", "line\nline\r\nend\0beyond"]) {
  await publish("/topic/a", { body: text }, { "content-type": "text/plain", note: "a:b\nc\\" });
  const message = await messages.take();
  assert.equal(message.body, text);
  assert.equal(message.headers.note, "a:b\nc\\");
}
say("text");

const bytes = new Uint8Array(300_000).map((_, index) => (index * 7919) >> 3);
bytes[0] = 0;
bytes[1] = 0xff;
await publish("/topic/a", { binaryBody: bytes });
assert.deepEqual(Buffer.from((await messages.take()).binaryBody), Buffer.from(bytes));
say("binary");

await publish("/topic/a", { body: "x".repeat(500_000) });
assert.equal((await messages.take()).body.length, 500_000);
say("large");

await subscribe("/queue/work", { ack: "client-individual" });
await publish("/queue/work", { body: "1" });
const acked = receipt("acked");
(await messages.take()).ack({ receipt: "acked" });
await acked;
say("acknowledged");

const transaction = client.begin();
client.publish({
  destination: "/topic/a",
  body: "in a transaction",
  headers: { transaction: transaction.id },
});
transaction.commit();
assert.equal((await messages.take()).body, "in a transaction");
say("transaction");

for (let count = 0; count < 1000; count += 1) {
  client.publish({ destination: "/topic/a", body: `${count}` });
}
for (let count = 0; count < 1000; count += 1) {
  assert.equal((await messages.take()).body, `${count}`);
}
say("thousand");

// The library takes the line end behind every frame for one too; those of silence are far apart.
let before = await heartBeats.take();
for (let count = 0; count < 2;) {
  const now = await heartBeats.take();
  if (now - before > 500) count += 1;
  before = now;
}
say("heart-beats");

await connections.take(); // the test kills the server, and starts another one
await subscribe("/topic/b");
await publish("/topic/b", { body: "after the restart" });
assert.equal((await messages.take()).body, "after the restart");
say("reconnected");

await client.deactivate();
assert.equal(errors, 0);
say("done");
process.exit(0);
