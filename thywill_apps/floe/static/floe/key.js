/**
 * What brings a player back after a reload: a key that this tab alone has.
 *
 * It is in the tab's storage only while no page has it. A tab that is copied while it plays copies
 * no key, and is another player.
 */
const NAME = "floe-key";

/** @returns {string} 32 hexadecimal digits */
export function takeKey() {
  const key = sessionStorage.getItem(NAME) ?? newKey();
  sessionStorage.removeItem(NAME);
  addEventListener("pagehide", () => sessionStorage.setItem(NAME, key));
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) sessionStorage.removeItem(NAME);
  });
  return key;
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
