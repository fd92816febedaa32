import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionState, TRANSITIONS } from "../../../static/thywill/state.js";

const CHANGES = ["open", "established", "lost", "overdue", "close"];
/** How to get to each state. */
const WAYS = {
  connecting: [],
  live: ["established"],
  recovering: ["established", "lost"],
  offline: ["overdue"],
  closed: ["close"],
};

for (const [state, way] of Object.entries(WAYS)) {
  for (const change of CHANGES) {
    const expected = TRANSITIONS[state][change];
    const says = expected === undefined ? "changes nothing" : `leads to ${expected}`;
    test(`"${change}" in the state ${state} ${says}`, () => {
      const heard = [];
      const machine = new ConnectionState((next, previous) => heard.push([next, previous]));
      way.forEach((step) => machine.apply(step));
      assert.equal(machine.name, state);
      heard.length = 0;
      assert.equal(machine.apply(change), expected !== undefined);
      assert.equal(machine.name, expected ?? state);
      assert.deepEqual(heard, expected === undefined ? [] : [[expected, state]]);
    });
  }
}

test("a lost connection is recovering, and only a long absence is offline", () => {
  const machine = new ConnectionState();
  const way = ["established", "lost", "lost", "overdue", "lost", "established"];
  const states = way.map((change) => machine.apply(change) && machine.name);
  assert.deepEqual(states, ["live", "recovering", false, "offline", false, "live"]);
});
