import assert from "node:assert/strict";
import { test } from "node:test";
import { watchEnd } from "../../../static/thywill/ended.js";

/** A page that can be ended, and the element that tells it. */
function newPage(why) {
  let reloads = 0;
  const location = { href: "http://x/thywill/init/#here", reload: () => (reloads += 1) };
  const behind = [];
  const createElement = () => ({
    children: [],
    append(...children) {
      this.children.push(...children);
    },
    setAttribute() {},
    addEventListener(name, listener) {
      this[name] = listener;
    },
    remove() {
      behind.splice(behind.indexOf(this), 1);
    },
  });
  const problem = {
    hidden: true,
    className: "problem",
    textContent: "",
    ownerDocument: { location, createElement },
    after: (element) => behind.unshift(element),
  };
  const listeners = {};
  let fail;
  const ready = new Promise((_, reject) => (fail = reject));
  const thywill = {
    state: "live",
    push: { lastError: null },
    on: (name, listener) => (listeners[name] = listener),
    application: { ready: () => ready },
  };
  watchEnd(thywill, problem, why);
  const enter = (state, error = null) => {
    const previous = thywill.state;
    thywill.state = state;
    thywill.push.lastError = error;
    listeners.state(state, previous);
  };
  return { problem, behind, enter, fail, reloads: () => reloads };
}

test("nothing is told while the connection is mended", () => {
  const { problem, behind, enter } = newPage();
  enter("recovering", new Error("connection lost"));
  enter("offline", new Error("connection lost"));
  assert.equal(problem.hidden, true);
  assert.deepEqual(behind, []);
});

for (const [message, shown] of [
  [
    "the site has ended this connection; load the page again",
    "the site has ended this connection. ",
  ],
  [
    "The CSRF token is missing or wrong; load the page again.",
    "The CSRF token is missing or wrong. ",
  ],
  ["This page is not known; load it again.", "This page is not known. "],
  ["not allowed", "not allowed. "],
]) {
  test(`the end is told with a link: ${message}`, () => {
    const { problem, behind, enter, reloads } = newPage();
    problem.hidden = false;
    enter("closed", new Error(message));
    const [{ className, children }] = behind;
    const [text, link] = children;
    assert.deepEqual([problem.hidden, className], [true, "problem"]);
    assert.equal(text, shown);
    assert.equal(link.textContent, "Load the page again");
    let isPrevented = false;
    link.click({ preventDefault: () => (isPrevented = true) });
    assert.deepEqual([isPrevented, reloads()], [true, 1]);
  });
}

test("a page that closes by itself has words too, until it opens again; once at a time", () => {
  const { behind, enter } = newPage();
  enter("closed");
  assert.equal(behind[0].children[0], "The connection has ended. ");
  enter("connecting");
  assert.deepEqual(behind, []);
  enter("closed");
  enter("closed");
  assert.equal(behind.length, 1);
});

test("an application may know a better reason", () => {
  const { behind, enter } = newPage(() => "The room is gone.");
  enter("closed", new Error("the site has ended this connection"));
  assert.equal(behind[0].children[0], "The room is gone. ");
});

test("a start that fails is told; a refusal once, in the words of the site", async () => {
  const { problem, behind, fail } = newPage();
  fail(new Error("push: not ready after 30 s"));
  await new Promise(setImmediate);
  assert.deepEqual([problem.textContent, problem.hidden], ["push: not ready after 30 s", false]);
  assert.deepEqual(behind, []); // it goes on trying
  const { problem: other, behind: told, enter, fail: refuse } = newPage();
  enter("closed", new Error("not allowed"));
  refuse(new Error("push: not allowed"));
  await new Promise(setImmediate);
  assert.equal(other.hidden, true);
  assert.equal(told[0].children[0], "not allowed. ");
});
