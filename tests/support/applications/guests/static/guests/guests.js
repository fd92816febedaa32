/** Shows what becomes of the page in its title; notes what it hears in the room of its hash. */
const page = /** @type {any} */ (globalThis);
const { thywill } = page;

/** @type {string[]} */
const heard = [];
const shown = document.createElement("p");
shown.id = "heard";
document.body.append(shown);
thywill.on("state", (/** @type {string} */ state) => {
  document.title = `${state} ${thywill.push.lastError?.code ?? ""}`.trim();
});
thywill.application.fn = () => {
  document.title = "live";
  if (page.location.hash === "") return;
  page.room = thywill.channel(`room:${page.location.hash.slice(1)}`);
  for (const event of ["join", "leave"]) {
    page.room.on(event, (/** @type {any} */ card) => {
      heard.push(`${event} ${card.name}`);
      shown.textContent = heard.join(", ");
    });
  }
};
