import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { connected, FakeSocket } from "../../support/stomp.js";
import { negotiate } from "../../../../../orbited/static/protocols/stomp/heartbeat.js";

beforeEach(() => {
  globalThis.TCPSocket = FakeSocket;
});

// ---------------------------------------------------------------- heart-beats

for (const [ours, header, expected] of [
  [[0, 0], "10,10", [0, 0]],
  [[10, 20], undefined, [0, 0]],
  [[10, 20], "30,40", [40, 30]],
  [[50, 60], "30,40", [50, 60]],
  [[50, 0], "30,40", [50, 0]],
  [[0, 60], "30,40", [0, 60]],
  [[50, 60], "0,40", [50, 0]],
]) {
  test(`heart-beats of ${ours} and ${header} make ${expected}`, () => {
    const { sendEvery, expectEvery } = negotiate(ours, header);
    assert.deepEqual([sendEvery, expectEvery], expected);
  });
}

for (const header of ["", "1", "a,b", "-1,0", "1,2,3", "1.5,2"]) {
  test(`a heart-beat header without sense is an error: ${JSON.stringify(header)}`, () => {
    assert.throws(() => negotiate([1, 1], header), /not a heart-beat header/);
  });
}

test("beats are sent in time, and not while frames are", async () => {
  const { client, socket, platform } = connected("1.2", {
    heartBeat: [1000, 0],
    header: "heart-beat:0,1000\n",
  });
  await platform.advance(750);
  assert.deepEqual([...socket.written], [0x0a]);
  await platform.advance(700);
  client.send("", "/topic/a");
  socket.written = new Uint8Array();
  await platform.advance(700);
  assert.equal(socket.written.length, 0);
  await platform.advance(50);
  assert.deepEqual([...socket.written], [0x0a]);
});

test("a broker that is silent for two intervals is dead: 101", async () => {
  const { client, socket, platform } = connected("1.2", {
    heartBeat: [0, 1000],
    header: "heart-beat:1000,0\n",
  });
  const codes = [];
  client.onclose = (code) => codes.push(code);
  await platform.advance(1900);
  socket.receive("\n");
  await platform.advance(1999);
  assert.deepEqual(codes, []);
  await platform.advance(1);
  assert.deepEqual(codes, [101]);
  assert.equal(platform.timers, 0);
});

test("a machine that has slept gives the broker's beats the time to arrive", async () => {
  const { client, socket, platform } = connected("1.2", {
    heartBeat: [0, 1000],
    header: "heart-beat:1000,0\n",
  });
  const codes = [];
  client.onclose = (code) => codes.push(code);
  await platform.sleep(30000);
  await platform.advance(1999);
  assert.deepEqual(codes, []);
  socket.receive("\n");
  await platform.advance(1999);
  assert.deepEqual(codes, []);
  await platform.advance(1);
  assert.deepEqual(codes, [101]);
});
