/**
 * thywill in the browser: one global, `thywill`, that page scripts talk to.
 *
 *     thywill.push.onReceipt = (message, meta) => { ... };     // what the site pushes
 *     thywill.on("state", (state) => { ... });                 // connecting, live, recovering ...
 *     await thywill.application.ready();                       // rejects, naming what failed
 *     const reply = await thywill.send.fn("say", {text: "hi"});
 *     thywill.channel("room:lobby").on("said", (data, meta) => { ... });
 *
 * Nothing here knows how messages travel down: that is the push component's script, see push.js.
 */
import { Channels } from "./channels.js";
import { Emitter, guarded } from "./emitter.js";
import { ThywillError } from "./errors.js";
import { get, post } from "./http.js";
import { Lease } from "./lease.js";
import { loader } from "./loader.js";
import { createPush } from "./push.js";
import { Readiness } from "./readiness.js";
import { createSend } from "./send.js";
import { SendQueue } from "./send_queue.js";
import { ConnectionState } from "./state.js";

/**
 * @typedef {{type: "javascript" | "css", resource: string}} Resource
 * @typedef {{uuid: string, bootstrap_resources: Resource[],
 *   bootstrap_parameters: Record<string, any>, application_resources: Resource[],
 *   application_parameters: Record<string, any>}} Configuration what the server tells a page
 */

/** Build the object. A page has one, a test as many as it likes. */
export function createThywill(request = post, read = get) {
  const emitter = new Emitter();
  const readiness = new Readiness();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let overdueTimer;
  let hasStarted = false;

  const state = new ConnectionState((name, previous) => {
    expectConnection();
    emitter.emit("state", name, previous);
  });
  const queue = new SendQueue((message) =>
    thywill.request(thywill.send.path, message, thywill.send.timeoutSeconds),
  );

  /** While there should be a connection and is none, count the seconds until it is overdue. */
  function expectConnection() {
    clearTimeout(overdueTimer);
    if (state.name === "connecting" || state.name === "recovering") {
      overdueTimer = setTimeout(() => state.apply("overdue"), thywill.offlineSeconds * 1000);
    }
  }

  /** Call the application's function, once. */
  function startApplication() {
    if (!hasStarted && typeof thywill.application.fn === "function") {
      hasStarted = true;
      guarded(thywill.application.fn);
    }
  }

  const thywill = {
    /** @type {Configuration | null} */
    config: null,

    /** How long a connection may be missing before the state is "offline". */
    offlineSeconds: 15,

    /** The state of the push connection; `on("state")` hears its changes. */
    get state() {
      return state.name;
    },

    /**
     * Listen: `on("state", (state, previous) => ...)`, `on("transport", (name) => ...)`,
     * `on("error", (error) => ...)`.
     *
     * @param {"state" | "transport" | "error"} name
     * @param {Function} listener
     * @returns {() => void} stops listening
     */
    on(name, listener) {
      return emitter.on(name, listener);
    },

    /**
     * Join a channel; asking again for the same one gives the same object.
     *
     * @param {string} name such as "room:lobby"
     * @param {{replay?: number | null}} [options] with how many of the newest messages to begin;
     *   by default all that are kept, or none where the channel has a snapshot
     */
    channel(name, options) {
      return channels.get(name, options);
    },

    /** Every channel that the page is in, or was refused. */
    get channels() {
      return channels.all;
    },

    /** Close the push connection, until `open`. */
    close() {
      state.apply("close");
      channels.closed();
      lease.release();
      guarded(thywill.push.closeConnection);
    },

    /** Connect again after `close`. */
    open() {
      if (state.apply("open")) {
        guarded(thywill.push.establishConnection);
      }
    },

    /**
     * POST to the site as this client: uuid, token and CSRF token are added. A log-in, here or in
     * another tab, makes the page's CSRF token stale; then it gets another one and asks again.
     *
     * @param {string} path
     * @param {object} fields
     * @param {number} [timeoutSeconds]
     * @param {boolean} [keepalive] whether it goes out even when the page is being unloaded
     * @returns {Promise<Record<string, any>>} rejects with a ThywillError
     */
    async request(path, fields, timeoutSeconds, keepalive = false) {
      if (thywill.config === null) {
        throw new ThywillError("bootstrap-failed", "the page has no configuration yet");
      }
      const told = thywill.config.bootstrap_parameters;
      const body = { uuid: thywill.config.uuid, token: told.client_token, ...fields };
      const options = { timeoutSeconds, keepalive };
      const ask = () => request(path, body, { csrfToken: told.csrf_token, ...options });
      try {
        return await ask();
      } catch (error) {
        if (/** @type {any} */ (error).code !== "csrf-failed") throw error;
      }
      told.csrf_token = (await read(told.csrf_path)).csrf_token;
      return ask(); // nothing has looked at the first one, so this is no repetition
    },

    bootstrap: {
      bootstrapComplete: false,

      /**
       * Begin, with the configuration of this page.
       *
       * @param {Configuration} config
       */
      fn(config) {
        if (thywill.config !== null) {
          return;
        }
        thywill.config = config;
        thywill.send.path = config.bootstrap_parameters.send_path;
        thywill.send.dataType = config.bootstrap_parameters.send_data_type;
        thywill.send.bootstrapComplete = true;
        queue.open();
        if (typeof thywill.push.establishConnection !== "function") {
          const reason = thywill.push.lastError?.message ?? "no script has set establishConnection";
          thywill.bootstrap.fail("push", reason, thywill.push.lastError);
          return;
        }
        expectConnection();
        try {
          thywill.push.establishConnection();
        } catch (cause) {
          thywill.bootstrap.fail("push", String(cause), cause);
        }
      },

      /** Complete as soon as messages can go both ways. */
      checkCompletion() {
        if (thywill.push.bootstrapComplete && thywill.send.bootstrapComplete) {
          thywill.bootstrap.bootstrapComplete = true;
          startApplication();
          readiness.complete();
        }
      },

      /**
       * A component cannot start, so `application.ready()` rejects. The first failure counts.
       *
       * @param {string} component
       * @param {string} reason
       * @param {unknown} [cause]
       */
      fail(component, reason, cause) {
        const error = failed(component, reason, cause);
        if (readiness.fail(error)) {
          console.error("thywill:", error.message);
          emitter.emit("error", error);
        }
      },
    },

    loader,

    push: createPush(state, {
      established: () => {
        lease.hold();
        thywill.bootstrap.checkCompletion();
      },
      refused: (error) => {
        lease.drop();
        thywill.bootstrap.fail("push", error?.message ?? String(error), error);
        channels.refuse(error);
      },
      transport: (name) => emitter.emit("transport", name),
      connected: () => channels.connected(),
      channelMessage: (message, meta) => channels.receive(message, meta),
    }),

    send: createSend(queue),

    application: {
      /** @type {(() => void) | null} the application's: called once, when all is ready */
      fn: null,
      /** How long `ready` waits. The connection goes on being tried after that. */
      readySeconds: 30,

      /**
       * Wait for the end of the bootstrap; `application.fn` has run then.
       *
       * @returns {Promise<void>} rejects with a ThywillError whose `component` failed
       */
      async ready() {
        const seconds = thywill.application.readySeconds;
        await readiness.wait(seconds, () => {
          const component = thywill.config === null ? "client_interface" : "push";
          const { lastError } = thywill.push;
          const reason = lastError?.message ?? "still connecting";
          return failed(component, `not ready after ${seconds} s (${reason})`, lastError);
        });
        startApplication();
      },
    },
  };
  const channels = new Channels(thywill);
  const lease = new Lease(thywill);
  globalThis.window?.addEventListener("pagehide", () => lease.release());
  return thywill;
}

/**
 * @param {string} component
 * @param {string} reason
 * @param {unknown} cause
 */
function failed(component, reason, cause) {
  return new ThywillError("bootstrap-failed", `${component}: ${reason}`, { component, cause });
}

const page = /** @type {any} */ (globalThis);

/** The page's own. A second copy of this module, under another URL, finds the first one's. */
export const thywill = /** @type {ReturnType<typeof createThywill>} */ (
  page.thywill ??= createThywill()
);

// A script that cannot be fetched says so only to whoever listens on the way down to it. What a
// push component's script misses it may fetch later; an application's page cannot do without.
page.document?.addEventListener(
  "error",
  (/** @type {Event} */ { target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    const { component } = target.dataset;
    if (component === "push") {
      thywill.push.lastError = new Error(`cannot load ${target.src}`);
    } else if (component !== undefined) {
      thywill.bootstrap.fail(component, `cannot load ${target.src}`);
    }
  },
  true,
);
