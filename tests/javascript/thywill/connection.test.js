import assert from "node:assert/strict";
import { test } from "node:test";
import {
  showConnection,
  stateInWords,
  transportInWords,
} from "../../../static/thywill/connection.js";

/** A page with two elements for each thing that is shown, and a thywill that can be told. */
function newPage() {
  const elements = { state: [], words: [], transport: [] };
  for (const list of Object.values(elements)) {
    list.push({ dataset: {}, textContent: "" }, { dataset: {}, textContent: "" });
  }
  const page = {
    querySelectorAll: (selector) => elements[/"(\w+)"/.exec(selector)[1]],
  };
  const listeners = {};
  const thywill = {
    state: "connecting",
    on: (name, listener) => (listeners[name] = listener),
  };
  showConnection(thywill, page);
  return { elements, listeners };
}

test("the state of the moment is shown, and each one that follows", () => {
  const { elements, listeners } = newPage();
  assert.deepEqual(
    elements.state.map(({ dataset }) => dataset.state),
    ["connecting", "connecting"],
  );
  listeners.state("live");
  assert.equal(elements.state[1].dataset.state, "live");
  assert.equal(elements.words[0].textContent, "connected");
});

test("the transport is shown when there is one", () => {
  const { elements, listeners } = newPage();
  assert.equal(elements.transport[0].textContent, "");
  listeners.transport("longpoll");
  assert.equal(elements.transport[0].textContent, "long polling");
  listeners.transport(null);
  assert.equal(elements.transport[1].textContent, "nothing at the moment");
});

test("what has no words yet is shown as it is called", () => {
  assert.equal(stateInWords("new"), "new");
  assert.equal(transportInWords("pigeon"), "pigeon");
});
