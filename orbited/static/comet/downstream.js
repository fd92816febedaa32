/** @import { Packet } from "./packets.js" */

/** What came from the server: the last packet delivered, and what of it is still to be said. */
export class Downstream {
  /** Id of the last packet delivered: what every request acknowledges. */
  lastId = 0;

  /** Packets and bytes that were delivered since the server was last told. */
  untoldPackets = 0;
  untoldBytes = 0;

  /**
   * Whether a packet is to be delivered. One that was delivered before is not: after a cut the
   * server sends all again that it has no acknowledgement for.
   *
   * @param {Packet} packet
   */
  admit({ id, data }) {
    if (id <= this.lastId) return false;
    this.lastId = id;
    this.untoldPackets += 1;
    this.untoldBytes += data.length;
    return true;
  }

  /** The server is being told `lastId`. */
  told() {
    this.untoldPackets = 0;
    this.untoldBytes = 0;
  }
}
