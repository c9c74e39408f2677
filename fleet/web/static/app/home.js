// The first screen: what is left today, what happened last; and what the + offers.

import { whoLine } from "../account.js";
import { get } from "../api.js";
import { el, fill, number } from "../dom.js";
import { meter, regularly } from "../parts.js";
import { entry } from "./signs.js";
import { deviceRow } from "./rows.js";

const EVERY_MS = 3000;
const ROWS = 5;

export async function home({ root, place, account, again }) {
  const quota = el("section", { class: "card left", "aria-label": "Left today" });
  const last = el("section", { "aria-label": "Latest operations" });
  fill(place, whoLine(root, account, again), quota,
    el("ul", { class: "menu" }, entry("#unbind", "unbind", "Unbind Devices", "Release a batch of returned devices")), last);
  let drawn = "";
  return regularly(EVERY_MS, async () => {
    const [quotas, page] = await Promise.all([get(`${root}/quotas`), get(`${root}/history`)]);
    const state = JSON.stringify([quotas, page.rows.slice(0, ROWS)]);
    if (state === drawn) return;
    drawn = state;
    const { used, limit } = quotas.account;
    fill(quota, el("h2", {}, "Left today"),
      el("p", {}, el("span", { class: "big", id: "left" }, number(Math.max(0, limit - used))), el("span", { class: "muted" }, ` of ${number(limit)} devices`)),
      meter("Quota of this account", used, limit),
      quotas.products.length === 0 ? el("p", { class: "muted" }, "This account may not unbind devices of any product.") :
        el("p", { class: "muted" }, `${quotas.products.length} products can be unbound; each has a limit of its own.`));
    fill(last, el("div", { class: "section" }, el("h2", {}, "Latest"), el("a", { href: "#history" }, "All")),
      page.rows.length ? el("ul", { class: "devices" }, page.rows.slice(0, ROWS).map((row) => deviceRow(row)))
        : el("p", { class: "empty" }, "Nothing was done yet."));
  });
}

export async function add({ place }) {
  fill(place, el("ul", { class: "menu" },
    entry("#unbind", "unbind", "Unbind Devices", "A batch of returned devices, by QR code or by wire"),
    entry("#history", "history", "History", "What was unbound, what failed and why")));
}
