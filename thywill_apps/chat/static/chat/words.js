/** Words for what the page shows: times, who types. */

/**
 * @param {string[]} names
 * @returns {string} such as "ann and ben are typing"; empty for nobody
 */
export function typingInWords(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length > 3) return `${names.length} people are typing`;
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]} are typing`;
}

/** @param {number} count */
export function visitorsInWords(count) {
  return count === 1 ? "1 visitor" : `${count} visitors`;
}

/**
 * @param {Date} at
 * @param {Date} now
 * @param {string} [locale] the browser's by default
 * @returns {string} the time, with the day where it is another one
 */
export function timeInWords(at, now, locale) {
  const time = at.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === now.toDateString()) return time;
  const isThisYear = at.getFullYear() === now.getFullYear();
  const day = at.toLocaleDateString(locale, {
    day: "numeric",
    month: "short",
    ...(isThisYear ? {} : { year: "numeric" }),
  });
  return `${day}, ${time}`;
}
