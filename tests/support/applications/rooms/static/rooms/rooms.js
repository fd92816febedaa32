/** The page has nothing of its own: tests talk to `thywill` directly. */
document.title = "rooms";
