import { guarded } from "./emitter.js";

/**
 * `thywill.push`: the meeting point of the application and the push component's script.
 *
 * The application sets `onReceipt` and `onError`. The component's script sets
 * `establishConnection` and `closeConnection`, and calls what is under "The component says".
 *
 * @typedef {{event: string | null, contentType: string, channel?: string, epoch?: string,
 *   offset?: string}} Meta what came with a pushed message; the last three with a channel's
 */

/**
 * @param {import("./state.js").ConnectionState} state
 * @param {{established: () => void, refused: (error: any) => void,
 *   transport: (name: string | null) => void, connected: () => void,
 *   channelMessage: (message: any, meta: Meta) => void}} listeners
 */
export function createPush(state, listeners) {
  const push = {
    bootstrapComplete: false,
    /** @type {string | null} how messages come down: websocket, xhrstream, longpoll ... */
    transport: null,
    /** @type {any} the STOMPClient, where push goes over STOMP */
    stomp: null,
    /** @type {any} the last trouble */
    lastError: null,

    // The application's.

    /**
     * Every message that is pushed to this client.
     *
     * @type {(message: any, meta: Meta) => void}
     */
    onReceipt() {},

    /**
     * Trouble on the push connection, which is being mended where it can be.
     *
     * @param {any} error
     */
    onError(error) {
      console.warn("thywill.push:", error?.message ?? error);
    },

    // The component's.

    /** @type {(() => void) | null} connect, and stay connected */
    establishConnection: null,
    /** @type {(() => void) | null} disconnect, and stay so */
    closeConnection: null,
    /**
     * Listen on a channel's destination. Rejects with `connection-lost` when the connection ends
     * before it is confirmed.
     *
     * @type {(destination: string, ticket: string) => Promise<void>}
     */
    async subscribe() {},
    /**
     * Show another ticket for a channel that is listened to. Rejects as `subscribe` does.
     *
     * @type {(ticket: string) => Promise<void>}
     */
    async renew() {},
    /** @type {(destination: string, channel: string) => void} listen no more */
    unsubscribe() {},

    // The component says.

    /** A new connection, before it is complete: no channel is subscribed on it. */
    onNewConnection() {
      listeners.connected();
    },

    /** Connected: what is pushed from now on arrives. */
    onEstablishConnectionComplete() {
      push.bootstrapComplete = true;
      state.apply("established");
      listeners.established();
    },

    /**
     * The connection is gone, or could not be made; it is being tried again.
     *
     * @param {any} error
     */
    onConnectionLost(error) {
      push.lastError = error;
      state.apply("lost");
      if (globalThis.navigator?.onLine === false) {
        state.apply("overdue");
      }
      guarded(push.onError, error);
    },

    /**
     * Refused for good, for instance because the user has logged out.
     *
     * @param {any} error
     */
    onConnectionRefused(error) {
      push.lastError = error;
      state.apply("close");
      guarded(push.onError, error);
      listeners.refused(error);
    },

    /**
     * This is how messages come down now.
     *
     * @param {string | null} name
     */
    onTransport(name) {
      if (name !== push.transport) {
        push.transport = name;
        listeners.transport(name);
      }
    },

    /**
     * A message.
     *
     * @param {string} body
     * @param {Meta} meta
     */
    deliver(body, meta) {
      let message = body;
      if (meta.contentType.startsWith("application/json")) {
        try {
          message = JSON.parse(body);
        } catch (error) {
          guarded(push.onError, error);
          return;
        }
      }
      if (meta.channel !== undefined) {
        listeners.channelMessage(message, meta);
      } else {
        guarded(push.onReceipt, message, meta);
      }
    },
  };
  return push;
}
