// Wired devices on this network: search, list, select, run.

import { get, post } from "../api.js";
import { el, fill } from "../dom.js";
import { inPlace, pulse, regularly, tag } from "../parts.js";

const EVERY_MS = 1500;

export async function show({ root, place, go }) {
  const alive = pulse();
  const failed = el("div", {});
  const list = el("ul", { class: "devices", id: "found" });
  const state = el("p", { class: "muted", role: "status" }, "Searching this network …");
  const all = el("button", { type: "button", "aria-pressed": "true" }, "Select all");
  const start = el("button", { class: "main wide", id: "run", disabled: true }, "Unbind");
  const chosen = new Map();
  const boxes = () => [...list.querySelectorAll("input")];
  const count = () => {
    const number = boxes().filter((box) => box.checked).length;
    start.textContent = number === 0 ? "Choose devices" : number === 1 ? "Unbind 1 device" : `Unbind ${number} devices`;
    start.disabled = number === 0;
    all.setAttribute("aria-pressed", String(number > 0 && number === boxes().length));
  };
  all.addEventListener("click", () => {
    const on = all.getAttribute("aria-pressed") !== "true";
    for (const box of boxes()) { box.checked = on; chosen.set(box.value, on); }
    count();
  });
  const begin = inPlace(failed, async () => {
    const uuids = boxes().filter((box) => box.checked).map((box) => box.value);
    const run = await post(`${root}/runs`, { uuids });
    go("run", run.run);
  });
  fill(place, el("form", { onsubmit: begin },
    el("div", { class: "section" }, el("h2", {}, "Devices on this network"), alive.element),
    state, el("div", {}, all), list, failed, start));
  let drawn = "";
  return regularly(EVERY_MS, async () => {
    const found = await get(`${root}/wired`);
    const now = JSON.stringify(found);
    if (now === drawn) return;
    drawn = now;
    const past = found.filter((one) => one.unbound).length;
    state.textContent = found.length ? `${found.length} ${found.length === 1 ? "device waits" : "devices wait"} for a token${past ? `, ${past} unbound already` : ""}.`
      : "Nothing yet. Devices announce themselves every few seconds once they were reset and have power and a cable.";
    all.hidden = found.length === 0;
    const focused = list.contains(document.activeElement) ? document.activeElement.value : null;
    fill(list, found.map((one) => row(one, chosen, count)));
    if (focused !== null) boxes().find((box) => box.value === focused)?.focus();
    count();
  }, alive.show);
}

function row(one, chosen, count) {
  const box = el("input", { type: "checkbox", value: one.uuid, checked: chosen.get(one.uuid) ?? !one.unbound,
    onchange: () => { chosen.set(one.uuid, box.checked); count(); } });
  return el("li", {}, el("label", { class: "device", dataset: { found: one.uuid } }, box,
    el("span", { class: "text" }, el("strong", { class: "mono" }, one.uuid), el("small", {}, `${one.product} · ${one.ip} · LAN ${one.version}`)),
    one.foreign ? tag("speaks from another address", "warn") : one.unbound ? tag("unbound", "good") : el("span", {})));
}
