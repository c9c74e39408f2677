// The password, for pages that are open to a network.

import { $ } from "./dom.js";
import { attempt, post, session } from "./api.js";

$("#login").addEventListener("submit", attempt(async () => {
  await post("/api/login", { password: $("#password").value });
  await session(true);
  location.assign("/");
}));

// A link of another site comes without the cookie, and is led here; from here on there is one.
if (location.pathname === "/login" && (await session()).trusted) location.replace("/");
