// One device in a list: what became of it, and why not.

import { clock, el } from "../dom.js";
import { tag, words } from "../parts.js";

const METHODS = { qr: "QR code", wired: "wired" };

/** A row of the history, or of a batch. */
export function deviceRow(row) {
  const done = row.status === "ok";
  const what = row.operation === "unbind" ? "unbound" : words(row.operation);
  return line({ uuid: row.uuid || row.dev_id, kind: done ? "good" : "bad",
    text: `${row.product_id} · ${METHODS[row.method] || words(row.method)} · ${clock(row.time_ms)}`,
    tags: tag(done ? what : "refused", done ? "good" : "bad"), outcome: done ? "unbound" : "refused",
    why: done ? "" : row.why, reason: row.reason, advice: row.advice });
}

/** A device with a dot for its state, a line of text, tags, and below why it failed. */
export function line({ uuid, kind, text, tags, outcome, why = "", reason = "", advice = "" }) {
  return el("li", { class: "device", dataset: { uuid, outcome } },
    el("span", { class: `dot ${kind}`, "aria-hidden": "true" }),
    el("span", { class: "text" }, el("strong", { class: "mono" }, uuid), el("small", {}, text)),
    tags,
    why ? el("div", { class: "why" }, el("p", {}, why, reason ? [" ", el("code", {}, reason)] : null),
      advice ? el("p", { class: "muted" }, advice) : null) : null);
}
