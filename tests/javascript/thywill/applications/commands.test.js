import assert from "node:assert/strict";
import { test } from "node:test";
import { Board } from "../../../../thywill_apps/commands/static/commands/board.js";
import { People } from "../../../../thywill_apps/commands/static/commands/people.js";
import {
  decode,
  encode,
  parts,
  pathOf,
  simplify,
} from "../../../../thywill_apps/commands/static/commands/strokes.js";

function stroke(number, fields = {}) {
  return { number, by: 1, name: "Ada", ink: "blue", width: 4, points: [1, 1], ...fields };
}

function numbersOf(board) {
  return board.strokes.map(({ number }) => number);
}

test("points on a straight line are left out, corners stay", () => {
  const points = [
    [0, 0],
    [10, 0],
    [20, 0.5],
    [30, 0],
    [30, 20],
    [30, 40],
  ];
  assert.deepEqual(simplify(points, 1), [
    [0, 0],
    [30, 0],
    [30, 40],
  ]);
  assert.deepEqual(simplify([[5, 5]], 1), [[5, 5]]);
  const still = Array.from({ length: 9 }, () => [7, 7]);
  assert.deepEqual(simplify(still, 1), [still[0], still[8]]);
});

test("a line with too many points is cut, and each part begins where the last ended", () => {
  const points = Array.from({ length: 10 }, (_, index) => [index, index]);
  const cut = parts(points, 4);
  assert.deepEqual(
    cut.map((part) => part.map(([x]) => x)),
    [
      [0, 1, 2, 3],
      [3, 4, 5, 6],
      [6, 7, 8, 9],
    ],
  );
  assert.deepEqual(parts(points, 10), [points]);
  assert.deepEqual(parts([[1, 1]], 4), [[[1, 1]]]);
});

test("what is sent is the first point and steps, in whole numbers, and is read back", () => {
  const points = [
    [10.4, 20.6],
    [11, 20],
    [5.5, 30],
  ];
  assert.deepEqual(encode(points), [10, 21, 1, -1, -5, 10]);
  assert.deepEqual(decode(encode(points)), [
    [10, 21],
    [11, 20],
    [6, 30],
  ]);
  assert.deepEqual(decode([]), []);
});

test("a path goes through the middles between points, and a dot is a path too", () => {
  assert.equal(pathOf([]), "");
  assert.equal(pathOf([[7, 8]]), "M7 8h0");
  const curve = "M1 2L2.5 4.5Q4 7 6 9Q8 11 8 12L8 13";
  assert.equal(pathOf(decode([1, 2, 3, 5, 4, 4, 0, 2])), curve);
});

test("a corner between long lines stays one", () => {
  const corner = "M0 0L286 0Q300 0 300 14L300 400";
  assert.equal(pathOf(decode([0, 0, 300, 0, 0, 400])), corner);
  assert.equal(pathOf(decode([5, 5, 0, 0, 0, 0])), "M5 5Q5 5 5 5L5 5");
});

test("strokes are in the order of their numbers, whatever order they are heard in", () => {
  const board = new Board();
  for (const number of [3, 1, 2]) assert.equal(board.add(stroke(number)), true);
  assert.equal(board.add(stroke(2)), false);
  assert.deepEqual(numbersOf(board), [1, 2, 3]);
});

test("a stroke that was taken away does not come back by late news", () => {
  const board = new Board();
  board.remove([2]);
  board.clear(4);
  assert.deepEqual(
    [2, 4, 5].map((number) => board.add(stroke(number))),
    [false, false, true],
  );
  board.remove([5]);
  board.reset([stroke(5), stroke(6)], 6);
  assert.deepEqual(numbersOf(board), [6]);
});

test("beginning anew keeps what is newer than the answer", () => {
  const board = new Board();
  for (const number of [1, 2, 9]) board.add(stroke(number));
  board.reset([stroke(2), stroke(3)], 8);
  assert.deepEqual(numbersOf(board), [2, 3, 9]);
});

test("what was taken away is remembered up to a bound", () => {
  const board = new Board(2);
  board.remove([1, 2, 3]);
  assert.deepEqual(
    [1, 3].map((number) => board.add(stroke(number))),
    [true, false],
  );
});

test("who came and went while the list was asked for counts more than the list", () => {
  const people = new People();
  people.expect();
  people.remove(1);
  people.add({ person: 3, name: "Cleo" });
  people.add({ person: 2, name: "Benny" });
  const answer = ["Ada", "Ben"].map((name, index) => ({ person: index + 1, name }));
  people.reset(answer);
  assert.deepEqual(people.all, [
    [2, "Benny"],
    [3, "Cleo"],
  ]);
  people.remove(3);
  people.expect();
  people.reset(answer);
  assert.deepEqual(people.all, [
    [1, "Ada"],
    [2, "Ben"],
  ]);
});

test("people are known by name while they are here", () => {
  const people = new People();
  let changes = 0;
  people.onChange = () => (changes += 1);
  people.add({ person: 1, name: "Ada" });
  assert.deepEqual([people.has(1), people.nameOf(1), people.size], [true, "Ada", 1]);
  people.remove(1);
  assert.deepEqual([people.has(1), people.nameOf(1), people.size], [false, "somebody", 0]);
  assert.equal(changes, 2);
});
