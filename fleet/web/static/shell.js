// The frame of every page: the menu, the line for messages, leaving.

import { el, $ } from "./dom.js";
import { attempt, post, session } from "./api.js";

/** Fill in the frame. A page calls this first; it returns what the server says of itself. */
export async function begin() {
  const about = await session();
  const here = location.pathname.replace(/^\//, "") || about.pages[0]?.name;
  const links = about.pages.map((page) =>
    el("a", { href: `/${page.name}`, "aria-current": page.name === here ? "page" : null }, page.title));
  $(".top nav").replaceChildren(...links);
  if (about.password && about.trusted) {
    const leave = attempt(async () => { await post("/api/logout"); location.assign("/login"); });
    $(".top").append(el("button", { type: "button", onclick: leave }, "Log out"));
  }
  return about;
}
