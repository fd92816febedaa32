/**
 * Packets on the wire.
 *
 *     packet    [id, name] or [id, name, data]
 *     argument  FLAG LEN "," BYTES      FLAG "1": more arguments follow, "0": the last one
 *
 *     11,5 14,data 08,aGVsbG8=          ["5", "data", "aGVsbG8="], written without the blanks
 *
 * In an HTTP body everything is ASCII, and the data of a `data` packet is base64. In a WebSocket
 * message it is the bytes themselves.
 */
export type Packet = {
    id: number;
    name: string;
    /**
     * empty when the packet has none
     */
    data: Uint8Array;
};
/**
 * Packets as the body of a POST.
 *
 * @param {readonly Packet[]} packets
 */
export declare function encodeText(packets: readonly Packet[]): string;
/**
 * Packets as one binary WebSocket message.
 *
 * @param {readonly Packet[]} packets
 */
export declare function encodeBytes(packets: readonly Packet[]): Uint8Array<ArrayBuffer>;
/**
 * A packet from its arguments as text, data in base64: what an event stream carries as JSON.
 *
 * @param {unknown} texts
 * @returns {Packet}
 */
export declare function fromTexts(texts: unknown): Packet;
/** Takes packets out of a stream of bytes that may be cut anywhere. */
export declare class PacketParser {
    #private;
    /**
     * @param {object} options
     * @param {boolean} options.isBase64 how the data of a packet is written
     * @param {number} options.maxArgumentBytes
     */
    constructor({ isBase64, maxArgumentBytes }: {
        isBase64: boolean;
        maxArgumentBytes: number;
    });
    /** Whether all that was read were whole packets. */
    get isAtBoundary(): boolean;
    /**
     * @param {Uint8Array} bytes
     * @returns {Generator<Packet, void>} the packets that are complete now
     * @throws {PacketError} while the generator runs; the stream is of no use any more
     */
    parse(bytes: Uint8Array): Generator<Packet, void>;
}
