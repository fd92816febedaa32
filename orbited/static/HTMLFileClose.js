/**
 * The script of the page that answers htmlfile when the session is gone, for pages of 2010.
 *
 * A frame cannot see the status of its answer, so this tells the transport of Orbited.js 0.7.
 */

(() => {
  const frameID = new URLSearchParams(location.search).get("frameID") ?? "";
  const { Orbited } = /** @type {any} */ (parent);
  Orbited?.singleton.HTMLFile.instances[frameID]?.streamClosed();
})();
