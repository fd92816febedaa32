import { ThywillError } from "./errors.js";

/** Answers that come from something in front of a site that is away, not from the site. */
const SITE_IS_AWAY = new Set([502, 503, 504]);

/**
 * POST one JSON object to the site and read the JSON answer.
 *
 * @param {string} path
 * @param {object} body
 * @param {{csrfToken: string, timeoutSeconds?: number, keepalive?: boolean,
 *   fetch?: typeof fetch}} options `keepalive`: send it even when the page is being unloaded
 * @returns {Promise<Record<string, any>>} the answer, whose `status` is "ok"
 * @throws {ThywillError} code `network` when nobody answered, so that it is not known whether the
 *   site has seen the request; otherwise the code of the answer
 */
export async function post(path, body, options) {
  const { csrfToken, keepalive = false, ...more } = options;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken };
  const request = { method: "POST", headers, body: JSON.stringify(body), keepalive };
  return answerOf(path, request, more);
}

/**
 * GET a JSON answer of the site.
 *
 * @param {string} path
 * @param {{timeoutSeconds?: number, fetch?: typeof fetch}} [options]
 * @returns {Promise<Record<string, any>>} as of `post`
 * @throws {ThywillError} as of `post`
 */
export async function get(path, options = {}) {
  return answerOf(path, { method: "GET" }, options);
}

/**
 * @param {string} path
 * @param {RequestInit} request
 * @param {{timeoutSeconds?: number, fetch?: typeof fetch}} options
 */
async function answerOf(path, request, options) {
  const { timeoutSeconds = 30, fetch = globalThis.fetch } = options;
  let response;
  let text;
  try {
    response = await fetch(path, {
      ...request,
      credentials: "same-origin",
      cache: "no-store",
      headers: { Accept: "application/json", ...request.headers },
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    });
    text = await response.text();
  } catch (cause) {
    throw new ThywillError("network", `no answer from ${path}`, { cause });
  }
  const answer = parsed(text);
  if (response.ok && answer?.status === "ok") {
    return answer;
  }
  if (typeof answer?.code === "string") {
    const { code, message, id, retry_after: retryAfter } = answer;
    throw new ThywillError(code, String(message), { status: response.status, id, retryAfter });
  }
  if (response.ok && answer === null && mayBeCutShort(response)) {
    throw new ThywillError("network", `the answer from ${path} was cut short`);
  }
  if (SITE_IS_AWAY.has(response.status)) {
    throw new ThywillError("network", `${path} is away for the moment`, {
      status: response.status,
    });
  }
  throw new ThywillError(`http-${response.status}`, `${path} answered something unexpected`, {
    status: response.status,
  });
}

/**
 * Whether an answer that is no JSON may be what a broken connection has left of one: over plain
 * HTTP browsers take a head that ends in the middle for a whole one.
 *
 * @param {Response} response
 */
function mayBeCutShort(response) {
  const type = response.headers.get("content-type") ?? "";
  return type.startsWith("application/json") || "application/json".startsWith(type);
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
