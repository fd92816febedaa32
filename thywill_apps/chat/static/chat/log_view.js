/** The log of messages on the page. Texts go in as text; nothing here makes HTML of them. */
import { goesOn } from "./conversation.js";
import { element, make } from "./elements.js";
import { timeInWords } from "./words.js";

/** How many pixels from the end still count as the end. */
const END = 32;

export class LogView {
  #log = element("log");
  #list = element("messages");
  #toEnd = element("to-end");
  #own;
  #unread = 0;
  #mark = make("li", "mark", "new");
  /** @type {(unread: number) => void} set by the page */
  onUnread = () => {};

  /** @param {string | null} own name of the reader */
  constructor(own) {
    this.#own = own;
    this.#toEnd.addEventListener("click", () => {
      this.scrollToEnd();
      this.#log.focus();
    });
    this.#log.addEventListener("scroll", () => this.#notice(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#notice());
    // On a phone the keyboard takes half of the page: who was at the end stays there.
    let wasAtEnd = true;
    this.#log.addEventListener("scroll", () => (wasAtEnd = this.#isAtEnd), { passive: true });
    new ResizeObserver(() => wasAtEnd && this.scrollToEnd()).observe(this.#log);
  }

  get #isAtEnd() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight <= END;
  }

  /**
   * Show these, and nothing else; without a word to those who listen to the page.
   *
   * @param {import("./conversation.js").Message[]} messages
   */
  reset(messages) {
    this.#log.ariaBusy = "true";
    this.#log.ariaLive = "off";
    this.#list.replaceChildren(
      ...messages.map((message, n) => this.#row(messages[n - 1], message)),
    );
    this.#setUnread(0);
    this.scrollToEnd();
    // Only what is added after the next paint is news.
    requestAnimationFrame(() => {
      this.#log.ariaBusy = "false";
      this.#log.ariaLive = "polite";
    });
  }

  /**
   * @param {import("./conversation.js").Message | undefined} before the one before it
   * @param {import("./conversation.js").Message} message
   */
  append(before, message) {
    const wasAtEnd = this.#isAtEnd;
    const isOwn = message.by === this.#own;
    const isSeen = isOwn || (wasAtEnd && !document.hidden);
    if (!isSeen && this.#unread === 0) this.#list.append(this.#mark);
    this.#list.append(this.#row(this.#unread === 0 && !isSeen ? undefined : before, message));
    if (isOwn || wasAtEnd) this.scrollToEnd();
    if (!isSeen) this.#setUnread(this.#unread + 1);
  }

  /**
   * Show what came before, without moving what is being read.
   *
   * @param {import("./conversation.js").Message[]} messages
   * @param {import("./conversation.js").Message | undefined} after the one after them
   */
  prepend(messages, after) {
    const { scrollHeight, scrollTop } = this.#log;
    this.#log.ariaLive = "off";
    const rows = messages.map((message, n) => this.#row(messages[n - 1], message));
    if (after !== undefined) this.regroup(messages[messages.length - 1], after);
    this.#list.prepend(...rows);
    this.#log.scrollTop = scrollTop + this.#log.scrollHeight - scrollHeight;
    requestAnimationFrame(() => (this.#log.ariaLive = "polite"));
  }

  /**
   * Say or do not say whose a message is, since another one is before it now.
   *
   * @param {import("./conversation.js").Message | undefined} before
   * @param {import("./conversation.js").Message} message
   */
  regroup(before, message) {
    const heading = this.#find(message.number)?.firstElementChild;
    heading?.classList.toggle("visually-hidden", goesOn(before, message));
  }

  /** @param {number} number */
  remove(number) {
    this.#find(number)?.remove();
  }

  scrollToEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** @param {number} number */
  #find(number) {
    return this.#list.querySelector(`[data-number="${Number(number)}"]`);
  }

  #notice() {
    if (this.#unread > 0 && this.#isAtEnd && !document.hidden) this.#setUnread(0);
  }

  /** @param {number} count */
  #setUnread(count) {
    this.#unread = count;
    this.#toEnd.hidden = count === 0;
    this.#toEnd.textContent = `${count} new`;
    this.onUnread(count);
  }

  /**
   * @param {import("./conversation.js").Message | undefined} before
   * @param {import("./conversation.js").Message} message
   */
  #row(before, message) {
    const row = make("li", "message");
    row.dataset.number = String(message.number);
    if (message.by === this.#own) row.dataset.own = "";
    const heading = make("p", goesOn(before, message) ? "heading visually-hidden" : "heading");
    const at = new Date(message.at);
    const time = document.createElement("time");
    time.dateTime = message.at;
    time.title = at.toLocaleString();
    time.textContent = timeInWords(at, new Date());
    heading.append(make("b", "by", message.by), " ", time);
    row.append(heading, make("p", "text", message.text));
    return row;
  }
}
