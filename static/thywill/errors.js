/**
 * What a page hears when something went wrong.
 *
 * `code` is for programs and never changes; `message` is a sentence for people.
 *
 * | code               | who says it | meaning                                                   |
 * | ------------------ | ----------- | --------------------------------------------------------- |
 * | `queue-full`       | the page    | more messages wait than `thywill.send.maxQueued`          |
 * | `network`          | the page    | no answer for `thywill.send.retrySeconds`, with all tries |
 * | `invalid-message`  | the page    | JSON cannot hold the message; or the server says it       |
 * | `bootstrap-failed` | the page    | `component` names the part that could not start           |
 * | `connection-lost`  | the page    | the push connection broke; it is being made again         |
 * | `too-many-channels`| the page    | the page is in as many channels as it may be              |
 * | `left`             | the page    | the page has left the channel before it was in it         |
 * | `broker`           | the broker  | a STOMP ERROR frame; `message` is its text                |
 * | `disconnected`     | both        | the site has ended this page; it must be loaded again     |
 * | `http-NNN`         | a proxy     | an answer that did not come from thywill                  |
 * | anything else      | the server  | the table in `thywill_server/errors.py`                   |
 */
export class ThywillError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{component?: string, status?: number, id?: string | null,
   *   retryAfter?: number, cause?: unknown}} [more]
   */
  constructor(code, message, more = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "ThywillError";
    this.code = code;
    /** @type {string | null} the part that failed: push, application, client_interface */
    this.component = more.component ?? null;
    /** @type {number | null} the HTTP status, where there is one */
    this.status = more.status ?? null;
    /** @type {string | null} the id of the message that was refused */
    this.id = more.id ?? null;
    /** @type {number | null} with `too-many-requests`: how many seconds to wait */
    this.retryAfter = more.retryAfter ?? null;
  }
}

/** Answers of the site that no further attempt can change: the page must be loaded again. */
const FINAL = new Set([
  "unknown-client",
  "csrf-failed",
  "not-allowed",
  "unknown-application",
  "disconnected",
]);

/** The site has ended the connection of this page. */
export function disconnected() {
  const text = "the site has ended this connection; load the page again";
  return new ThywillError("disconnected", text);
}

/** @param {any} error */
export function isFinal(error) {
  return FINAL.has(error?.code);
}
