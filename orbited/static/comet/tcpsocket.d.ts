/**
 * A TCP connection for a page, through a session with the server.
 *
 *     const socket = new TCPSocket();
 *     socket.onopen = () => socket.send("hello\n");
 *     socket.onread = (text) => console.log(text);
 *     socket.onclose = (code) => console.log("closed", code);
 *     socket.open("127.0.0.1", 7);
 *
 * The first packet of a session says where to connect, `HOST:PORT\n`. The first one back is "1", or
 * "0" and a code of the table in errors.js; after a "1" the bytes flow.
 */
export type Mode = "text" | "binary" | "bytes";
export declare class TCPSocket {
    #private;
    /** What all sockets of a class use; tests make a subclass with their own. */
    static settings: import("./settings.js").Settings;
    static platform: {
        fetch: typeof globalThis.fetch;
        readonly WebSocket: typeof globalThis.WebSocket | undefined;
        readonly EventSource: typeof globalThis.EventSource | undefined;
        now: () => number;
        random: () => number;
        setTimeout: (callback: () => void, milliseconds: number) => unknown;
        clearTimeout: (timer: unknown) => void;
        sendLast(url: string, body: string): void;
    };
    /** @type {() => void} */
    onopen: () => void;
    /** @type {(data: any) => void} a string, or a Uint8Array in bytes mode */
    onread: (data: any) => void;
    /** @type {(code: number) => void} called once, see errors.js */
    onclose: (code: number) => void;
    /** @type {(name: string | null) => void} another transport works; null: none does */
    ontransport: (name: string | null) => void;
    constructor();
    get id(): number;
    /** 1 initialized, 2 opening, 3 open, 5 closed. */
    get readyState(): number;
    /** Name of the transport in use; null before the first one works, and while none does. */
    get transport(): string | null;
    /** Bytes that were given to send() and not yet accepted by the server. */
    get bufferedAmount(): number;
    toString(): string;
    /**
     * Connect. The callbacks may still be set in the same turn.
     *
     * @param {string} host as the server sees it, and as its access list spells it
     * @param {number | string} port
     * @param {boolean | "bytes"} [isBinary] false: text; true: strings of bytes; or Uint8Arrays
     * @throws {Error} it was opened before, there is no host or port, or no transport can be used
     */
    open(host: string, port: number | string, isBinary?: boolean | "bytes"): void;
    /**
     * Text as UTF-8; or, in binary mode, a string of characters 0-255; or, in bytes mode, bytes. In
     * the binary modes the other kind is taken, too.
     *
     * @param {string | Uint8Array} data
     * @throws {Error} the socket is not open, or too much waits to be sent (MAX_QUEUED_BYTES)
     */
    send(data: string | Uint8Array): void;
    /** Close after what is queued has gone. `onclose(103)` follows. */
    close(): void;
    /** Close and drop what is queued. `onclose(103)` follows, if the socket was opened. */
    reset(): void;
    /**
     * Close with a code of one's own; for tests, and for protocols on top.
     *
     * @param {number} code
     */
    kill(code?: number): void;
}
