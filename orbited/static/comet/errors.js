/**
 * The codes that `onclose(code)` reports, and the states of a socket.
 *
 * | code | name                   | the session ended because                              |
 * | ---- | ---------------------- | ------------------------------------------------------ |
 * | 101  | ConnectionTimeout      | nothing was heard for ping interval + ping time-out    |
 * | 102  | InvalidHandshake       | there was no session to be had, or no sense in the answer |
 * | 103  | UserConnectionReset    | the page called close() or reset()                     |
 * | 104  | RemoteConnectionTimeout | the server waited too long for the remote end         |
 * | 106  | Unauthorized           | the access list of the server does not allow it        |
 * | 108  | RemoteConnectionFailed | the remote end refused the connection                  |
 * | 201  | ServerClosedConnection | the remote end closed, or the session is unknown       |
 * | 301  | SocketControlKilled    | a test killed it                                       |
 */
export const Errors = Object.freeze({
  ConnectionTimeout: 101,
  InvalidHandshake: 102,
  UserConnectionReset: 103,
  RemoteConnectionTimeout: 104,
  Unauthorized: 106,
  RemoteConnectionFailed: 108,
});

export const Statuses = Object.freeze({
  ServerClosedConnection: 201,
  SocketControlKilled: 301,
});

export const ReadyState = Object.freeze({
  INITIALIZED: 1,
  OPENING: 2,
  OPEN: 3,
  CLOSING: 4,
  CLOSED: 5,
});

/** The server sent bytes that are not packets. */
export class PacketError extends Error {}

/**
 * Call a function of the application. What it throws is reported like any other uncaught error of
 * the page, and never reaches the session.
 *
 * @template {unknown[]} A
 * @param {((...values: A) => unknown) | null | undefined} callback
 * @param {A} values
 */
export function callApplication(callback, ...values) {
  try {
    callback?.(...values);
  } catch (error) {
    if (typeof globalThis.reportError === "function") globalThis.reportError(error);
    else console.error(error);
  }
}
