/**
 * A STOMP shell: each frame is shown as it is on the wire, but for the passcode.
 *
 * @import { Frame } from "../protocols/stomp/frame.js"
 */

import { STOMPClient } from "../protocols/stomp/stomp.js";
import { ConnectForm, element, note, onCompose } from "./demo.js";

const client = new STOMPClient();

/** @param {string} arrow @param {string} type @param {Record<string, string>} headers @param {string} body */
function show(arrow, type, headers, body) {
  const lines = Object.entries(headers).map((pair) => pair.join(": "));
  const text = [`${arrow} ${type}`, ...lines].join("\n");
  note(body === "" ? text : `${text}\n\n${body}`);
}

const form = new ConnectForm(
  ["destination", "subscribe-button", "unsubscribe", "text", "send"],
  (host, port) => {
    client.connect(host, port, element("login").value, element("passcode").value);
    if (client.socket !== null) client.socket.ontransport = (name) => form.transport(name);
  },
  () => {
    if (client.version === null) client.reset();
    else client.disconnect();
  },
);

client.onopen = () => show("\u2192", "CONNECT", {}, "");
client.onconnectedframe = () => form.opened();
client.onerrorframe = (frame) => form.problem(frame.headers["message"] ?? frame.body);
client.onerror = (error) => form.problem(error.message);
client.onclose = (code) => {
  const problem = element("problem");
  const said = problem.textContent ?? "";
  form.closed(code);
  if (problem.hidden) form.problem(said); // what the broker said last explains the close
};

const dispatch = client.onframe;
client.onframe = (frame) => {
  show("\u2190", frame.type, frame.headers, frame.body);
  dispatch(frame);
};

/** @param {() => void} act the connection may have gone between two presses */
function attempt(act) {
  try {
    act();
  } catch (error) {
    form.problem(/** @type {Error} */ (error).message);
  }
}

element("subscribe").addEventListener("submit", (event) => {
  event.preventDefault();
  const destination = element("destination").value;
  attempt(() => {
    const id = client.subscribe(destination);
    show("\u2192", "SUBSCRIBE", { destination, id }, "");
  });
});

element("unsubscribe").addEventListener("click", () => {
  const destination = element("destination").value;
  attempt(() => {
    client.unsubscribe(destination);
    show("\u2192", "UNSUBSCRIBE", { destination }, "");
  });
});

onCompose((text) => {
  const destination = element("destination").value;
  attempt(() => {
    client.send(text, destination);
    show("\u2192", "SEND", { destination }, text);
  });
});
