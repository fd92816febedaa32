import assert from "node:assert/strict";
import { test } from "node:test";
import { Channels } from "../../../static/thywill/channels.js";
import { CONFIG, newPage, settle } from "./support/page.js";

/** A page's channels; the push connection does all at once. */
function channels(told = {}) {
  const { site, thywill } = newPage();
  const parameters = { ...CONFIG.bootstrap_parameters, channels: told };
  thywill.config = { ...CONFIG, bootstrap_parameters: parameters };
  return { site, channels: new Channels(thywill) };
}

const ANSWER = {
  destination: "/topic/c",
  ticket: "t",
  expires_in: null,
  has_history: false,
  recovered: null,
};

test("one name is one object, until it was left", () => {
  const { channels: all } = channels();
  const room = all.get("room:a");
  assert.equal(all.get("room:a"), room);
  assert.notEqual(all.get("room:b"), room);
  room.leave();
  assert.notEqual(all.get("room:a"), room);
});

test("a refused channel can be asked for again", async () => {
  const { site, channels: all } = channels();
  all.connected();
  const room = all.get("room:a");
  await settle();
  site.last.refuse("not-allowed");
  await assert.rejects(room.joined, { code: "not-allowed" });
  assert.notEqual(all.get("room:a"), room);
});

test("it joins when there is a connection, and after the page has set its listeners", async () => {
  const { site, channels: all } = channels();
  all.get("room:a");
  await settle();
  assert.equal(site.requests.length, 0);
  all.connected();
  assert.equal(site.requests.length, 1);
  all.get("room:b");
  assert.equal(site.requests.length, 1);
  await settle();
  assert.equal(site.requests.length, 2);
});

test("what came with the page is used once", async () => {
  const { site, channels: all } = channels({ "room:a": ANSWER });
  all.connected();
  const room = all.get("room:a");
  await room.joined;
  assert.equal(site.requests.length, 0);
  all.connected();
  await settle();
  assert.equal(site.requests.length, 1);
});

test("a message of a channel that the page is not in is dropped", () => {
  const { channels: all } = channels();
  all.receive("hi", { channel: "room:z", event: "said" });
});

test("channels are bounded", async () => {
  const { channels: all } = channels();
  all.maxChannels = 2;
  all.get("room:a");
  const room = all.get("room:b");
  await assert.rejects(all.get("room:c").joined, { code: "too-many-channels" });
  room.leave();
  assert.equal(all.get("room:c").state, "joining");
});

test("a page that is refused for good is in no channel any more", async () => {
  const { channels: all } = channels();
  const room = all.get("room:a");
  all.refuse(Object.assign(new Error("reload"), { code: "unknown-client" }));
  await assert.rejects(room.joined, { code: "unknown-client" });
});
