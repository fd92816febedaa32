import assert from "node:assert/strict";
import { test } from "node:test";
import { OrbitedStomp } from "../../../../static/thywill/push/orbited_stomp.js";
import { register } from "../../../../static/thywill/push/register.js";
import { CONFIG, newPage, settle } from "../support/page.js";

/** A STOMPClient that keeps what it is told; the test plays the broker. */
class FakeClient {
  frames = [];
  isReset = false;
  socket = null;

  connect(...args) {
    this.connected = args;
    this.socket = { transport: null, ontransport: () => {} };
  }

  subscribe(destination, headers) {
    this.frames.push({ type: "SUBSCRIBE", destination, headers });
    return headers.id ?? "1";
  }

  unsubscribe(destination, headers) {
    this.frames.push({ type: "UNSUBSCRIBE", destination, headers });
  }

  disconnect() {
    this.isDisconnected = true;
  }

  reset() {
    this.isReset = true;
  }

  /** The broker confirms what was sent last. */
  confirm() {
    const { headers } = this.frames.at(-1);
    this.onreceiptframe({ headers: { "receipt-id": headers.receipt } });
  }

  get ticket() {
    return this.connected[3];
  }
}

/** A page whose connection has been asked for; `random` is always one half. */
function connecting() {
  const page = newPage();
  const clients = [];
  const load = async () => {
    clients.push(new FakeClient());
    return clients.at(-1);
  };
  const connection = new OrbitedStomp(page.thywill, { load, random: () => 0.5 });
  register(page.thywill, connection, undefined);
  page.thywill.bootstrap.fn(CONFIG);
  return { ...page, clients, connection };
}

async function live() {
  const page = connecting();
  await settle();
  const [client] = page.clients;
  client.onconnectedframe({ headers: {} });
  client.confirm();
  return { ...page, client };
}

test.beforeEach((t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(console, "error", () => {});
});

test("the first connection shows the ticket of the page, as the client that the page is", async () => {
  const { clients, site } = connecting();
  await settle();
  assert.deepEqual(clients[0].connected.slice(0, 4), ["127.0.0.1", 61613, "u-1", "first-ticket"]);
  assert.equal(site.requests.length, 0);
});

test("the bootstrap is complete with the RECEIPT of the SUBSCRIBE, not before", async () => {
  const { clients, thywill } = connecting();
  let hasStarted = false;
  thywill.application.fn = () => (hasStarted = true);
  await settle();
  const [client] = clients;
  client.onopen();
  client.onconnectedframe({ headers: {} });
  const [{ type, destination, headers }] = client.frames;
  assert.deepEqual([type, destination], ["SUBSCRIBE", "/topic/thywill.client.u-1"]);
  client.onreceiptframe({ headers: { "receipt-id": "another" } });
  assert.equal(thywill.state, "connecting");
  assert.equal(hasStarted, false);
  client.onreceiptframe({ headers: { "receipt-id": headers.receipt } });
  assert.equal(thywill.state, "live");
  assert.equal(hasStarted, true);
  assert.equal(thywill.push.stomp, client);
});

test("messages arrive with their event and content type", async () => {
  const { client, thywill } = await live();
  const got = [];
  thywill.push.onReceipt = (message, meta) => got.push([message, meta]);
  client.onmessageframe({ headers: { "content-type": "text/plain" }, body: "héllo" });
  client.onmessageframe({
    headers: { "content-type": "application/json", event: "said" },
    body: '{"a":1}',
  });
  client.onmessageframe({ headers: {}, body: "bare" });
  assert.deepEqual(got, [
    ["héllo", { event: null, contentType: "text/plain" }],
    [{ a: 1 }, { event: "said", contentType: "application/json" }],
    ["bare", { event: null, contentType: "text/plain" }],
  ]);
});

test("a lost connection is made again, with a new ticket, after a random delay", async (t) => {
  const { client, clients, site, thywill, heard } = await live();
  client.onclose(101);
  assert.equal(client.isReset, true);
  assert.deepEqual(heard, ["live", "recovering", "connection-lost"]);
  t.mock.timers.tick(249);
  assert.equal(site.requests.length, 0);
  t.mock.timers.tick(1);
  assert.equal(site.last.path, "/thywill/ticket/");
  assert.deepEqual(site.last.body, { uuid: "u-1", token: "token" });
  site.last.answer({ ticket: "second-ticket", expires_in: 100 });
  await settle();
  assert.equal(clients[1].ticket, "second-ticket");
  clients[1].onconnectedframe({ headers: {} });
  clients[1].confirm();
  assert.equal(thywill.state, "live");
});

test("delays grow with each failure, and are short again after a stable connection", async (t) => {
  const { client, clients, site } = await live();
  client.onclose(101);
  for (const delay of [250, 500, 1000, 2000]) {
    const before = site.requests.length;
    t.mock.timers.tick(delay - 1);
    assert.equal(site.requests.length, before);
    t.mock.timers.tick(1);
    assert.equal(site.requests.length, before + 1);
    site.last.refuse("network");
    await settle();
  }
  t.mock.timers.tick(4000);
  site.last.answer({ ticket: "t", expires_in: 100 });
  await settle();
  clients[1].onconnectedframe({ headers: {} });
  clients[1].confirm();
  t.mock.timers.tick(10_000);
  clients[1].onclose(101);
  const before = site.requests.length;
  t.mock.timers.tick(250);
  assert.equal(site.requests.length, before + 1);
});

test("a connection that takes too long is given up for another one", async (t) => {
  const { clients, heard, site } = connecting();
  await settle();
  t.mock.timers.tick(30_000);
  assert.equal(clients[0].isReset, true);
  assert.deepEqual(heard, ["offline", "connection-lost"]);
  t.mock.timers.tick(250);
  assert.equal(site.last.path, "/thywill/ticket/");
});

test("an ERROR frame is told, and the connection is made again", async () => {
  const { client, heard, thywill } = await live();
  const errors = [];
  thywill.push.onError = (error) => errors.push([error.code, error.message]);
  client.onerrorframe({ headers: { message: "ticket expired" }, body: "" });
  client.onclose(201);
  assert.deepEqual(errors, [["broker", "ticket expired"]]);
  assert.deepEqual(heard, ["live", "recovering"]);
});

const ENDINGS = {
  "the broker's ERROR": (client) => {
    client.onerrorframe({ headers: { code: "disconnected", message: "Disconnected" }, body: "" });
    client.onclose(201);
  },
  "a word of a broker that cannot end it": (client) => {
    client.onmessageframe({ headers: { thywill: "disconnected" }, body: "" });
  },
};
for (const [way, end] of Object.entries(ENDINGS)) {
  test(`after ${way} the page stays closed`, async (t) => {
    const { client, site, heard, thywill } = await live();
    end(client);
    assert.deepEqual(heard.slice(-2), ["closed", "disconnected"]);
    t.mock.timers.tick(600_000);
    await settle();
    assert.equal(site.requests.length, 0);
    assert.equal(thywill.state, "closed");
  });
}

for (const code of ["unknown-client", "unknown-application", "not-allowed"]) {
  test(`after ${code} for a ticket nothing is tried any more`, async (t) => {
    const { client, site, heard, thywill } = await live();
    client.onclose(101);
    t.mock.timers.tick(250);
    site.last.refuse(code);
    await settle();
    assert.deepEqual(heard.slice(-2), ["closed", code]);
    t.mock.timers.tick(600_000);
    await settle();
    assert.equal(site.requests.length, 1);
    assert.equal(thywill.state, "closed");
  });
}

test("what a given up connection still says is not heard", async (t) => {
  const { client, clients, site, thywill, heard } = await live();
  const got = [];
  thywill.push.onReceipt = (message) => got.push(message);
  client.onclose(101);
  t.mock.timers.tick(250);
  site.last.answer({ ticket: "t", expires_in: 100 });
  await settle();
  client.onmessageframe({ headers: {}, body: "old" });
  client.onclose(101);
  client.onerror(new Error("late"));
  client.onconnectedframe({ headers: {} });
  client.confirm();
  assert.deepEqual(got, []);
  assert.deepEqual(heard, ["live", "recovering", "connection-lost"]);
  assert.equal(clients.length, 2);
});

test("before its ticket ends a live connection is prolonged with a new one", async (t) => {
  const { client, site, thywill } = await live();
  t.mock.timers.tick(69_299);
  assert.equal(site.requests.length, 0);
  t.mock.timers.tick(1);
  site.last.answer({ ticket: "new-ticket", expires_in: 200 });
  await settle();
  const renewal = client.frames.at(-1);
  assert.equal(renewal.type, "SUBSCRIBE");
  assert.equal(renewal.destination, "/topic/thywill.renew.u-1");
  assert.equal(renewal.headers.ticket, "new-ticket");
  client.confirm();
  await settle();
  const goodbye = client.frames.at(-1);
  assert.equal(goodbye.type, "UNSUBSCRIBE");
  assert.equal(goodbye.headers.id, renewal.headers.id);
  assert.equal(thywill.state, "live");
  t.mock.timers.tick(139_299);
  assert.equal(site.requests.length, 1);
  t.mock.timers.tick(1);
  assert.equal(site.requests.length, 2);
});

test("a renewal that finds nobody is tried again while the connection lives", async (t) => {
  const { site, thywill } = await live();
  t.mock.timers.tick(69_300);
  site.last.refuse("network");
  await settle();
  assert.equal(thywill.state, "live");
  t.mock.timers.tick(10_000);
  assert.equal(site.requests.length, 2);
});

test("a renewal that is refused ends the connection: the session is over", async (t) => {
  const { client, site, thywill } = await live();
  t.mock.timers.tick(69_300);
  site.last.refuse("unknown-client");
  await settle();
  assert.equal(client.isReset, true);
  assert.equal(thywill.state, "closed");
});

test("close says good-bye to the broker and stays away; open connects anew", async (t) => {
  const { client, clients, site, thywill } = await live();
  thywill.close();
  assert.equal(client.isDisconnected, true);
  client.onclose(103);
  t.mock.timers.tick(600_000);
  assert.equal(site.requests.length, 0);
  thywill.open();
  site.last.answer({ ticket: "again", expires_in: 100 });
  await settle();
  assert.equal(clients[1].ticket, "again");
});

test("close while a ticket is being fetched makes no connection", async (t) => {
  const { client, clients, site, thywill } = await live();
  client.onclose(101);
  t.mock.timers.tick(250);
  thywill.close();
  site.last.answer({ ticket: "t", expires_in: 100 });
  await settle();
  assert.equal(clients[1]?.connected, undefined);
  assert.equal(thywill.state, "closed");
});

test("a browser that is online again does not wait for the delay to end", async () => {
  const { client, site, connection } = await live();
  client.onclose(101);
  connection.retryNow();
  assert.equal(site.requests.length, 1);
  connection.retryNow();
  assert.equal(site.requests.length, 1);
});

test("a page that comes back from the history connects anew at once", async () => {
  const { client, site, connection, heard } = await live();
  connection.reconnect();
  assert.equal(client.isReset, true);
  assert.equal(site.requests.length, 1);
  assert.deepEqual(heard, ["live", "recovering", "connection-lost"]);
});

test("a client that cannot be loaded is a lost connection, tried again", async (t) => {
  const page = newPage();
  const load = async () => {
    throw Object.assign(new Error("cannot load"), { code: "connection-lost" });
  };
  const connection = new OrbitedStomp(page.thywill, { load, random: () => 0.5 });
  register(page.thywill, connection, undefined);
  page.thywill.bootstrap.fn(CONFIG);
  await settle();
  assert.deepEqual(page.heard, ["connection-lost"]);
  t.mock.timers.tick(250);
  assert.equal(page.site.last.path, "/thywill/ticket/");
});

test("while no transport works the page is recovering, with the same connection", async (t) => {
  const { client, clients, thywill, heard } = await live();
  client.socket.ontransport("websocket");
  client.socket.ontransport(null);
  assert.deepEqual(heard, ["live", "recovering", "connection-lost"]);
  client.socket.ontransport("longpoll");
  t.mock.timers.tick(60_000);
  assert.equal(thywill.state, "live");
  assert.deepEqual([clients.length, client.isReset], [1, false]);
});

test("the page is told the transport in use, and none while there is none", async () => {
  const { client, thywill } = await live();
  const heard = [];
  thywill.on("transport", (name) => heard.push(name));
  client.socket.ontransport("websocket");
  client.socket.ontransport("longpoll");
  client.onclose(101);
  assert.deepEqual(heard, ["websocket", "longpoll", null]);
});

test("what the ticket names beside the client's own destination is subscribed to first", async () => {
  const page = newPage();
  const client = new FakeClient();
  const connection = new OrbitedStomp(page.thywill, { load: async () => client });
  register(page.thywill, connection, undefined);
  const { push } = CONFIG.bootstrap_parameters;
  const destinations = ["/topic/thywill.application.chat"];
  const parameters = { ...CONFIG.bootstrap_parameters, push: { ...push, destinations } };
  page.thywill.bootstrap.fn({ ...CONFIG, bootstrap_parameters: parameters });
  await settle();
  client.onconnectedframe({ headers: {} });
  assert.deepEqual(
    client.frames.map(({ destination }) => destination),
    ["/topic/thywill.application.chat", "/topic/thywill.client.u-1"],
  );
  assert.equal(client.frames[0].headers.receipt, undefined);
});

test("after a log-in the renewed ticket names one destination more", async (t) => {
  const { client, site } = await live();
  t.mock.timers.tick(100_000);
  site.last.answer({ ticket: "t", expires_in: 100, destinations: ["/topic/thywill.user.7"] });
  await settle();
  client.confirm();
  await settle();
  assert.deepEqual(client.frames.at(-1).destination, "/topic/thywill.user.7");
});

test("a channel's next ticket is shown at the renewal destination, and confirmed", async () => {
  const { client, thywill } = await live();
  const renewed = thywill.push.renew("channel-ticket");
  const renewal = client.frames.at(-1);
  assert.equal(renewal.destination, "/topic/thywill.renew.u-1");
  assert.equal(renewal.headers.ticket, "channel-ticket");
  client.confirm();
  await renewed;
  const goodbye = client.frames.at(-1);
  assert.deepEqual([goodbye.type, goodbye.headers.id], ["UNSUBSCRIBE", renewal.headers.id]);
});

test("without a connection there is nobody to show a ticket to", async () => {
  const { client, thywill } = await live();
  client.onclose(102);
  await assert.rejects(thywill.push.renew("ticket"), { code: "connection-lost" });
});

test("a channel is subscribed to with its ticket, and confirmed", async () => {
  const { client, thywill } = await live();
  const subscribed = thywill.push.subscribe("/topic/c", "channel-ticket");
  const { type, destination, headers } = client.frames.at(-1);
  assert.deepEqual(
    [type, destination, headers.ticket],
    ["SUBSCRIBE", "/topic/c", "channel-ticket"],
  );
  client.confirm();
  await subscribed;
  thywill.push.unsubscribe("/topic/c", "c");
  thywill.push.unsubscribe("/topic/c", "c");
  assert.deepEqual(client.frames.at(-1).type, "UNSUBSCRIBE");
  assert.equal(client.frames.length, 3);
});

test("a channel hears when the connection ends before it is confirmed, or is not there", async () => {
  const { client, thywill } = await live();
  const subscribed = thywill.push.subscribe("/topic/c", "channel-ticket");
  client.onclose(101);
  await assert.rejects(subscribed, { code: "connection-lost" });
  await assert.rejects(thywill.push.subscribe("/topic/c", "t"), { code: "connection-lost" });
  thywill.push.unsubscribe("/topic/c", "c");
});

test("a channel's message goes to the channel, with its place", async () => {
  const { client, site, thywill } = await live();
  const room = thywill.channel("room:a");
  await settle();
  assert.deepEqual(site.last.body.channel, "room:a");
  const more = { destination: "/topic/c", ticket: "t", expires_in: 100, has_history: true };
  const whole = { epoch: "e", messages: [], more: false };
  site.last.answer({ ...more, ...whole, offset: 6, recovered: null });
  await settle();
  client.confirm();
  await settle();
  site.last.answer({ ...more, ...whole, offset: 6, recovered: true });
  await room.joined;
  const heard = [];
  room.on("said", (data, meta) => heard.push([data, meta.offset]));
  thywill.push.onReceipt = () => heard.push("not here");
  client.onmessageframe({
    headers: {
      channel: "room:a",
      event: "said",
      epoch: "e",
      offset: "7",
      "content-type": "application/json",
    },
    body: '{"text":"hi"}',
  });
  assert.deepEqual(heard, [[{ text: "hi" }, 7]]);
});
