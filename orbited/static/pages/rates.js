/**
 * Rates from readings of the counters, and how numbers are written.
 */

/**
 * What /system/counters answers.
 *
 * @typedef {object} Reading
 * @property {string} version
 * @property {Record<string, string>} versions
 * @property {string} status `ok`, or `stopping`
 * @property {number} seconds a clock that never jumps
 * @property {number} uptime_seconds
 * @property {Record<string, number>} counters
 * @property {number} sessions
 * @property {number} websockets
 * @property {Record<string, number>} transports
 * @property {number} queued_bytes
 * @property {number} unacknowledged_bytes
 * @property {number} slow_sessions
 * @property {number} memory_bytes
 * @property {number} cpu_seconds
 */

/**
 * Per second; null while there is only one reading.
 *
 * @typedef {object} Rate
 * @property {number | null} bytesDown
 * @property {number | null} bytesUp
 * @property {number | null} packetsDown
 * @property {number | null} packetsUp
 * @property {number | null} cpu seconds of CPU
 */

/** How many rates are remembered for the curves. */
const HISTORY = 120;

const UNKNOWN = "\u2013";

export class Rates {
  /** @type {Reading | null} */
  #last = null;

  /** Bytes a second to browsers, the newest last. @type {number[]} */
  down = [];

  /** Bytes a second from browsers, the newest last. @type {number[]} */
  up = [];

  /**
   * Take a reading; one of a server that has started anew begins anew.
   *
   * @param {Reading} reading
   * @returns {Rate}
   */
  add(reading) {
    const last = this.#last;
    this.#last = reading;
    if (last === null || reading.uptime_seconds <= last.uptime_seconds) {
      return { bytesDown: null, bytesUp: null, packetsDown: null, packetsUp: null, cpu: null };
    }
    const seconds = reading.seconds - last.seconds;
    /** @param {string} name */
    const rate = (name) => ((reading.counters[name] ?? 0) - (last.counters[name] ?? 0)) / seconds;
    const [bytesDown, bytesUp] = [rate("bytes_sent"), rate("bytes_received")];
    this.down = [...this.down, bytesDown].slice(-HISTORY);
    this.up = [...this.up, bytesUp].slice(-HISTORY);
    return {
      bytesDown,
      bytesUp,
      packetsDown: rate("packets_sent"),
      packetsUp: rate("packets_received"),
      cpu: (reading.cpu_seconds - last.cpu_seconds) / seconds,
    };
  }
}

/** A whole number with separators. @param {number | null | undefined} value */
export function count(value) {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.round(value).toLocaleString("en").replaceAll(",", "\u202f");
}

/** A size, in units of 1024. @param {number} value */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : 1;
  return `${size.toFixed(digits)} ${units[unit]}`;
}

/** @param {(value: number) => string} write @param {number | null} value */
export function perSecond(write, value) {
  return value === null ? UNKNOWN : `${write(value)}/s`;
}

/** The two largest units of a time. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.floor(seconds);
  /** @type {[number, string][]} */
  const units = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = units.findIndex(([value]) => value > 0);
  if (first === -1) return "0 s";
  return units
    .slice(first, first + 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(" ");
}
