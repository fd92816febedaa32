/**
 * What a page may set, on `Orbited.settings`, before it opens a socket. Times are milliseconds.
 */
export declare class Settings {
    #private;
    /** Address of the server: the folder above `static/`. A relative one is relative to the page. */
    url: string;
    /** Transports in order of preference; what does not work is left out for the page's life. */
    transports: string[];
    /** False: only transports whose every answer ends, longpoll and poll. */
    streaming: boolean;
    /** Silence on a streaming transport after which it is opened anew. The server beats every 5 s. */
    HEARTBEAT_TIMEOUT: number;
    /** How long a new transport may take to its first byte before the next one is tried. */
    FIRST_DATA_TIMEOUT: number;
    /** How long one long poll may take. The server answers after 30 s at the latest. */
    LONGPOLL_TIMEOUT: number;
    /** Pause between two polls of the poll transport. */
    POLL_INTERVAL: number;
    /** What the server has accepted is probably answered: after so long, that pause is over. */
    POLL_AFTER_POST: number;
    /** An answer at least so long is not followed by that pause: there may be more to say. */
    POLL_AGAIN_BYTES: number;
    /** How long the request for a new session may take; then the socket closes with 101. */
    CREATE_TIMEOUT: number;
    /** How long a POST may take before it is repeated. */
    POST_TIMEOUT: number;
    /** A WebSocket on which something was sent and nothing came back for so long is asked again. */
    ACK_TIMEOUT: number;
    /** Retries wait a random time between 0 and RETRY_BASE, 2 * RETRY_BASE, ... RETRY_CAP. */
    RETRY_BASE: number;
    RETRY_CAP: number;
    /** The same while the server can be reached, and only its transports break. */
    RETRY_CAP_REACHABLE: number;
    /** No answer for so long after a transport fell silent: the page is told that none works. */
    OUTAGE_DELAY: number;
    /** What waits for a WebSocket so long goes up by POST. */
    UP_DELAY: number;
    /** A WebSocket acknowledges after so many packets, or after so long. */
    ACK_PACKETS: number;
    ACK_DELAY: number;
    /** A stream acknowledges with an empty POST after so many bytes. */
    ACK_BYTES: number;
    /** Data is cut into packets of at most so many bytes. */
    MAX_PACKET_BYTES: number;
    /** One POST, or one WebSocket message, carries about so many bytes of data at most. */
    MAX_POST_BYTES: number;
    /** send() throws when more than this waits to be accepted by the server. */
    MAX_QUEUED_BYTES: number;
    /** A packet from the server that is longer than this breaks the transport. */
    MAX_ARGUMENT_BYTES: number;
    /** The three old ways to say where the server is; they read and change `url`. */
    get hostname(): string;
    set hostname(value: string);
    get port(): number;
    set port(value: number);
    get protocol(): string;
    set protocol(value: string);
}
/** The settings of this page. */
export declare const settings: Settings;
