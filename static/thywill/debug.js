/**
 * Under DEBUG: a badge with the page's state, which opens an overlay for the application's author.
 *
 * It shows the connection, each channel with its offset or why it was refused, and what went wrong
 * lately in this browser session, with tracebacks. Alt+Shift+D opens and closes it, Escape closes.
 * All of it lives in a shadow root, so that neither it nor the page changes how the other looks;
 * and the badge floats where the page has no control.
 */
import { keepClear } from "./place.js";
import { thywill } from "./thywill.js";

/** How often an open overlay looks again. */
const LOOK_MS = 500;
/** How often it asks the site for errors. */
const ASK_MS = 2000;

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children text is text, never HTML
 */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export class Overlay {
  #root;
  #badge;
  #panel;
  #connection = make("dl");
  #channels = make("div");
  #errors = make("div");
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #asking;
  /** What is shown of errors, so that a traceback that is being read stays open. */
  #shownErrors = "";

  constructor() {
    const host = make("div", { id: "thywill-debug" });
    this.#root = host.attachShadow({ mode: "open" });
    const style = new URL("debug.css", import.meta.url).href;
    this.#badge = make("button", { type: "button", "aria-expanded": "false" });
    this.#badge.title = "thywill (Alt+Shift+D)";
    this.#badge.addEventListener("click", () => this.toggle());
    this.#panel = make(
      "section",
      { "aria-label": "thywill, for the author of this page", hidden: "" },
      make("h2", {}, "Connection"),
      this.#connection,
      make("h2", {}, "Channels"),
      this.#channels,
      make("h2", {}, "Errors of this session"),
      this.#errors,
    );
    this.#root.append(make("link", { rel: "stylesheet", href: style }), this.#panel, this.#badge);
    document.body.append(host);
    document.addEventListener("keydown", (event) => this.#onKey(event));
    thywill.on("state", () => this.#look());
    thywill.on("transport", () => this.#look());
    this.#look();
    keepClear(host, this.#badge, () => !this.isOpen);
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** Open it, or close it. */
  toggle() {
    this.#panel.hidden = this.isOpen;
    this.#badge.setAttribute("aria-expanded", String(this.isOpen));
    clearInterval(this.#looking);
    clearInterval(this.#asking);
    if (this.isOpen) {
      this.#looking = setInterval(() => this.#look(), LOOK_MS);
      this.#asking = setInterval(() => this.#ask(), ASK_MS);
      this.#look();
      this.#ask();
    }
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const isShortcut = event.altKey && event.shiftKey && event.code === "KeyD";
    if (isShortcut || (event.key === "Escape" && this.isOpen)) {
      event.preventDefault();
      this.toggle();
    }
  }

  #look() {
    this.#badge.textContent = thywill.state;
    this.#badge.dataset.state = thywill.state;
    if (!this.isOpen) return;
    const { lastError, transport } = thywill.push;
    const parameters = thywill.config?.bootstrap_parameters ?? {};
    this.#connection.replaceChildren(
      ...Object.entries({
        state: thywill.state,
        transport: transport ?? "none",
        application: parameters.application ?? "",
        client: thywill.config?.uuid ?? "",
        "last trouble": lastError === null ? "none" : errorText(lastError),
      }).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
    );
    const rows = thywill.channels.map((channel) =>
      make(
        "tr",
        {},
        make("td", {}, channel.name),
        make("td", { class: channel.state }, channel.state),
        make("td", {}, channel.cursor === null ? "-" : String(channel.cursor.offset)),
        make("td", {}, channel.error === null ? "" : errorText(channel.error)),
      ),
    );
    const names = ["channel", "state", "offset", "why it is refused"];
    const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
    this.#channels.replaceChildren(
      rows.length > 0 ? make("table", {}, head, ...rows) : make("p", {}, "The page is in none."),
    );
  }

  async #ask() {
    const path = thywill.config?.bootstrap_parameters.debug_path;
    if (path === undefined) return;
    try {
      const { errors } = await thywill.request(path, {});
      this.#showErrors(errors);
    } catch (error) {
      this.#showErrors([], `The site does not tell: ${errorText(error)}`);
    }
  }

  /**
   * @param {any[]} errors
   * @param {string} [otherwise] what stands there when there are none
   */
  #showErrors(errors, otherwise = "None so far.") {
    const shown = JSON.stringify([errors, otherwise]);
    if (shown === this.#shownErrors) return;
    this.#shownErrors = shown;
    const items = errors.map((error) => {
      const at = new Date(error.at * 1000).toLocaleTimeString();
      const kind = make("strong", { class: error.is_refusal ? "refusal" : "mistake" }, error.code);
      const summary = make("summary", {}, `${at} `, kind, ` ${error.what}: ${error.sentence}`);
      return make("details", {}, summary, make("pre", { tabindex: "0" }, error.traceback));
    });
    this.#errors.replaceChildren(...(items.length > 0 ? items : [make("p", {}, otherwise)]));
  }
}

/** @param {any} error */
function errorText(error) {
  const code = error?.code === undefined ? "" : `${error.code}: `;
  return code + String(error?.message ?? error);
}

new Overlay();
