// Rooms on Node, with ws or Socket.IO.
//
// usage: node node_server.js PORT ws|socketio      (NODE_PATH is where they are installed)

const http = require("http");

const [port, kind] = [Number(process.argv[2]), process.argv[3]];
const server = http.createServer((request, response) => {
  response.writeHead(404);
  response.end();
});

if (kind === "socketio") {
  const { Server } = require("socket.io");
  const io = new Server(server, { transports: ["websocket"] });
  io.on("connection", (socket) => {
    socket.on("join", (room) => {
      socket.join(room);
      socket.emit("joined", room);
    });
    socket.on("pub", (room, text) => io.to(room).emit("msg", text));
  });
} else {
  const { WebSocketServer } = require("ws");
  const rooms = new Map();
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    const [, way, room] = request.url.split("/");
    if (!rooms.has(room)) rooms.set(room, new Set());
    const members = rooms.get(room);
    if (way === "ws") members.add(socket);
    socket.on("close", () => members.delete(socket));
    socket.on("message", (message) => {
      const text = message.toString();
      for (const member of members) member.send(text);
    });
  });
}
server.listen(port, "127.0.0.1", 4096);
