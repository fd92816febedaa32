/** Sessions for tests, open or about to be. */

import assert from "node:assert/strict";

import { encodeBytes, PacketParser } from "../../../../orbited/static/comet/packets.js";
import { CometSession } from "../../../../orbited/static/comet/session.js";
import { FakePlatform, freshSettings } from "./platform.js";

export const BEGIN = "11,113,opt014,pingTimeout,3011,213,opt015,pingInterval,3011,204,open";
export const bytes = (text) => new TextEncoder().encode(text);
export const text = (array) => new TextDecoder().decode(array);
export const data = (id, content) =>
  `1${String(id).length},${id}14,data0${btoa(content).length},${btoa(content)}`;

/** A message of the server's on the WebSocket. */
export function message(...packets) {
  return encodeBytes(
    packets.map(([id, name, content = ""]) => ({ id, name, data: bytes(content) })),
  );
}

/** What the page sent on a WebSocket, as [id, name, data]. */
export function sent(socket) {
  const parser = new PacketParser({ isBase64: false, maxArgumentBytes: 1e6 });
  return socket.sent.flatMap((one) =>
    [...parser.parse(one)].map((packet) => [packet.id, packet.name, text(packet.data)]),
  );
}

/** A session that has been asked for; `heard` gets what it tells. */
export async function begin(changes = {}) {
  const platform = new FakePlatform();
  const session = new CometSession(freshSettings(changes), platform);
  const heard = [];
  session.onopen = () => heard.push("open");
  session.ondata = (content) => heard.push(text(content));
  session.onclose = (code) => heard.push(code);
  session.ontransport = (name) => heard.push(`via ${name}`);
  session.open();
  return { platform, session, heard };
}

/** The same, open by one transport. */
export async function opened(transport, changes = {}) {
  const all = await begin({ transports: [transport], ...changes });
  const { platform, heard } = all;
  await platform.request("/tcp").respond(200, "key");
  if (transport === "websocket") {
    await platform.sockets[0].open();
    await platform.sockets[0].message(
      message([1, "opt", "pingTimeout,30"], [2, "opt", "pingInterval,30"], [2, "open"]),
    );
  } else if (transport === "xhrstream") {
    await platform.request("/xhrstream").stream();
    await platform.request("/xhrstream").write(BEGIN);
  } else if (transport === "sse") {
    const packets = [
      ["1", "opt", "pingTimeout,30"],
      ["2", "opt", "pingInterval,30"],
      ["2", "open"],
    ];
    await platform.sources[0].event("payload", JSON.stringify(packets));
  } else {
    await platform.request(`/${transport}`).respond(200, BEGIN);
  }
  assert.deepEqual(heard, [`via ${transport}`, "open"]);
  heard.length = 0;
  return all;
}

export const gets = (platform, end) => platform.requests.filter((one) => one.path.endsWith(end));
export const posts = (platform) => platform.requests.filter((one) => one.method === "POST");
