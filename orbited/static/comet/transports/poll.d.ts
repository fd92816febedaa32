import { LongPollTransport } from "./longpoll.js";
/**
 * A request every other second, answered at once with what there is: for the worst of proxies. After
 * a long answer the next one does not wait, because the server has cut it and more follows.
 */
export declare class PollTransport extends LongPollTransport {
    static transportName: string;
    get pauseMs(): number;
}
