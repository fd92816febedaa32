/** Writing a message: the field that grows, Enter, and what could not be sent. */
import { element, make } from "./elements.js";

/** @param {(text: string) => void} send @param {(hasText: boolean) => void} changed */
export function wireComposer(send, changed) {
  if (document.getElementById("composer") === null) return;
  const form = /** @type {HTMLFormElement} */ (element("composer"));
  const field = /** @type {HTMLTextAreaElement} */ (element("message"));

  function fit() {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }

  field.addEventListener("input", () => {
    fit();
    changed(field.value.trim() !== "");
  });
  field.addEventListener("keydown", (event) => {
    // While an input method composes, Enter takes its suggestion.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text === "") return;
    field.value = "";
    fit();
    send(text);
    field.focus();
  });
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

/** @param {number} waiting */
export function showWaiting(waiting) {
  if (document.getElementById("sending") === null) return;
  element("sending").textContent =
    waiting > 1
      ? `${waiting} messages wait to be sent.`
      : "Enter sends, Shift+Enter begins a new line.";
}

/**
 * Show a message that was not sent, with its text, until its author has decided.
 *
 * @param {import("./outbox.js").Unsent} unsent
 * @param {() => void} again
 */
export function showUnsent({ text, error }, again) {
  const row = make("li", "");
  const retry = make("button", "quiet", "Try again");
  const drop = make("button", "quiet", "Discard");
  retry.addEventListener("click", () => {
    row.remove();
    again();
  });
  drop.addEventListener("click", () => row.remove());
  for (const button of [retry, drop]) button.setAttribute("type", "button");
  row.append(make("p", "text", text), make("p", "problem", `Not sent: ${error.message}`));
  row.append(retry, " ", drop);
  element("unsent").append(row);
}
