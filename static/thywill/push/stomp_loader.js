import { ThywillError } from "../errors.js";

/** @type {{Orbited: any, STOMPClient: any} | undefined} */
let modules;

/**
 * Give a new STOMPClient of the Orbited server that the page was told about.
 *
 * @param {{orbited_url: string, transports?: string[]}} push
 * @param {number} attempts how often this page has tried to connect
 */
export async function loadStompClient({ orbited_url: url, transports }, attempts) {
  const base = new URL(url, document.baseURI);
  modules ??= await loadModules(base, attempts);
  const { Orbited, STOMPClient } = modules;
  Orbited.settings.url = base.href;
  if (transports !== undefined && transports.length > 0) {
    Orbited.settings.transports = transports;
  }
  return new STOMPClient();
}

/**
 * @param {URL} base
 * @param {number} attempts
 */
async function loadModules(base, attempts) {
  const { href } = new URL("static/protocols/stomp/stomp.js", base);
  // A browser may remember for the page's life that an address could not be loaded. Neither of
  // these two imports the other, and what they import is not asked for before they have come.
  const query = attempts > 1 ? `?attempt=${attempts}` : "";
  try {
    const { STOMPClient } = await import(href + query);
    const { Orbited } = await import(new URL("static/Orbited.js", base).href + query);
    return { Orbited, STOMPClient };
  } catch (cause) {
    throw new ThywillError("connection-lost", `cannot load ${href}`, { cause });
  }
}
