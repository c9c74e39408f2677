// Batches and quotas: what is left today, tickets for more, and the codes that were made.

import { attempt, del, get, post } from "../api.js";
import { date, el, fill, number } from "../dom.js";
import { ask, good, left, meter, pulse, regularly, sheet, tag } from "../parts.js";

export const TITLE = "Batches and quotas";
const EVERY_MS = 2000;

export async function show({ root, body, tools, account, again }) {
  const products = await get(`${root}/products`);
  const names = new Map(products.map((one) => [one.product_id, one]));
  const quotas = el("section", { class: "quotas", "aria-label": "Quotas of today" });
  const day = el("p", { class: "muted" });
  const batches = el("section", { class: "card" });
  const alive = pulse();
  fill(tools, alive.element);
  fill(body, day, quotas, batches);
  let drawn = "";
  return regularly(EVERY_MS, async () => {
    const [today, made] = await Promise.all([get(`${root}/quotas`), get(`${root}/batches`)]);
    const state = JSON.stringify([today, made.map((one) => [one, status(one)[0]])]);
    if (state === drawn) return tick(batches, made); // whoever has the focus on a button keeps it
    drawn = state;
    day.textContent = `Day ${today.day}. Only devices that were released count.`;
    fill(quotas, card(account, today.account, root, again),
      el("div", { class: "card" }, el("h3", {}, "Products"), ofProducts(today, names, root, again)));
    fill(batches, el("h3", {}, "Batches"), listed(root, made));
  }, alive.show);
}

function card(account, quota, root, again) {
  return el("article", { class: "card quota", dataset: facts("account", account.name, quota) },
    el("h3", {}, "This account"),
    el("p", {}, el("span", { class: "big" }, number(room(quota))), el("span", { class: "muted" }, ` left of ${number(quota.limit)}`)),
    meter("Quota of this account", quota.used, quota.limit),
    el("div", { class: "row" }, el("p", { class: "muted grow" }, `${number(quota.used)} unbound today`),
      raise("account", account.name, "this account", quota, root, again)));
}

function ofProducts(today, names, root, again) {
  const name = (one) => names.get(one.product_id)?.name || one.product_id;
  return sheet("Quotas of products", [
    ["Product", (one) => el("span", { class: "name" }, name(one))],
    ["Left", (one) => el("div", { dataset: facts("product", one.product_id, one) }, el("strong", {}, number(room(one))),
      el("span", { class: "muted" }, ` of ${number(one.limit)}`))],
    ["Used", (one) => el("div", {}, meter(`Quota of ${name(one)}`, one.used, one.limit), el("small", { class: "muted" }, `${number(one.used)} unbound today`))],
    ["", (one) => names.get(one.product_id)?.right === "owner" ? raise("product", one.product_id, name(one), one, root, again)
      : el("small", { class: "muted" }, "its owner can raise it"), "actions"],
  ], today.products, { key: (one) => one.product_id, empty: "This account may not unbind devices of any product." });
}

const room = (quota) => Math.max(0, quota.limit - quota.used);
const facts = (scope, name, quota) => ({ scope, name, used: String(quota.used), limit: String(quota.limit) });

function raise(scope, name, title, quota, root, again) {
  return el("button", { type: "button", "aria-label": `Ticket for ${title}`, onclick: () => ticket(scope, name, title, quota, root, again) }, "Ticket");
}

function ticket(scope, name, title, quota, root, again) {
  const limit = el("input", { type: "number", min: "0", max: "1000000", step: "1", required: true, value: String(quota.limit * 2 || 100) });
  ask(`Ticket: ${title}`, [
    el("p", { class: "muted" }, `Today ${number(quota.used)} of ${number(quota.limit)} are used. The vendor raises a limit on request; here it counts at once.`),
    el("label", {}, "Devices that may be unbound in a day", limit),
  ], "Send the ticket", async () => {
    await post(`${root}/tickets`, { scope, name, limit: Number(limit.value) });
    good(`The limit of ${title} is now ${number(limit.value)} a day.`);
    again();
  });
}

/** State and colour of a batch. */
function status(batch) {
  if (batch.cancelled) return ["cancelled", ""];
  if (batch.used >= batch.max_devices) return ["used up", "good"];
  if (Date.now() >= batch.expires_ms) return ["expired", ""];
  return ["alive", "warn"];
}

function listed(root, made) {
  return sheet("Batches of this account", [
    ["Batch", (one) => el("a", { class: "mono", href: `#history?batch=${encodeURIComponent(one.batch)}` }, one.batch)],
    ["Method", (one) => el("span", {}, one.method === "qr" ? "QR code" : "wired")],
    ["Released", (one) => el("div", {}, `${one.used} of ${one.max_devices}`,
      meter(`Released by ${one.batch}`, one.used, one.max_devices, { level: "good" }))],
    ["State", (one) => el("div", {}, tag(...status(one)), el("small", { class: "muted", dataset: { expires: String(one.expires_ms) } }, expiry(one)))],
    ["", (one) => status(one)[0] === "alive" ? el("button", { type: "button", class: "danger", "aria-label": `Cancel batch ${one.batch}`,
      onclick: attempt(async () => { await del(`${root}/batches/${encodeURIComponent(one.batch)}`); good(`Batch ${one.batch} is cancelled.`); }) },
    "Cancel") : "", "actions"],
  ], made, { key: (one) => one.batch, empty: "No codes or tokens were made yet: the Developer app makes them." });
}

const expiry = (batch) => status(batch)[0] === "alive"
  ? `expires in ${left(batch.expires_ms - Date.now())}` : `until ${date(batch.expires_ms)}`;

/** Let the countdowns go on without drawing the list anew. */
function tick(place, made) {
  for (const one of made) {
    const row = [...place.querySelectorAll("tr")].find((each) => each.dataset.key === one.batch);
    const line = row?.querySelector("[data-expires]");
    if (line) line.textContent = expiry(one);
  }
}
