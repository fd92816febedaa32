/**
 * A small model of the server, with an echo behind it, on a network that breaks at random: requests
 * that do not arrive, answers that get lost, streams that are cut in the middle of a packet.
 */

import { encodeBytes, encodeText, PacketParser } from "../../../../orbited/static/comet/packets.js";
import { FakeRequest, FakeWebSocket } from "./platform.js";

const encoder = new TextEncoder();
const text = (bytes) => new TextDecoder().decode(bytes);

/** Numbers that look random and are the same each time. */
export function randomFrom(seed) {
  let state = seed + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

export class ModelServer {
  /** What reached the backend, in order. */
  received = "";
  /** Names of the transports that were opened. */
  opened = [];
  #platform;
  #random;
  #breakage;
  #down = [];
  #lastDown = 0;
  #lastUp = 0;
  #carrier = null;
  #hasBackend = false;
  #refuses;

  /**
   * @param breakage 0 to 1: how often things break
   * @param refuses names of the transports that never answer
   */
  constructor(platform, { random, breakage = 0, refuses = [] }) {
    this.#platform = platform;
    this.#random = random;
    this.#breakage = breakage;
    const server = this;
    platform.random = random;
    platform.fetch = (url, init) => {
      const request = new FakeRequest(url, init);
      server.#after(() => server.#request(request));
      return request.promise;
    };
    platform.WebSocket = class extends FakeWebSocket {
      constructor(url) {
        super(url);
        server.#after(() => server.#upgrade(this));
      }
      #due = 0;
      send(message) {
        super.send(message);
        this.#due = Math.max(this.#due, platform.now() + server.#delay());
        platform.setTimeout(() => server.#message(this, message), this.#due - platform.now());
      }
    };
    this.#refuses = refuses;
    this.#push("opt", "pingTimeout,30");
    this.#push("opt", "pingInterval,30");
  }

  #breaks() {
    return this.#random() < this.#breakage;
  }

  #delay() {
    return 1 + this.#random() * 40;
  }

  #after(callback) {
    this.#platform.setTimeout(callback, this.#delay());
  }

  #push(name, data) {
    this.#lastDown += 1;
    const packet = {
      id: this.#lastDown,
      name,
      data: typeof data === "string" ? encoder.encode(data) : data,
    };
    this.#down.push(packet);
    this.#carrier?.write([packet]);
  }

  #acknowledge(url) {
    const ack = Number(new URL(url).searchParams.get("ack") ?? 0);
    this.#down = this.#down.filter(({ id }) => id > ack);
  }

  /** Packets came up. */
  #accept(packets) {
    for (const { id, name, data } of packets) {
      if (id === 0) {
        if (name === "ack") this.#down = this.#down.filter((one) => one.id > Number(text(data)));
        continue;
      }
      if (id <= this.#lastUp) continue;
      if (id !== this.#lastUp + 1) throw new Error(`a gap before packet ${id}`);
      this.#lastUp = id;
      if (name !== "data") continue;
      if (this.#hasBackend) {
        this.received += text(data);
        this.#push("data", data);
      } else {
        this.#hasBackend = true;
        this.#push("data", "1");
      }
    }
  }

  #request(request) {
    if (request.isAborted) return;
    if (request.path.endsWith("/tcp")) return void request.respond(200, "k");
    if (this.#breaks()) return void request.fail();
    if (request.method === "POST") {
      const parser = new PacketParser({ isBase64: true, maxArgumentBytes: 1e6 });
      this.#acknowledge(request.url);
      this.#accept([...parser.parse(encoder.encode(request.body))]);
      return void (this.#breaks() ? request.fail() : request.respond(200, "OK"));
    }
    const name = request.path.split("/").at(-1);
    if (this.#refuses.includes(name)) return;
    this.#acknowledge(request.url);
    this.#open(name, name === "longpoll" ? this.#longpoll(request) : this.#stream(request));
  }

  #open(name, carrier) {
    this.opened.push(name);
    this.#carrier?.end();
    this.#carrier = carrier;
    carrier.write([...this.#down, { id: this.#lastDown, name: "open", data: new Uint8Array() }]);
  }

  #longpoll(request) {
    return {
      write: (packets) => {
        this.#carrier = null;
        void (this.#breaks() ? request.fail() : request.respond(200, asServer(packets)));
      },
      end: () => void request.respond(200, ""),
    };
  }

  #stream(request) {
    let written = 0;
    let isBroken = false;
    let chain = request.stream();
    const later = (step) => (chain = chain.then(step).catch(() => {}));
    const write = async (piece) => {
      if (isBroken || request.isAborted) return;
      isBroken = this.#breaks();
      await request.write(isBroken ? piece.slice(0, piece.length * this.#random()) : piece);
      if (!isBroken) return;
      if (this.#carrier === carrier) this.#carrier = null;
      await request.fail();
    };
    const end = () => later(() => isBroken || request.isAborted || request.end());
    const carrier = {
      end,
      write: (packets) => {
        const piece = asServer(packets);
        later(() => write(piece));
        written += piece.length;
        if (written < 3000 || this.#carrier !== carrier) return;
        this.#carrier = null;
        end();
      },
    };
    return carrier;
  }

  #upgrade(socket) {
    if (socket.readyState !== 0) return;
    if (this.#refuses.includes("websocket") || this.#breaks()) return void socket.drop();
    this.#acknowledge(socket.url);
    void socket.open();
    this.#open("websocket", {
      socket,
      write: (packets) => {
        if (socket.readyState !== 1) return;
        if (this.#breaks()) return void socket.drop();
        void socket.message(encodeBytes(packets));
      },
      end: () => void socket.drop(),
    });
  }

  #message(socket, message) {
    if (socket.readyState !== 1 || this.#carrier?.socket !== socket) return;
    if (this.#breaks()) return void socket.drop();
    const parser = new PacketParser({ isBase64: false, maxArgumentBytes: 1e6 });
    this.#accept([...parser.parse(message)]);
    const ack = { id: 0, name: "ack", data: encoder.encode(String(this.#lastUp)) };
    if (socket.readyState === 1) void socket.message(encodeBytes([ack]));
  }
}

/** The server leaves an absent argument out. */
function asServer(packets) {
  return packets
    .map((packet) =>
      packet.data.length > 0
        ? encodeText([packet])
        : `1${String(packet.id).length},${packet.id}0${packet.name.length},${packet.name}`,
    )
    .join("");
}
