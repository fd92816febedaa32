/**
 * Commands over one socket: objects of `{command: argument}` go up, and whatever is answered or
 * pushed under a name is heard by those who listen to the name.
 *
 *     import { commands } from "../thywill/commands.js";
 *
 *     commands.onready = () => commands.send({ enter: "Ada", board: null });
 *     commands.on("enter", (answer, error) => { ... });
 *     commands.on("board", (board) => { ... }, true);               // only the next one
 *     commands.onclose = (error) => { ... };
 *
 * For an application with a module commands.py. It hears what is pushed to the page without an
 * event; `thywill.push.onReceipt` of the page, set before, gets everything else.
 */
import { Emitter, guarded } from "./emitter.js";
import { ThywillError } from "./errors.js";
import { SendQueue } from "./send_queue.js";

/**
 * @typedef {{code: string, message: string, retry_after?: number}} CommandError
 * @typedef {(answer: any, error: CommandError | null) => void} Listener `answer` is null with an error
 */

export class CommandSocket {
  /**
   * The page's: messages can go both ways. Called again after each interruption, with true: what
   * was pushed meanwhile may be missing.
   *
   * @type {((isAgain: boolean) => void) | null}
   */
  onready = null;

  /**
   * The page's: the connection has ended, and nobody tries to make it again.
   *
   * @type {((error: any) => void) | null}
   */
  onclose = null;

  /** How many objects with slow commands may be under way; one more fails with `queue-full`. */
  maxBeside = 6;

  #thywill;
  #emitter = new Emitter();
  #beside = 0;
  #besideNumber = 0;
  #hasBeenReady = false;

  /** @param {any} thywill the page's, or a test's */
  constructor(thywill) {
    this.#thywill = thywill;
    const before = thywill.push.onReceipt;
    thywill.push.onReceipt = (/** @type {any} */ message, /** @type {any} */ meta) => {
      if (meta?.event || !isObject(message)) return before?.(message, meta);
      this.#hear(message);
    };
    thywill.on("state", (/** @type {string} */ state) => this.#follow(state));
    this.#follow(thywill.state);
  }

  /**
   * Listen to a name.
   *
   * @param {string} key a command, or what the application pushes
   * @param {Listener} listener
   * @param {boolean} [once] whether only the next one is heard
   * @returns {() => void} stops listening
   */
  on(key, listener, once = false) {
    const stop = this.#emitter.on(
      key,
      !once
        ? listener
        : (/** @type {any} */ answer, /** @type {CommandError | null} */ error) => {
            stop();
            listener(answer, error);
          },
    );
    return stop;
  }

  /**
   * Send commands; each is answered under its name, the answers in the order of the names. Objects
   * are sent in the order of the calls, but for those with a command that is declared slow: they
   * wait for no other one, and no other one for them.
   *
   * @param {Record<string, unknown>} object
   * @returns {Promise<Record<string, any>>} the answers; rejects with a ThywillError, which each
   *   listener has heard then
   */
  send(object) {
    const keys = Object.keys(object);
    const slow = this.#thywill.config?.bootstrap_parameters.slow_commands ?? [];
    const isSlow = keys.some((key) => slow.includes(key));
    const answers = isSlow ? this.#sendBeside(object) : this.#thywill.send.fn(object);
    const heard = answers.then(
      (/** @type {Record<string, any>} */ reply) => {
        this.#hear(reply);
        return reply;
      },
      (/** @type {any} */ error) => {
        const { code = "network", message = String(error), retryAfter } = error;
        const told = retryAfter ? { code, message, retry_after: retryAfter } : { code, message };
        for (const key of keys) this.#emitter.emit(key, null, told);
        throw error;
      },
    );
    heard.catch(() => {}); // the listeners have heard it: a page may leave the promise alone
    return heard;
  }

  /** @param {Record<string, unknown>} object */
  async #sendBeside(object) {
    if (this.#beside >= this.maxBeside) {
      throw new ThywillError("queue-full", `${this.maxBeside} slow objects are under way already`);
    }
    this.#beside += 1;
    this.#besideNumber += 1;
    const { send } = this.#thywill;
    const id = `beside-${this.#besideNumber}`;
    const queue = new SendQueue((message) =>
      this.#thywill.request(send.path, { ...message, id }, send.timeoutSeconds),
    );
    queue.retrySeconds = send.retrySeconds;
    queue.open();
    try {
      return (await queue.add(object)).reply;
    } finally {
      this.#beside -= 1;
    }
  }

  /** @param {Record<string, any>} object */
  #hear(object) {
    for (const [key, answer] of Object.entries(object)) {
      const error = errorIn(answer);
      this.#emitter.emit(key, error === null ? answer : null, error);
    }
  }

  /** @param {string} state */
  #follow(state) {
    if (state === "live") {
      const isAgain = this.#hasBeenReady;
      this.#hasBeenReady = true;
      // The page sets `onready` in a script that may run after this one.
      queueMicrotask(() => guarded(this.onready, isAgain));
    } else if (state === "closed") {
      queueMicrotask(() => guarded(this.onclose, this.#thywill.push.lastError));
    }
  }
}

/** @param {any} value */
function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/**
 * @param {any} answer
 * @returns {CommandError | null}
 */
function errorIn(answer) {
  const is = isObject(answer) && isObject(answer.error) && Object.keys(answer).length === 1;
  return is && typeof answer.error.code === "string" ? answer.error : null;
}

const page = /** @type {any} */ (globalThis);

/** The page's own. A second copy of this module, under another URL, finds the first one's. */
export const commands = /** @type {CommandSocket} */ (
  page.thywill && (page.thywill.commands ??= new CommandSocket(page.thywill))
);
