import assert from "node:assert/strict";
import { test } from "node:test";
import { thywill as shared } from "../../../static/thywill/thywill.js";
import { CONFIG, newPage, settle } from "./support/page.js";

test.beforeEach((t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(console, "error", () => {});
  t.mock.method(console, "warn", () => {});
});

test("the page's object is the global thywill", () => {
  assert.equal(globalThis.thywill, shared);
});

test("application.fn runs once, when the push connection is confirmed, and ready resolves", async () => {
  const { thywill } = newPage();
  let runs = 0;
  thywill.application.fn = () => (runs += 1);
  thywill.push.establishConnection = () => {};
  const ready = thywill.application.ready();
  thywill.bootstrap.fn(CONFIG);
  await settle();
  assert.equal(runs, 0);
  thywill.push.onEstablishConnectionComplete();
  await ready;
  thywill.push.onEstablishConnectionComplete(); // as after a reconnection
  await thywill.application.ready();
  assert.equal(runs, 1);
  assert.equal(thywill.bootstrap.bootstrapComplete, true);
  assert.equal(thywill.push.bootstrapComplete, true);
  assert.equal(thywill.send.bootstrapComplete, true);
});

test("application.fn that is set late runs with ready", async () => {
  const { thywill } = newPage();
  thywill.push.establishConnection = () => thywill.push.onEstablishConnectionComplete();
  thywill.bootstrap.fn(CONFIG);
  let hasRun = false;
  thywill.application.fn = () => (hasRun = true);
  await thywill.application.ready();
  assert.equal(hasRun, true);
});

test("ready names the push component when no script has registered one", async () => {
  const { thywill } = newPage();
  const ready = thywill.application.ready();
  thywill.bootstrap.fn(CONFIG);
  await assert.rejects(ready, { code: "bootstrap-failed", component: "push" });
  await assert.rejects(thywill.application.ready(), { component: "push" });
});

test("ready names the push component when it throws", async () => {
  const { thywill } = newPage();
  thywill.push.establishConnection = () => {
    throw new Error("no sockets here");
  };
  thywill.bootstrap.fn(CONFIG);
  await assert.rejects(thywill.application.ready(), {
    component: "push",
    message: "push: Error: no sockets here",
  });
});

test("ready gives up after its limit, naming the component and its last trouble", async (t) => {
  const { thywill } = newPage();
  thywill.push.establishConnection = () => {};
  thywill.application.readySeconds = 5;
  const ready = thywill.application.ready();
  thywill.bootstrap.fn(CONFIG);
  thywill.push.onConnectionLost(new Error("closed with code 102"));
  t.mock.timers.tick(5000);
  await assert.rejects(ready, {
    component: "push",
    message: "push: not ready after 5 s (closed with code 102)",
  });
});

test("ready names the client interface when the configuration never comes", async (t) => {
  const { thywill } = newPage();
  const ready = thywill.application.ready();
  t.mock.timers.tick(30_000);
  await assert.rejects(ready, { component: "client_interface" });
});

test("a connection that comes after the limit still starts the application", async (t) => {
  const { thywill } = newPage();
  let hasRun = false;
  thywill.application.fn = () => (hasRun = true);
  thywill.push.establishConnection = () => {};
  const ready = thywill.application.ready();
  thywill.bootstrap.fn(CONFIG);
  t.mock.timers.tick(30_000);
  await assert.rejects(ready);
  thywill.push.onEstablishConnectionComplete();
  assert.equal(hasRun, true);
  await thywill.application.ready();
});

test("a connection refused for good closes the page and fails its bootstrap", async () => {
  const { thywill, heard } = newPage();
  thywill.push.establishConnection = () => {};
  const ready = thywill.application.ready();
  thywill.bootstrap.fn(CONFIG);
  thywill.push.onConnectionRefused(Object.assign(new Error("unknown"), { code: "unknown-client" }));
  await assert.rejects(ready, { component: "push" });
  assert.deepEqual(heard, ["closed", "unknown-client"]);
});

test("the state follows the connection, and is offline when it stays away", (t) => {
  const { thywill, heard } = newPage();
  thywill.push.establishConnection = () => {};
  thywill.bootstrap.fn(CONFIG);
  assert.equal(thywill.state, "connecting");
  thywill.push.onEstablishConnectionComplete();
  thywill.push.onConnectionLost("gone");
  t.mock.timers.tick(14_000);
  assert.equal(thywill.state, "recovering");
  t.mock.timers.tick(1000);
  thywill.push.onEstablishConnectionComplete();
  t.mock.timers.tick(60_000);
  assert.deepEqual(heard, ["live", "recovering", "gone", "offline", "live"]);
});

test("close ends the push connection until open", () => {
  const { thywill, heard } = newPage();
  const calls = [];
  thywill.push.establishConnection = () => calls.push("open");
  thywill.push.closeConnection = () => calls.push("close");
  thywill.bootstrap.fn(CONFIG);
  thywill.close();
  thywill.open();
  thywill.open();
  assert.deepEqual(calls, ["open", "close", "open"]);
  assert.deepEqual(heard, ["closed", "connecting"]);
});

test("a listener can leave, and one that throws does not disturb the others", (t) => {
  const reported = [];
  t.mock.method(console, "error", (error) => reported.push(error.message));
  const { thywill } = newPage();
  const heard = [];
  thywill.on("state", () => {
    throw new Error("mine");
  });
  const stop = thywill.on("state", (state) => heard.push(state));
  thywill.close();
  stop();
  thywill.open();
  assert.deepEqual(heard, ["closed"]);
  assert.deepEqual(reported, ["mine", "mine"]);
  assert.throws(() => thywill.on("state", "nothing"), TypeError);
});

test("send.fn posts as this client and resolves with the reply", async () => {
  const { thywill, site } = newPage();
  const confirmed = [];
  thywill.send.onConfirm = (confirmation) => confirmed.push(confirmation);
  const reply = thywill.send.fn("say", { text: "hi" });
  await settle();
  assert.equal(site.requests.length, 0); // nothing is known of the site yet
  thywill.push.establishConnection = () => {};
  thywill.bootstrap.fn(CONFIG);
  await settle();
  assert.equal(site.last.path, "/thywill/send/");
  assert.equal(site.last.options.csrfToken, "csrf");
  assert.deepEqual(site.last.body, {
    uuid: "u-1",
    token: "token",
    id: "1",
    message: { text: "hi" },
    command: "say",
  });
  site.last.answer({ id: "1", reply: { read: true } });
  assert.deepEqual(await reply, { read: true });
  assert.deepEqual(confirmed, [{ status: "ok", id: "1", reply: { read: true } }]);
});

test("send.fn with one argument sends a plain message, whatever it is", async () => {
  const { thywill, site } = newPage();
  thywill.push.establishConnection = () => {};
  thywill.bootstrap.fn(CONFIG);
  for (const message of ["text", "", null, 0, ["a"], { b: 1 }]) {
    const reply = thywill.send.fn(message);
    await settle();
    assert.deepEqual(site.last.body.message, message);
    assert.equal("command" in site.last.body, false);
    site.last.answer({ reply: null });
    assert.equal(await reply, null);
  }
});

test("a message that JSON cannot hold is refused at once and delays nothing", async () => {
  const { thywill, site } = newPage();
  thywill.push.establishConnection = () => {};
  thywill.bootstrap.fn(CONFIG);
  const circle = {};
  circle.self = circle;
  for (const message of [circle, 10n, undefined, () => {}]) {
    await assert.rejects(thywill.send.fn(message), { code: "invalid-message" });
  }
  await settle();
  assert.equal(site.requests.length, 0);
});

test("a message is sent as it was when the page sent it", async () => {
  const { thywill, site } = newPage();
  const message = { text: "before" };
  thywill.send.fn("say", message);
  message.text = "after";
  thywill.push.establishConnection = () => {};
  thywill.bootstrap.fn(CONFIG);
  await settle();
  assert.deepEqual(site.last.body.message, { text: "before" });
});

/** A page that has asked for something, and was told that its CSRF token is stale. */
async function stalePage(csrfToken) {
  const { thywill, site } = newPage();
  thywill.push.establishConnection = () => {};
  thywill.bootstrap.fn(structuredClone(CONFIG));
  site.csrfToken = csrfToken;
  const answer = thywill.request("/thywill/ticket/", {});
  answer.catch(() => {});
  await settle();
  site.last.refuse("csrf-failed");
  await settle();
  return { thywill, site, answer };
}

test("after a log-in elsewhere the page gets another CSRF token and asks again", async () => {
  const { thywill, site, answer } = await stalePage("fresh");
  assert.deepEqual(site.reads, ["/thywill/csrf/"]);
  assert.equal(site.last.options.csrfToken, "fresh");
  assert.equal(site.last.body.uuid, "u-1");
  site.last.answer({ ticket: "t" });
  assert.equal((await answer).ticket, "t");
  thywill.send.fn("next");
  await settle();
  assert.equal(site.last.options.csrfToken, "fresh");
  assert.equal(site.reads.length, 1);
});

test("a CSRF token that is refused again is not asked for a third time", async () => {
  const { site, answer } = await stalePage("fresh");
  site.last.refuse("csrf-failed");
  await assert.rejects(answer, { code: "csrf-failed" });
  assert.equal(site.requests.length, 2);
});

test("a site that is away while a CSRF token is asked for is no refusal", async () => {
  const { answer } = await stalePage(null);
  await assert.rejects(answer, { code: "network" });
});

test("a refused message is told to onError and to whoever waits for the reply", async () => {
  const { thywill, site } = newPage();
  const heard = [];
  thywill.send.onError = (error) => heard.push(error.code);
  thywill.push.establishConnection = () => {};
  thywill.bootstrap.fn(CONFIG);
  thywill.send.fn("nobody waits for this one");
  await settle();
  site.last.refuse("not-allowed");
  await settle();
  const reply = thywill.send.fn("but for this one");
  await settle();
  site.last.refuse("application-failed");
  await assert.rejects(reply, { code: "application-failed" });
  assert.deepEqual(heard, ["not-allowed", "application-failed"]);
});

test("what is pushed arrives as text or as JSON, as its content type says", () => {
  const { thywill, heard } = newPage();
  const got = [];
  thywill.push.onReceipt = (message, meta) => got.push([message, meta.event]);
  thywill.push.deliver('{"a": 1}', { event: "news", contentType: "application/json" });
  thywill.push.deliver('{"a": 1}', { event: null, contentType: "text/plain; charset=utf-8" });
  thywill.push.deliver("{broken", { event: null, contentType: "application/json" });
  assert.deepEqual(got, [
    [{ a: 1 }, "news"],
    ['{"a": 1}', null],
  ]);
  assert.equal(heard.length, 1);
});

test("an application that throws in onReceipt does not break the connection", () => {
  const { thywill } = newPage();
  thywill.push.onReceipt = () => {
    throw new Error("mine");
  };
  thywill.push.deliver("x", { event: null, contentType: "text/plain" });
});

test("transport changes are told once each", () => {
  const { thywill } = newPage();
  const heard = [];
  thywill.on("transport", (name) => heard.push(name));
  ["websocket", "websocket", null, "longpoll"].forEach((name) => thywill.push.onTransport(name));
  assert.deepEqual(heard, ["websocket", null, "longpoll"]);
  assert.equal(thywill.push.transport, "longpoll");
});

test("the names of 2011 are all there", () => {
  const { thywill } = newPage();
  const functions = [
    thywill.bootstrap.fn,
    thywill.bootstrap.checkCompletion,
    thywill.loader.js.fn,
    thywill.loader.js.onError,
    thywill.push.onReceipt,
    thywill.push.onError,
    thywill.push.onEstablishConnectionComplete,
    thywill.send.fn,
    thywill.send.onConfirm,
    thywill.send.onError,
    thywill.application.ready,
  ];
  functions.forEach((each) => assert.equal(typeof each, "function"));
  for (const [object, name] of [
    [thywill, "config"],
    [thywill.push, "establishConnection"],
    [thywill.push, "stomp"],
    [thywill.application, "fn"],
    [thywill.send, "path"],
    [thywill.send, "dataType"],
  ]) {
    assert.ok(name in object, name);
  }
});
