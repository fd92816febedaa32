import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "../../../../orbited/static/comet/browser.js";
import { Settings } from "../../../../orbited/static/comet/settings.js";
import { FakePlatform, settle } from "../support/platform.js";
import { bytes, data, gets, opened, posts, sent } from "../support/session.js";

test("the server is found above the folder that Orbited.js came from", () => {
  const { url } = new Settings();
  assert.match(url, /\/orbited\/$/);
});

test("the three old settings change parts of the address", () => {
  const settings = new Settings();
  settings.url = "http://127.0.0.1:8001/comet/";
  assert.deepEqual(
    [settings.hostname, settings.port, settings.protocol],
    ["127.0.0.1", 8001, "http"],
  );
  settings.hostname = "push.example";
  settings.protocol = "https";
  settings.port = 444;
  assert.equal(settings.url, "https://push.example:444/comet/");
  settings.port = 443;
  assert.equal(settings.url, "https://push.example/comet/");
  assert.equal(settings.port, 443);
});

test("Orbited is a global, and the first one stays when the file is loaded twice", async () => {
  const { Orbited, TCPSocket } = await import("../../../../orbited/static/Orbited.js");
  const again = await import("../../../../orbited/static/Orbited.js?again");
  assert.equal(globalThis.Orbited, Orbited);
  assert.notEqual(again.Orbited, Orbited);
  assert.equal(Orbited.TCPSocket, TCPSocket);
  assert.equal(Orbited.Errors.Unauthorized, 106);
  assert.equal(Orbited.Statuses.ServerClosedConnection, 201);
  assert.equal(Orbited.base64.decode(Orbited.base64.encode("\x00\xff")), "\x00\xff");
  assert.deepEqual(Orbited.utf8.decode(`${Orbited.utf8.encode("é")}\xc3`), ["é", 2]);
});

test("old pages find every name of 0.7", async () => {
  const { Orbited } = await import("../../../../orbited/static/Orbited.js");
  await import("../../../../orbited/static/protocols/stomp/stomp.js");
  assert.equal(Orbited.getLogger("page"), Orbited.loggers.page);
  assert.equal(typeof Orbited.getLogger("page").debug, "function");
  for (const name of ["XHRStream", "LongPoll", "Poll", "HTMLFile", "SSE"]) {
    assert.equal(typeof Orbited.CometTransports[name], "function");
  }
  for (const name of ["XSDR", "singleton", "JSON", "util"]) assert.ok(name in Orbited, name);
  assert.equal(typeof Orbited.test.stompdispatcher.send, "function");
  assert.equal(globalThis.STOMP_DEBUG, false);
  assert.equal(typeof globalThis.getStompLogger("page").debug, "function");
  assert.equal(typeof globalThis.LineProtocol, "function");
  assert.equal(typeof globalThis.STOMPClient, "function");
});

test("the old addresses are parts that can be changed", async () => {
  const { Orbited } = await import("../../../../orbited/static/Orbited.js");
  const url = new Orbited.URL("http://a.example.com:8001/tcp?x=1&y=2#z");
  assert.deepEqual(
    [url.protocol, url.domain, url.port, url.path, url.qs, url.hash],
    ["http", "a.example.com", 8001, "/tcp", "x=1&y=2", "z"],
  );
  url.setQsParameter("ack", 7);
  url.removeQsParameter("x");
  url.mergeQs("y=3");
  assert.equal(url.render(), "http://a.example.com:8001/tcp?y=3&ack=7#z");
  assert.ok(url.isSamePort("http://b.example.com:8001/"));
  assert.ok(!url.isSameDomain("http://b.example.com:8001/"));
  assert.ok(url.isSameDomain("/elsewhere"));
  assert.ok(url.isSubDomain("http://example.com:8001/"));
  assert.ok(!url.isSubDomain("http://ample.com:8001/"));
  assert.equal(new Orbited.URL("https://example.com").render(), "https://example.com/");
  assert.equal(new Orbited.URL("/only/a/path").render(), "/only/a/path");
  assert.throws(() => new Orbited.URL("http://example.com:no/"), /Invalid _url/);
});

test("old pages choose a transport with a function", async (context) => {
  const { Orbited, TCPSocket } = await import("../../../../orbited/static/Orbited.js");
  const { transports } = Orbited.settings;
  const { platform } = TCPSocket;
  context.after(() => Object.assign(Orbited.settings, { transports }));
  context.after(() => Object.assign(TCPSocket, { platform }));
  TCPSocket.platform = new FakePlatform();
  assert.equal(Orbited.util.chooseTransport(), Orbited.CometTransports.WebSocket);
  Orbited.util.chooseTransport = () => Orbited.CometTransports.XHRStream;
  assert.deepEqual(Orbited.settings.transports, ["xhrstream"]);
  assert.equal(Orbited.util.chooseTransport(), Orbited.CometTransports.XHRStream);
});

test("last words go by a request that outlives the page, else by a beacon", async (context) => {
  const calls = [];
  context.mock.method(globalThis, "fetch", async (url, init) => {
    calls.push([url, init.method, init.body, init.keepalive, init.credentials]);
    throw new TypeError("nobody sees this");
  });
  browser.sendLast("http://example.test/tcp/key", "bye");
  await settle();
  assert.deepEqual(calls, [["http://example.test/tcp/key", "POST", "bye", true, "same-origin"]]);

  const { Request } = globalThis;
  context.after(() => Object.assign(globalThis, { Request }));
  globalThis.Request = class {};
  navigator.sendBeacon = () => true;
  context.after(() => delete navigator.sendBeacon);
  const beacons = context.mock.method(navigator, "sendBeacon");
  browser.sendLast("http://example.test/tcp/key", "bye");
  assert.deepEqual(beacons.mock.calls[0].arguments, ["http://example.test/tcp/key", "bye"]);
});

test("what happens to the page reaches its sessions", async (context) => {
  const window = new EventTarget();
  window.document = new EventTarget();
  globalThis.window = window;
  context.after(() => delete globalThis.window);
  const lifecycle = await import("../../../../orbited/static/comet/lifecycle.js?page");
  const heard = [];
  const resident = {
    wake: () => heard.push("wake"),
    look: () => heard.push("look"),
    rest: () => heard.push("rest"),
    leave: () => heard.push("leave"),
  };
  lifecycle.add(resident);
  lifecycle.add({ wake() {}, look() {}, rest() {}, leave() {} });
  const fire = (target, name, properties = {}) =>
    target.dispatchEvent(Object.assign(new Event(name), properties));

  for (const [target, name, properties, expected] of [
    [window, "online", {}, ["wake"]],
    [window, "pagehide", { persisted: true }, ["rest"]],
    [window, "pageshow", { persisted: true }, ["wake"]],
    [window, "pageshow", { persisted: false }, []],
    [window, "pagehide", { persisted: false }, ["leave"]],
    [window.document, "resume", {}, ["wake"]],
    [window.document, "visibilitychange", {}, ["look"]],
  ]) {
    heard.length = 0;
    fire(target, name, properties);
    assert.deepEqual(heard, expected, name);
  }
  heard.length = 0;
  window.document.hidden = true;
  fire(window.document, "visibilitychange");
  lifecycle.remove(resident);
  fire(window, "online");
  assert.deepEqual(heard, []);
});

test("a network that comes back is used at once", async () => {
  const { platform, session } = await opened("xhrstream");
  await platform.request("/xhrstream").fail();
  session.wake();
  await settle();
  assert.equal(gets(platform, "/xhrstream").length, 2);
});

test("a connection of the old network is not trusted on the new one", async () => {
  const { platform, session } = await opened("websocket");
  session.wake();
  await settle();
  assert.equal(platform.sockets.length, 2);
  assert.equal(platform.sockets[0].readyState, 3);
});

test("a POST that hangs in the old network is repeated at once", async () => {
  const { platform, session } = await opened("xhrstream");
  session.send(bytes("a"));
  await settle();
  session.wake();
  await platform.advance(200);
  assert.equal(posts(platform)[0].isAborted, true);
  assert.equal(posts(platform).length, 2);
});

test("a page that is looked at again asks whether its websocket lives", async () => {
  const { platform, session } = await opened("websocket");
  session.look();
  await settle();
  assert.deepEqual(sent(platform.sockets[0]).at(-1), [1, "ping", ""]);
  await platform.advance(6200);
  assert.equal(platform.sockets.length, 2);
});

test("a page that is looked at again opens a stream anew that was silent meanwhile", async () => {
  const { platform, session } = await opened("xhrstream");
  platform.time += 30000; // no timer has run
  session.look();
  await platform.advance(200);
  assert.equal(gets(platform, "/xhrstream").length, 2);
});

test("a page that is put aside lets go of its transport, and goes on when it comes back", async () => {
  const { platform, session, heard } = await opened("xhrstream");
  session.rest();
  await platform.advance(1000);
  assert.equal(platform.request("/xhrstream").isAborted, true);
  assert.equal(gets(platform, "/xhrstream").length, 1);
  session.wake();
  await platform.request("/xhrstream").stream();
  await platform.request("/xhrstream").write(data(3, "meanwhile"));
  assert.deepEqual(heard, ["meanwhile"]);
});

test("a page that goes away says so, with what is left, and hears nothing more", async () => {
  const { platform, session, heard } = await opened("longpoll");
  session.send(bytes("a"));
  session.leave();
  await settle();
  assert.deepEqual(
    platform.last.map(({ body }) => body),
    [`${data(1, "a")}11,205,close`],
  );
  assert.deepEqual(heard, []);
  assert.equal(platform.timers, 0);
});

test("a page that goes away with too much to say only says that it goes", async () => {
  const { platform, session } = await opened("longpoll");
  session.send(new Uint8Array(100_000));
  session.leave();
  assert.match(platform.last[0].body, /^11,.05,close$/);
});
