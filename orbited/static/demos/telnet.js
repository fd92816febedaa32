/** A terminal: what is typed goes as a line, what comes is shown as it comes. */

import { TCPSocket } from "../Orbited.js";
import { ConnectForm, onCompose, print } from "./demo.js";

/** @type {TCPSocket | null} */
let socket = null;

const form = new ConnectForm(
  ["text", "send"],
  (host, port) => {
    socket = new TCPSocket();
    socket.onopen = () => form.opened();
    socket.ontransport = (name) => form.transport(name);
    socket.onread = (text) => print(text.replaceAll("\r\n", "\n"));
    socket.onclose = (code) => {
      form.closed(code);
      print("\n[closed]\n");
    };
    socket.open(host, port);
  },
  () => socket?.close(),
);

// RFC 854 ends a line with both.
onCompose((text) => socket?.send(`${text}\r\n`));
