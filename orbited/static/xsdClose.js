/**
 * Says good-bye for a page of 2010 on another subdomain, which may be gone before an answer comes.
 *
 * Orbited.js of 0.7 puts xsdClose.html into a hidden frame, with its `document.domain` behind the
 * `#`, and calls `sendCloseFrame(url, packets)` in it when its session is reset. Who may embed it
 * is said in xsdrBridge.js.
 */

(() => {
  document.domain = location.hash.slice(1);

  /**
   * @param {string} url of the session
   * @param {string} packets to post
   */
  function sendCloseFrame(url, packets) {
    void fetch(url, { method: "POST", body: packets, keepalive: true });
  }

  Object.assign(globalThis, { sendCloseFrame });
})();
