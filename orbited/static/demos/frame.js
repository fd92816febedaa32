/**
 * What stands on each page of the demos beside its own: name and state above, what to connect to, and
 * the way to the other demos.
 */

/** File and name of each. */
const DEMOS = [
  ["echo.html", "Echo"],
  ["telnet.html", "Telnet"],
  ["stomp.html", "STOMP shell"],
];

const STATE = '<p class="state" id="state" role="status" data-state="closed">closed</p>';

const ADDRESS = `
  <label class="grows">Host, as the server sees it <input id="host" required autocapitalize="none"></label>
  <label>Port <input id="port" required inputmode="numeric" pattern="[0-9]{1,5}" size="6"></label>
  <label>Transport
    <select id="transport">
      <option value="">the best that works</option>
      <option>websocket</option>
      <option>xhrstream</option>
      <option>sse</option>
      <option>longpoll</option>
      <option>poll</option>
    </select>
  </label>`;

const BUTTON = '<button id="toggle" disabled>Connect</button>';

/** Complete the page: its header, its form to connect with, and its footer. */
export function completePage() {
  const name = document.querySelector("h1")?.textContent;
  const links = DEMOS.map(([file, title]) => {
    const mark = title === name ? ' aria-current="page"' : "";
    return `<a href="${file}"${mark}>${title}</a>`;
  });
  insert("masthead", "beforeend", STATE);
  insert("connect", "afterbegin", ADDRESS);
  insert("connect", "beforeend", BUTTON);
  insert("demos", "afterbegin", links.join("\n"));
}

/** @param {string} id @param {InsertPosition} where @param {string} markup of this file, no text of others */
function insert(id, where, markup) {
  document.getElementById(id)?.insertAdjacentHTML(where, markup);
}
