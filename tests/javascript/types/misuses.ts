// Each of these is wrong, and the compiler has to say so: a line that is accepted is an error here.

import { Orbited, TCPSocket } from "../../../orbited/static/Orbited.js";
import { STOMPClient } from "../../../orbited/static/protocols/stomp/stomp.js";

const socket = new TCPSocket();
const client = new STOMPClient();

// @ts-expect-error a port is missing
socket.open("127.0.0.1");

// @ts-expect-error there is no such mode
socket.open("127.0.0.1", 7, "chars");

// @ts-expect-error numbers cannot be sent
socket.send(1);

// @ts-expect-error the state is told, not set
socket.readyState = 3;

// @ts-expect-error a code is a number
socket.onclose = (code: string) => console.log(code);

// @ts-expect-error there is no such callback
socket.onmessage = () => {};

// @ts-expect-error codes do not change
Orbited.Errors.Unauthorized = 1;

// @ts-expect-error transports are a list
Orbited.settings.transports = "websocket";

// @ts-expect-error the message comes first, and then where it goes
client.send("message");

// @ts-expect-error headers are strings
client.subscribe("/topic/news", { receipt: 1 });

// @ts-expect-error a message is acknowledged, or its id
client.ack(1);

// @ts-expect-error two numbers
client.connect("127.0.0.1", 61613, "login", "passcode", { heartBeat: [1] });
