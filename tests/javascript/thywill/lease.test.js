import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG, newPage, settle } from "./support/page.js";

/** A page of a site whose broker reports no connections; it has connected. */
async function connected() {
  const page = newPage();
  const { push } = page.thywill;
  push.establishConnection = () => push.onEstablishConnectionComplete();
  push.closeConnection = () => {};
  const lease = { path: "/thywill/lease/", seconds: 15 };
  const parameters = { ...CONFIG.bootstrap_parameters, lease };
  page.thywill.bootstrap.fn({ ...CONFIG, bootstrap_parameters: parameters });
  await settle();
  return page;
}

test.beforeEach((t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(console, "error", () => {});
});

test("a page says that it is there, and says it again in time", async (t) => {
  const { site } = await connected();
  assert.equal(site.requests.length, 1);
  assert.equal(site.last.path, "/thywill/lease/");
  assert.deepEqual([site.last.body.uuid, site.last.body.leaving], ["u-1", undefined]);
  site.last.answer({});
  await settle();
  t.mock.timers.tick(15_000);
  assert.equal(site.requests.length, 2);
});

test("a lost answer ends nothing", async (t) => {
  const { site, thywill } = await connected();
  site.last.refuse("network");
  await settle();
  t.mock.timers.tick(15_000);
  assert.equal(site.requests.length, 2);
  assert.equal(thywill.state, "live");
});

test("a page that closes its connection says good-bye", async (t) => {
  const { site, thywill } = await connected();
  site.last.answer({});
  await settle();
  thywill.close();
  assert.equal(site.last.body.leaving, true);
  assert.equal(site.last.options.keepalive, true);
  t.mock.timers.tick(60_000);
  assert.equal(site.requests.length, 2);
});

test("a page that is not wanted any more is closed", async (t) => {
  const { site, thywill, heard } = await connected();
  site.last.refuse("disconnected");
  await settle();
  assert.equal(thywill.state, "closed");
  assert.deepEqual(heard, ["live", "closed", "disconnected"]);
  t.mock.timers.tick(60_000);
  assert.equal(site.requests.length, 1);
});

test("where the broker reports connections the page says nothing", async () => {
  const { site, thywill } = newPage();
  thywill.push.establishConnection = () => thywill.push.onEstablishConnectionComplete();
  thywill.bootstrap.fn(CONFIG);
  await settle();
  thywill.close();
  assert.equal(site.requests.length, 0);
});
