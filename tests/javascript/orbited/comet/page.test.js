import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "../../../../orbited/static/comet/browser.js";
import { Settings } from "../../../../orbited/static/comet/settings.js";
import { settle } from "../support/platform.js";

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
