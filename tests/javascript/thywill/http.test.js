import assert from "node:assert/strict";
import { test } from "node:test";
import { get, post } from "../../../static/thywill/http.js";

const options = (answer) => ({
  csrfToken: "c",
  fetch: async () => (answer instanceof Error ? Promise.reject(answer) : answer),
});

test("a request carries its fields as JSON and the CSRF token in the header", async () => {
  let seen;
  const fetch = async (path, request) => {
    seen = { path, ...request };
    return Response.json({ status: "ok", reply: 1 });
  };
  const answer = await post("/p/", { a: "é" }, { csrfToken: "c", fetch });
  assert.equal(answer.reply, 1);
  assert.equal(seen.path, "/p/");
  assert.equal(seen.method, "POST");
  assert.equal(seen.body, '{"a":"é"}');
  assert.equal(seen.headers["X-CSRFToken"], "c");
  assert.equal(seen.credentials, "same-origin");
});

test("an answer with a code is an error with code, sentence, status and id", async () => {
  const answer = Response.json(
    { status: "error", code: "not-allowed", message: "No.", id: "7" },
    { status: 403 },
  );
  await assert.rejects(post("/p/", {}, options(answer)), {
    code: "not-allowed",
    message: "No.",
    status: 403,
    id: "7",
  });
});

test("no answer at all has the code network", async () => {
  await assert.rejects(post("/p/", {}, options(new TypeError("failed"))), { code: "network" });
});

test("an answer that takes too long has the code network", async () => {
  const fetch = (_path, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const alive = setInterval(() => {}, 1000); // the signal's own timer does not keep node running
  await assert.rejects(post("/p/", {}, { csrfToken: "c", timeoutSeconds: 0.01, fetch }), {
    code: "network",
  });
  clearInterval(alive);
});

for (const status of [502, 503, 504]) {
  test(`${status} without a code comes from a proxy and has the code network`, async () => {
    const answer = new Response("<h1>Bad gateway</h1>", { status });
    await assert.rejects(post("/p/", {}, options(answer)), { code: "network", status });
  });
}

for (const [status, body] of [
  [500, "<h1>Server error</h1>"],
  [404, "null"],
  [200, "<html>log in</html>"],
  [200, '{"status": "strange"}'],
]) {
  test(`${status} with ${body} has the code http-${status}`, async () => {
    const answer = new Response(body, { status });
    await assert.rejects(post("/p/", {}, options(answer)), { code: `http-${status}` });
  });
}

for (const [what, body, headers] of [
  ["in its body", '{"status": "o', { "content-type": "application/json" }],
  ["in its head", null, {}],
  ["in the middle of its type", null, { "content-type": "applica" }],
]) {
  test(`an answer that was cut short ${what} has the code network`, async () => {
    const answer = new Response(body, { status: 200, headers });
    await assert.rejects(post("/p/", {}, options(answer)), { code: "network" });
  });
}

test("reading sends no token and is answered the same", async () => {
  let seen;
  const fetch = async (path, request) => {
    seen = { path, ...request };
    return Response.json({ status: "ok", csrf_token: "new" });
  };
  assert.equal((await get("/p/", { fetch })).csrf_token, "new");
  assert.equal(seen.method, "GET");
  assert.deepEqual(Object.keys(seen.headers), ["Accept"]);
  await assert.rejects(get("/p/", options(new TypeError("failed"))), { code: "network" });
});
