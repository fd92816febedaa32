/** Shows what becomes of the page, in its title. */
const { thywill } = /** @type {any} */ (globalThis);

thywill.on("state", (/** @type {string} */ state) => {
  document.title = `${state} ${thywill.push.lastError?.code ?? ""}`.trim();
});
thywill.application.fn = () => {
  document.title = "live";
};
