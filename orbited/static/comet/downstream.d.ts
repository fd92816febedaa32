/** @import { Packet } from "./packets.js" */
import type { Packet } from "./packets.js";
/** What came from the server: the last packet delivered, and what of it is still to be said. */
export declare class Downstream {
    /** Id of the last packet delivered: what every request acknowledges. */
    lastId: number;
    /** Packets and bytes that were delivered since the server was last told. */
    untoldPackets: number;
    untoldBytes: number;
    /**
     * Whether a packet is to be delivered. One that was delivered before is not: after a cut the
     * server sends all again that it has no acknowledgement for.
     *
     * @param {Packet} packet
     */
    admit({ id, data }: Packet): boolean;
    /** The server is being told `lastId`. */
    told(): void;
}
