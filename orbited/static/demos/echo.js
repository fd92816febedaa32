/** Lines to an echo server, and how long each takes there and back. */

import { TCPSocket } from "../Orbited.js";
import { ConnectForm, note, onCompose } from "./demo.js";

/** @type {TCPSocket | null} */
let socket = null;
/** When each line was sent that has not come back. @type {number[]} */
let sent = [];
let rest = "";

const form = new ConnectForm(
  ["text", "send"],
  (host, port) => {
    sent = [];
    rest = "";
    socket = new TCPSocket();
    socket.onopen = () => form.opened();
    socket.ontransport = (name) => form.transport(name);
    socket.onclose = (code) => form.closed(code);
    socket.onread = (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const milliseconds = performance.now() - (sent.shift() ?? performance.now());
        note(line, `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`);
      }
    };
    socket.open(host, port);
  },
  () => socket?.close(),
);

onCompose((text) => {
  sent.push(performance.now());
  socket?.send(`${text}\n`);
});
