/**
 * The last script of a page: everything else has run, so the bootstrap can begin.
 *
 * The configuration is data, in an element that no browser executes.
 */
import { thywill } from "./thywill.js";

const element = document.getElementById("thywill-configuration");
if (element === null) {
  thywill.bootstrap.fail("client_interface", 'the page has no "thywill-configuration" element');
} else {
  thywill.bootstrap.fn(JSON.parse(element.textContent));
}
