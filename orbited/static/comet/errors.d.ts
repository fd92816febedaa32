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
 * | 202  | SlowConsumer           | the page read too slowly; what waited for it is lost   |
 * | 203  | ServerGoingAway        | the server is stopping; connect again, after a moment  |
 * | 301  | SocketControlKilled    | a test killed it                                       |
 */
export declare const Errors: Readonly<{
    ConnectionTimeout: 101;
    InvalidHandshake: 102;
    UserConnectionReset: 103;
    RemoteConnectionTimeout: 104;
    Unauthorized: 106;
    RemoteConnectionFailed: 108;
}>;
export declare const Statuses: Readonly<{
    ServerClosedConnection: 201;
    SlowConsumer: 202;
    ServerGoingAway: 203;
    SocketControlKilled: 301;
}>;
/** The code for a reason that the server gave. @param {string} reason */
export declare function codeOf(reason: string): number;
export declare const ReadyState: Readonly<{
    INITIALIZED: 1;
    OPENING: 2;
    OPEN: 3;
    CLOSING: 4;
    CLOSED: 5;
}>;
/** The server sent bytes that are not packets. */
export declare class PacketError extends Error {
}
/**
 * Call a function of the application. What it throws is reported like any other uncaught error of
 * the page, and never reaches the session.
 *
 * @template {unknown[]} A
 * @param {((...values: A) => unknown) | null | undefined} callback
 * @param {A} values
 */
export declare function callApplication<A extends unknown[]>(callback: ((...values: A) => unknown) | null | undefined, ...values: A): void;
