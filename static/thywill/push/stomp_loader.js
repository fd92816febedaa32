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
  // A browser may remember for the page's life that a module could not be loaded, one of those that
  // these two import among them; so Orbited has its files under as many folders as there are tries.
  const folder = attempts > 1 ? `static/again-${attempts}/` : "static/";
  const { href } = new URL(`${folder}protocols/stomp/stomp.js`, base);
  try {
    const { STOMPClient } = await import(href);
    const { Orbited } = await import(new URL(`${folder}Orbited.js`, base).href);
    return { Orbited, STOMPClient };
  } catch (cause) {
    throw new ThywillError("connection-lost", `cannot load ${href}`, { cause });
  }
}
