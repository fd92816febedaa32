/**
 * Fetch what a page needs after it was loaded; the `thywill.loader` of 2011.
 *
 *     thywill.loader.js.fn("/static/chat/emoji.js", "script", () => { ... });
 *     const table = await thywill.loader.js.fn("/static/chat/emoji.json", "json");
 */
export const loader = {
  js: {
    /**
     * @param {string} url
     * @param {"script" | "json" | "text"} [dataType] a script is run, as an ES module, once
     * @param {(result: any) => void} [success]
     * @returns {Promise<any>} the module, the data or the text; rejects when it cannot be had
     */
    fn(url, dataType = "script", success = undefined) {
      const result = load(url, dataType);
      result.then(success, (error) => loader.js.onError(error));
      return result;
    },

    /** @param {unknown} error */
    onError(error) {
      console.error("thywill.loader:", error);
    },
  },
};

/**
 * @param {string} url
 * @param {string} dataType
 */
async function load(url, dataType) {
  if (dataType === "script") {
    return import(new URL(url, document.baseURI).href);
  }
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) {
    throw new Error(`${url}: ${response.status} ${response.statusText}`);
  }
  return dataType === "json" ? response.json() : response.text();
}
