/** The globals that stomp.js of 0.7 made beside `STOMPClient`. */
export {};
