/** One open room: its channels, its messages, who is here, who types. */
import { Conversation } from "./conversation.js";
import { element, show } from "./elements.js";
import { Typists } from "./typing.js";
import { typingInWords } from "./words.js";

const { thywill } = /** @type {any} */ (globalThis);

export class OpenRoom {
  /** The room, as the site told it. */
  room;

  #view;
  #people;
  #own;
  #conversation;
  #typists = new Typists();
  #messages;
  #typing;
  /** @type {ReturnType<typeof setInterval>} */
  #timer;

  /**
   * @param {import("./rooms_view.js").Room} room
   * @param {{view: import("./log_view.js").LogView, people: import("./people.js").People,
   *   own: string | null, kept: number}} page what it shows itself in
   */
  constructor(room, { view, people, own, kept }) {
    this.room = room;
    this.#view = view;
    this.#people = people;
    this.#own = own;
    this.#conversation = new Conversation(kept);
    this.#messages = thywill.channel(`chat:${room.id}`);
    this.#typing = thywill.channel(`chat-typing:${room.id}`);
    this.#listen();
    this.#timer = setInterval(() => this.#showTyping(), 1000);
  }

  leave() {
    clearInterval(this.#timer);
    this.#messages.leave();
    this.#typing.leave();
    this.#typists.clear();
    this.#showTyping();
  }

  /** Ask for what was said before the first message. */
  async showEarlier() {
    const conversation = this.#conversation;
    const [after] = conversation.messages;
    const asked = { room: this.room.id, before: Math.min(conversation.first, 2 ** 53 - 1) };
    const answer = await thywill.send.fn("earlier", asked);
    const added = conversation.addEarlier(answer.messages, answer.has_earlier);
    if (added.length > 0) this.#view.prepend(added, after);
    this.#refresh();
  }

  #listen() {
    const channel = this.#messages;
    channel.on("snapshot", (/** @type {any} */ { messages, has_earlier }) => {
      this.#conversation.reset(messages, has_earlier);
      this.#view.reset(this.#conversation.messages);
      this.#refresh();
    });
    channel.on("said", (/** @type {import("./conversation.js").Message} */ message) => {
      const before = this.#conversation.messages.at(-1);
      const gone = this.#conversation.add(message);
      if (gone === null) return; // it was in the snapshot
      this.#view.append(before, message);
      for (const { number } of gone) this.#view.remove(number);
      if (gone.length > 0) this.#view.regroup(undefined, this.#conversation.messages[0]);
      this.#typists.note(message.by, false);
      this.#showTyping();
      this.#refresh();
    });
    channel.on("removed", (/** @type {{number: number}} */ { number }) => {
      this.#conversation.remove(number);
      this.#view.remove(number);
      const { messages } = this.#conversation;
      const after = messages.findIndex((message) => message.number > number);
      if (after >= 0) this.#view.regroup(messages[after - 1], messages[after]);
      this.#refresh();
    });
    channel.on("refused", (/** @type {any} */ error) => {
      // Where all is over, the page says more than what has become of one channel.
      if (thywill.state !== "closed") show("problem", error.message);
    });
    channel.on("joined", () => this.#askWhoIsHere());
    channel.on("recovered", () => this.#askWhoIsHere());
    channel.on("join", (/** @type {any} */ card) => this.#people.join(card));
    channel.on("leave", (/** @type {any} */ card) => this.#people.leave(card));
    this.#typing.on("typing", (/** @type {any} */ { by, is_typing }) => {
      if (by !== this.#own) this.#typists.note(by, is_typing);
      this.#showTyping();
    });
  }

  async #askWhoIsHere() {
    try {
      this.#people.reset(await this.#messages.presence());
    } catch {
      // It is asked again after the next interruption; meanwhile who comes and goes is heard.
    }
  }

  #showTyping() {
    element("typing").textContent = typingInWords(this.#typists.names);
  }

  #refresh() {
    element("empty").hidden = this.#conversation.messages.length > 0;
    element("earlier").hidden = !this.#conversation.hasEarlier || this.#conversation.isFull;
  }
}
