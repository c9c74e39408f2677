// The password, for pages that are open to a network.

import { $ } from "./dom.js";
import { attempt, post, session } from "./api.js";

$("#login").addEventListener("submit", attempt(async () => {
  await post("/api/login", { password: $("#password").value });
  await session(true);
  location.assign("/");
}));
