/**
 * Cuts what a socket reads into lines. The STOMP client of 0.7 stood on this, and old pages have
 * used it for protocols of their own; stomp.js does not need it.
 *
 *     const lines = new LineProtocol(new Orbited.TCPSocket());
 *     lines.onlinereceived = (line) => console.log(line);
 *     lines.open("127.0.0.1", 4321, true);
 */
import type { TCPSocket } from "../../comet/tcpsocket.js";
export declare class LineProtocol {
    #private;
    /** A longer line, in bytes, is an error, and closes the socket. */
    static maxLineBytes: number;
    onopen: () => void;
    /** @type {(code: number) => void} */
    onclose: (code: number) => void;
    /** @type {(error: Error) => void} */
    onerror: (error: Error) => void;
    /** @type {(line: string) => void} decoded as UTF-8, without its line end */
    onlinereceived: (line: string) => void;
    /** @type {(bytes: string) => void} in raw mode: a string with a character (0-255) for each byte */
    onrawdatareceived: (bytes: string) => void;
    /** @param {TCPSocket} transport to be opened in binary mode */
    constructor(transport: TCPSocket);
    /** @param {string} host @param {number | string} port @param {boolean} [isBinary] */
    open(host: string, port: number | string, isBinary?: boolean): void;
    /** @param {string} data */
    send(data: string): void;
    close(): void;
    reset(): void;
    /** From here on `onrawdatareceived` gets bytes as they come. */
    setRawMode(): void;
    /** From here on `onlinereceived` gets lines. @param {string} [extra] bytes that are the first */
    setLineMode(extra?: string): void;
}
