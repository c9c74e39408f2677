// The history on the phone: newest first, failures with their reasons.

import { attempt, get } from "../api.js";
import { el, fill } from "../dom.js";
import { pulse, regularly } from "../parts.js";
import { deviceRow } from "./rows.js";

const EVERY_MS = 3000;

export async function show({ root, place }) {
  const alive = pulse();
  const newest = el("ul", { class: "devices", id: "operations" });
  const older = el("ul", { class: "devices" });
  const empty = el("p", { class: "empty", hidden: true }, "Nothing was done yet.");
  let status = "";
  let next = null;
  const more = el("button", { type: "button", class: "wide", hidden: true }, "Older");
  const choose = [["", "All"], ["ok", "Unbound"], ["refused", "Failed"]].map(([value, text]) =>
    el("button", { type: "button", "aria-pressed": String(value === ""), value }, text));
  const page = (after) => get(`${root}/history?${new URLSearchParams({ status, after: String(after) })}`);
  const look = async () => {
    const wanted = status;
    const first = await page(0);
    if (wanted !== status) return; // somebody has chosen something else meanwhile
    fill(newest, first.rows.map((row) => deviceRow(row)));
    empty.hidden = first.rows.length > 0;
    if (older.children.length === 0) next = first.next;
    more.hidden = next === null;
  };
  more.addEventListener("click", attempt(async () => {
    const rest = await page(next);
    older.append(...rest.rows.map((row) => deviceRow(row)));
    next = rest.next;
    more.hidden = next === null;
  }));
  for (const button of choose) {
    button.addEventListener("click", attempt(async () => {
      status = button.value;
      for (const one of choose) one.setAttribute("aria-pressed", String(one === button));
      fill(older);
      await look();
    }));
  }
  fill(place, el("div", { class: "section" }, el("h2", {}, "Operations"), alive.element),
    el("div", { class: "row", role: "group", "aria-label": "Which operations" }, choose), newest, empty, older, more);
  return regularly(EVERY_MS, look, alive.show);
}
