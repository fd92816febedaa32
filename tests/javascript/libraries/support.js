// What the scripts of this folder share: each is run by tests/functional/test_stomp_libraries.py
// with the address of a server, speaks to it with a library that others wrote, and says how far it
// is in lines on its standard output.

export const url = process.argv[2];

/** Tell the test, which may be waiting for this line. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Messages as they come, to be awaited in order. */
export class Inbox {
  #messages = [];
  #waiting = [];

  put(message) {
    const next = this.#waiting.shift();
    if (next) next(message);
    else this.#messages.push(message);
  }

  take() {
    if (this.#messages.length) return Promise.resolve(this.#messages.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

// A test that hangs fails by itself, with the last line that it said.
setTimeout(() => {
  process.stderr.write("it takes too long\n");
  process.exit(2);
}, 100_000).unref();
