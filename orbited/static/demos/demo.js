/**
 * What the demos do alike: connect, tell the state, and keep a log with an end.
 *
 * Host and port may stand in the address of the page: `echo.html?host=localhost&port=7001`. Nothing
 * connects before somebody presses the button.
 */

import { Orbited } from "../Orbited.js";
import { completePage } from "./frame.js";

/** What a code of onclose() means to a reader. @type {Record<number, string>} */
const SENTENCES = {
  101: "Nothing was heard from the server for too long.",
  102: "The server did not understand, or gave no session.",
  104: "The remote end took too long to answer.",
  106: "The access list of the server does not allow this address.",
  108: "The remote end refused the connection.",
};

/** Entries of a log; older ones go. */
const MAX_ENTRIES = 500;

/** Characters of a terminal; older ones go. */
const MAX_CHARACTERS = 100_000;

/** @template {HTMLElement} [E=HTMLInputElement] @param {string} id @returns {E} */
export function element(id) {
  return /** @type {E} */ (/** @type {unknown} */ (document.getElementById(id)));
}

/** Show what is newest, unless the reader has scrolled up. @param {HTMLElement} box @param {() => void} add */
function keepAtEnd(box, add) {
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  add();
  if (isAtEnd) box.scrollTop = box.scrollHeight;
}

/** Add a line to the log. @param {string} text @param {string} [note] */
export function note(text, note = "") {
  const log = element("log");
  const item = document.createElement("li");
  item.append(text);
  if (note !== "") {
    const small = document.createElement("small");
    small.textContent = ` ${note}`;
    item.append(small);
  }
  keepAtEnd(log, () => log.append(item));
  while (log.childElementCount > MAX_ENTRIES) log.firstElementChild?.remove();
}

/** Add text to the terminal. @param {string} text */
export function print(text) {
  const screen = element("screen");
  keepAtEnd(screen, () => {
    screen.textContent = ((screen.textContent ?? "") + text).slice(-MAX_CHARACTERS);
  });
}

/**
 * The form to connect with.
 */
export class ConnectForm {
  #open;
  #close;
  #isConnected = false;
  #controls;

  /**
   * @param {string[]} controls ids of what can be used while the connection is open; the first one
   *     gets the focus then
   * @param {(host: string, port: string) => void} open
   * @param {() => void} close
   */
  constructor(controls, open, close) {
    this.#controls = controls;
    this.#open = open;
    this.#close = close;
    completePage();
    const query = new URLSearchParams(location.search);
    element("host").value = query.get("host") ?? "localhost";
    element("port").value = query.get("port") ?? "";
    element("connect").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#toggle();
    });
    element("toggle").disabled = false; // before, the browser itself would send the form
  }

  /** The connection is open. */
  opened() {
    this.#enable(true);
    element(this.#controls[0] ?? "text").focus();
  }

  /** Tell which transport works. @param {string | null} name */
  transport(name) {
    if (this.#isConnected) this.#tell(name === null ? "recovering" : "live", name ?? "recovering");
  }

  /** The connection is closed. @param {number} code */
  closed(code) {
    this.#isConnected = false;
    this.#enable(false);
    element("toggle").textContent = "Connect";
    this.#tell("closed", "closed");
    this.problem(SENTENCES[code] ?? "");
  }

  /** Show a sentence, or none. @param {string} text */
  problem(text) {
    const problem = element("problem");
    problem.textContent = text;
    problem.hidden = text === "";
  }

  #toggle() {
    if (this.#isConnected) {
      this.#close();
      return;
    }
    const transport = element("transport").value;
    Orbited.settings.transports =
      transport === "" ? ["websocket", "xhrstream", "longpoll"] : [transport];
    this.problem("");
    try {
      this.#open(element("host").value.trim(), element("port").value);
    } catch (error) {
      this.problem(/** @type {Error} */ (error).message);
      return;
    }
    this.#isConnected = true;
    element("toggle").textContent = "Disconnect";
    this.#tell("connecting", "connecting");
  }

  /** @param {string} state @param {string} text */
  #tell(state, text) {
    const badge = element("state");
    badge.dataset["state"] = state;
    badge.textContent = text;
  }

  /** @param {boolean} isEnabled */
  #enable(isEnabled) {
    for (const id of this.#controls) element(id).disabled = !isEnabled;
  }
}

/** Call with the text of the composer, which is empty then. @param {(text: string) => void} send */
export function onCompose(send) {
  element("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = element("text");
    send(field.value);
    field.value = "";
    field.focus();
  });
}
