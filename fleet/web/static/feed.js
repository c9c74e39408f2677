// What the server tells by itself. EventSource connects again alone; the page says so meanwhile.

import { session } from "./api.js";

const AGAIN_MS = 1000;

/**
 * Listen to a feed. `handlers` by name of event get its data. `lost` (no data) means that something
 * was missed, and `opened` that the connection stands (again): read anew what you show.
 */
export function listen(path, handlers, { onstate = () => {} } = {}) {
  let source = null;
  let timer = 0;
  let closed = false;
  // A feed that is refused may be so because nobody is logged in here any more.
  const again = async () => {
    const about = await session(true).catch(() => null);
    if (closed) return;
    if (about && !about.trusted) location.assign("/login");
    else open();
  };
  const open = () => {
    source = new EventSource(path);
    source.addEventListener("open", () => { onstate("connected"); handlers.opened?.(); });
    source.addEventListener("error", () => {
      onstate("connecting");
      if (source.readyState === EventSource.CLOSED && !closed) timer = setTimeout(again, AGAIN_MS);
    });
    for (const [name, handle] of Object.entries(handlers)) {
      if (name !== "opened") source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
  };
  open();
  return () => { closed = true; clearTimeout(timer); source.close(); };
}
