/**
 * Keeps the packets of one session moving: opens transport after transport, POSTs what no
 * transport carries up, and acknowledges what comes down. It knows nothing of what packets mean.
 *
 * When a transport ends:
 *
 *     something was heard on it    open it again; after a cut with jitter, after a clean end at once;
 *                                  but when it brings nothing, again and again, the next one
 *     nothing was heard on it      ask the server with a POST, which also takes up what is waiting:
 *         accepted                 the transport is at fault; the next one (see ladder.js)
 *         unknown session          the session is gone
 *         no answer                the network is at fault; the same one again, with jitter
 *
 * The pauses grow long only while the network is at fault. Without a transport that takes packets
 * up they go in POSTs, so that what is said up here, heart-beats among it, is never held back.
 *
 * @import { Platform } from "./browser.js"
 * @import { Downstream } from "./downstream.js"
 * @import { Packet } from "./packets.js"
 * @import { PostOutcome } from "./poster.js"
 * @import { Settings } from "./settings.js"
 * @import { Outcome } from "./transports/base.js"
 * @import { Upstream } from "./upstream.js"
 */
import type { Platform } from "./browser.js";
import type { Downstream } from "./downstream.js";
import type { Packet } from "./packets.js";
import type { Settings } from "./settings.js";
import type { Upstream } from "./upstream.js";
export type LinkListener = {
    /**
     * a packet that was not delivered before, or `open`
     */
    onpacket: (packet: Packet) => void;
    /**
     * the server has shown that it keeps the session
     */
    onheard: () => void;
    /**
     * another one works; null: none does
     */
    ontransport: (name: string | null) => void;
    /**
     * the server has accepted everything
     */
    onflushed: () => void;
    /**
     * the server does not know the session, or refuses what we say
     */
    ongone: () => void;
};
export type LinkParts = {
    platform: Platform;
    settings: Settings;
    serverUrl: string;
    sessionUrl: string;
    upstream: Upstream;
    downstream: Downstream;
};
/**
 * @typedef {object} LinkListener
 * @property {(packet: Packet) => void} onpacket a packet that was not delivered before, or `open`
 * @property {() => void} onheard the server has shown that it keeps the session
 * @property {(name: string | null) => void} ontransport another one works; null: none does
 * @property {() => void} onflushed the server has accepted everything
 * @property {() => void} ongone the server does not know the session, or refuses what we say
 */
/**
 * @typedef {object} LinkParts
 * @property {Platform} platform
 * @property {Settings} settings
 * @property {string} serverUrl
 * @property {string} sessionUrl
 * @property {Upstream} upstream
 * @property {Downstream} downstream
 */
export declare class Link {
    #private;
    /** How often the server says something at least. */
    pingIntervalMs: number;
    /**
     * @param {LinkParts} parts
     * @param {LinkListener} listener
     */
    constructor(parts: LinkParts, listener: LinkListener);
    /** Whether pings are answered by packets; elsewhere the next request is the answer. */
    get isStreaming(): boolean;
    /** Open the first transport. */
    start(): void;
    /** Something was put into the upstream. It leaves with all that is put there in this turn. */
    flush(): void;
    /** Bring up what is waiting, then no more: `onflushed` is called. */
    end(): void;
    /** Tell the server, without waiting for an answer, what we have and what is left to say. */
    lastWords(): void;
    stop(): void;
    /** The network may be another one: do not wait any longer, and trust no old connection. */
    wake(): void;
    /** Make sure that the connection lives. */
    look(): void;
    /** Let go of the transport until `wake()`. */
    rest(): void;
}
