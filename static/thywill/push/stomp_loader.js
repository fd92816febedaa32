import { ThywillError } from "../errors.js";

/** @type {any[] | undefined} */
let modules;

/**
 * Give a new STOMPClient of the Orbited server that the page was told about.
 *
 * A browser may remember that a module could not be fetched, so every attempt asks for another
 * address until one has worked.
 *
 * @param {any} push
 * @param {number} attempts
 */
export async function loadStompClient({ orbited_url: url, transports }, attempts) {
  const base = new URL(url, document.baseURI);
  const query = attempts > 1 ? `?attempt=${attempts}` : "";
  modules ??= await Promise.all(
    ["static/Orbited.js", "static/protocols/stomp/stomp.js"].map(async (path) => {
      const { href } = new URL(path, base);
      try {
        return await import(href + query);
      } catch (cause) {
        throw new ThywillError("connection-lost", `cannot load ${href}`, { cause });
      }
    }),
  );
  const [{ Orbited }, { STOMPClient }] = modules;
  Orbited.settings.url = base.href;
  if (transports?.length > 0) {
    Orbited.settings.transports = transports;
  }
  return new STOMPClient();
}
