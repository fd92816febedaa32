/** A STOMP client whose broker is the test. */

import assert from "node:assert/strict";

import { FrameParser } from "../../../../orbited/static/protocols/stomp/parser.js";
import { STOMPClient } from "../../../../orbited/static/protocols/stomp/stomp.js";
import { FakePlatform } from "./platform.js";

const bytes = (text) => new TextEncoder().encode(text);

/** A TCPSocket with the broker's end in the test's hand. */
export class FakeSocket {
  static all = [];
  readyState = 1;
  written = new Uint8Array();

  constructor() {
    FakeSocket.all.push(this);
  }
  open(...values) {
    this.opened = values;
    this.readyState = 2;
  }
  send(data) {
    assert.equal(this.readyState, 3);
    assert.ok(data instanceof Uint8Array);
    this.written = Uint8Array.of(...this.written, ...data);
  }
  close() {
    this.kill(103);
  }
  reset() {
    this.isReset = true;
    this.kill(103);
  }
  kill(code) {
    if (this.readyState === 5) return;
    this.readyState = 5;
    queueMicrotask(() => this.onclose(code));
  }
  connect() {
    this.readyState = 3;
    this.onopen();
  }
  receive(text) {
    this.onread(typeof text === "string" ? bytes(text) : text);
  }
  /** The frames written since the last look, as [type, headers, body]. */
  frames(version = "1.2") {
    const parser = new FrameParser();
    parser.version = version;
    const found = [...parser.parse(this.written)];
    this.written = new Uint8Array();
    return found.map(({ type, headers, body }) => [type, { ...headers }, body]);
  }
}

export function make() {
  const platform = new FakePlatform();
  class Client extends STOMPClient {
    static platform = platform;
  }
  return { client: new Client(), platform };
}

/** A client whose CONNECT has been answered. */
export function connected(version = "1.2", { heartBeat, header = "" } = {}) {
  const { client, platform } = make();
  client.connect("localhost", 61613, "guest", "secret", heartBeat ? { heartBeat } : {});
  const { socket } = client;
  socket.connect();
  socket.frames();
  const line = version === "1.0" ? "" : `version:${version}\n`;
  socket.receive(`CONNECTED\n${line}${header}\n\0\n`);
  return { client, socket, platform };
}
