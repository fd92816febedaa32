import { guarded } from "./emitter.js";
import { ThywillError } from "./errors.js";

/**
 * `thywill.send`: messages to the application, in order, each with its reply.
 *
 * @param {import("./send_queue.js").SendQueue} queue
 */
export function createSend(queue) {
  const send = {
    bootstrapComplete: false,
    path: "/thywill/send/",
    dataType: "json",
    /** How long one attempt may take. */
    timeoutSeconds: 30,

    /** How many messages may wait; one more is refused with the code `queue-full`. */
    get maxQueued() {
      return queue.maxQueued;
    },
    set maxQueued(count) {
      queue.maxQueued = count;
    },

    /** How long one message is tried before it fails with the code `network`. */
    get retrySeconds() {
      return queue.retrySeconds;
    },
    set retrySeconds(seconds) {
      queue.retrySeconds = seconds;
    },

    /**
     * Send `fn(message)`, or `fn(command, message)`.
     *
     * @param {...any} args
     * @returns {Promise<any>} the application's reply; rejects with a ThywillError
     */
    fn(...args) {
      const [message, command] = args.length > 1 ? [args[1], String(args[0])] : [args[0]];
      const reply = queued(queue, message, command).then(
        (confirmation) => {
          guarded(send.onConfirm, confirmation);
          return confirmation.reply;
        },
        (error) => {
          guarded(send.onError, error);
          throw error;
        },
      );
      reply.catch(() => {}); // onError has heard it: a page may leave the promise alone
      return reply;
    },

    /**
     * The application's: the site has handled a message.
     *
     * @type {(confirmation: any) => void}
     */
    onConfirm() {},

    /**
     * The application's: a message was refused, or nobody answered.
     *
     * @param {any} error
     */
    onError(error) {
      console.error("thywill.send:", error?.code, error?.message);
    },
  };
  return send;
}

/**
 * Queue a message as it is now: the page may go on to change what it has sent.
 *
 * @param {import("./send_queue.js").SendQueue} queue
 * @param {unknown} message
 * @param {string} [command]
 */
async function queued(queue, message, command) {
  let text;
  try {
    text = JSON.stringify(message);
  } catch (cause) {
    throw new ThywillError("invalid-message", `JSON cannot hold it: ${cause}`, { cause });
  }
  if (text === undefined) {
    throw new ThywillError("invalid-message", `JSON cannot hold a message of ${typeof message}`);
  }
  return queue.add(JSON.parse(text), command);
}
