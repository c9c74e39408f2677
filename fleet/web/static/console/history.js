// The operation history, newest first: what was done, what was refused and why.

import { get } from "../api.js";
import { date, el, fill } from "../dom.js";
import { pulse, regularly, sheet, tag, words } from "../parts.js";

export const TITLE = "Operation history";
const EVERY_MS = 2000;

export async function show({ root, body, tools, query }) {
  const batch = query.get("batch") || "";
  const status = query.get("status") || "";
  const after = query.get("after") || "";
  const products = await get(`${root}/products`);
  const names = new Map(products.map((one) => [one.product_id, one.name]));
  const rows = el("section", { class: "card" });
  const alive = pulse();
  fill(tools, after ? null : alive.element);
  fill(body, filters(batch, status), rows);
  let drawn = "";
  const look = async () => {
    const page = await get(`${root}/history?${new URLSearchParams({ batch, status, after: after || "0" })}`);
    const state = JSON.stringify(page);
    if (state === drawn) return;
    drawn = state;
    fill(rows, listed(page.rows, names), pager(batch, status, after, page.next));
  };
  if (after === "") return regularly(EVERY_MS, look, alive.show);
  return look(); // older pages do not change
}

const link = (fields) => `#history?${new URLSearchParams(Object.entries(fields).filter(([, value]) => value))}`;

function filters(batch, status) {
  const named = el("input", { value: batch, maxLength: 64, autocomplete: "off", placeholder: "all batches" });
  const outcome = el("select", {}, [["", "all outcomes"], ["ok", "done"], ["refused", "refused"]].map(([value, text]) =>
    el("option", { value, selected: value === status }, text)));
  const go = (event) => { event.preventDefault(); location.hash = link({ batch: named.value.trim(), status: outcome.value }); };
  outcome.addEventListener("change", go);
  return el("form", { class: "card filters", onsubmit: go, "aria-label": "Filter" },
    el("label", {}, "Batch", named), el("label", {}, "Outcome", outcome),
    el("button", {}, "Show"), batch || status ? el("a", { class: "button", href: "#history" }, "Clear") : null);
}

function listed(rows, names) {
  return sheet("Operations, newest first", [
    ["When", (one) => el("time", { dateTime: new Date(one.time_ms).toISOString() }, date(one.time_ms))],
    ["What", (one) => el("div", {}, words(one.operation), el("small", { class: "muted" }, one.method === "qr" ? "QR code" : words(one.method)))],
    ["Device", (one) => el("div", {}, el("a", { class: "mono", href: `#log?uuid=${encodeURIComponent(one.uuid)}` }, one.uuid || one.dev_id),
      el("small", { class: "muted" }, names.get(one.product_id) || one.product_id))],
    ["Outcome", outcome],
    ["Who", (one) => el("div", {}, el("span", {}, one.account || "nobody known"),
      one.batch ? el("small", {}, el("a", { class: "mono", href: link({ batch: one.batch }) }, one.batch)) : null)],
  ], rows, { key: (one) => String(one.id), empty: "Nothing fits: nothing was done yet, or the filter is too narrow." });
}

function outcome(one) {
  if (one.status === "ok") return tag("done", "good");
  return el("div", { dataset: { reason: one.reason } }, tag("refused", "bad"), one.tries > 1 ? tag(`${one.tries} tries`) : null,
    el("div", {}, one.why, " ", el("code", {}, one.reason)), el("small", { class: "muted" }, one.advice));
}

function pager(batch, status, after, next) {
  if (!after && next === null) return null;
  return el("nav", { class: "row", "aria-label": "Pages of the history" },
    after ? el("a", { class: "button", href: link({ batch, status }) }, "Newest") : null,
    next !== null ? el("a", { class: "button", href: link({ batch, status, after: String(next) }) }, "Older") : null);
}
