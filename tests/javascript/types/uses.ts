// A program in TypeScript that uses what Orbited ships: it has to compile as it is.

import { Orbited, TCPSocket } from "../../../orbited/static/Orbited.js";
import { STOMPClient } from "../../../orbited/static/protocols/stomp/stomp.js";
import type { Frame, Headers } from "../../../orbited/static/protocols/stomp/frame.js";

Orbited.settings.url = "https://comet.example/orbited/";
Orbited.settings.transports = ["websocket", "longpoll"];
Orbited.settings.streaming = false;

export function echo(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new TCPSocket();
    socket.onopen = () => socket.send(text);
    socket.onread = resolve;
    socket.ontransport = (name) => console.log(name ?? "none");
    socket.onclose = (code) => {
      if (code === Orbited.Errors.Unauthorized) reject(new Error("not allowed"));
    };
    socket.open("127.0.0.1", 7);
    const waiting: number = socket.bufferedAmount;
    console.log(socket.id, socket.readyState, socket.transport, waiting, String(socket));
  });
}

export function bytes(data: Uint8Array): void {
  const socket = new Orbited.TCPSocket();
  socket.onopen = () => socket.send(data);
  socket.onread = (received: Uint8Array) => console.log(received.length);
  socket.open("::1", "7", "bytes");
  socket.close();
  socket.reset();
}

export class News {
  readonly #client = new STOMPClient();

  constructor(onNews: (body: string, headers: Headers) => void) {
    const client = this.#client;
    client.onconnectedframe = () => {
      const id: string = client.subscribe("/topic/news", { ack: "client" });
      client.unsubscribe(id);
    };
    client.onmessageframe = (frame: Frame) => {
      client.ack(frame);
      onNews(frame.body, frame.headers);
    };
    client.onerror = (error) => console.warn(error.message);
    client.connect("127.0.0.1", 61613, "login", "passcode", {
      headers: { host: "news" },
      heartBeat: [10_000, 10_000],
    });
  }

  publish(text: string): void {
    this.#client.begin("t");
    this.#client.send(text, "/topic/news", { transaction: "t" });
    this.#client.send(new Uint8Array(4), "/topic/news");
    this.#client.commit("t");
    this.#client.disconnect({ receipt: "bye" });
  }
}
