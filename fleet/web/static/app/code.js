// A code as it is used: the symbol, how many of 30, how long yet, and each device as it comes.

import { attempt, del, get, post } from "../api.js";
import { el, fill } from "../dom.js";
import { good, left, meter, pulse, refusal, regularly, tag } from "../parts.js";
import { deviceRow } from "./rows.js";

const EVERY_MS = 1000;
const AT_ONCE_MAX = 30; // cameras that see one screen

export async function show({ root, place, rest: [batch], go }) {
  const path = `${root}/batches/${encodeURIComponent(batch)}`;
  const first = await get(path);
  const screen = frame(root, batch, first, go);
  fill(place, screen.parts);
  let expires = Date.now() + first.expires_ms - first.now_ms;
  let drawn = "";
  const stops = [
    regularly(EVERY_MS, async () => {
      const now = await get(path);
      expires = Date.now() + now.expires_ms - now.now_ms; // by the server's clock, not by ours
      const state = JSON.stringify({ ...now, now_ms: 0 });
      if (state !== drawn) screen.draw(now);
      drawn = state;
    }, screen.alive.show),
    regularly(250, async () => screen.tick(expires - Date.now())),
    cameras(root, batch, screen.bench),
  ];
  return () => stops.forEach((stop) => stop());
}

function frame(root, batch, first, go) {
  const alive = pulse();
  const used = el("strong", { id: "used" });
  const bar = el("div", {});
  const time = el("strong", { id: "countdown", role: "timer" });
  const list = el("div", { id: "devices" });
  const spoken = el("p", { class: "sr", role: "status" }); // only what is new is read out
  const bench = el("section", { "aria-label": "Cameras of this fleet", hidden: true });
  const cancel = el("button", { type: "button", class: "danger wide", onclick: attempt(async () => {
    await del(`${root}/batches/${encodeURIComponent(batch)}`);
    good("The code is worthless now.");
  }) }, "Cancel this code");
  const over = el("span", { class: "over" });
  const code = el("section", { class: "code", "aria-label": "Code" }, symbol(root, batch, first, over),
    el("p", { class: "muted" }, first.ssid ? ["Wi-Fi ", el("strong", {}, first.ssid), ". Hold the screen 20 to 30 cm before the lens; tap for a larger code."]
      : "The picture is no longer kept here. Make a new code to go on."),
    el("div", { class: "figures" }, el("div", {}, el("small", {}, "Released"), used, bar), el("div", {}, el("small", {}, "Expires in"), time)));
  let before = new Map();
  const draw = (now) => {
    used.textContent = `${now.used} of ${now.max_devices}`;
    fill(bar, meter("Devices released by this code", now.used, now.max_devices, { level: "good" }));
    code.classList.toggle("dead", !now.alive);
    over.textContent = now.cancelled ? "cancelled" : now.used >= now.max_devices ? "used up" : "expired";
    cancel.hidden = !now.alive;
    bench.classList.toggle("useless", !now.alive);
    const news = now.devices.filter((one) => before.get(one.uuid) !== one.status);
    if (news.length) spoken.textContent = news.map((one) => `${one.uuid} ${one.status === "ok" ? "unbound" : `refused: ${one.why}`}`).join(". ");
    before = new Map(now.devices.map((one) => [one.uuid, one.status]));
    fill(list, now.devices.length ? el("ul", { class: "devices" }, now.devices.map((row) => deviceRow(row)))
      : el("p", { class: "empty" }, "No device has come yet."));
  };
  const again = el("button", { type: "button", class: "wide", onclick: () => go("qr") }, "New code");
  const tick = (ms) => { time.textContent = left(ms); };
  const head = el("div", { class: "section" }, el("h2", {}, "Devices"), alive.element);
  return { parts: [code, bench, head, spoken, list, el("div", { class: "both" }, again, cancel)], draw, tick, alive, bench };
}

function symbol(root, batch, first, over) {
  if (!first.ssid) return null;
  const source = `${root}/codes/${encodeURIComponent(batch)}/code.svg`;
  const enlarge = () => {
    const dialog = el("dialog", { class: "whole", "aria-label": "Large code" },
      el("button", { type: "button", onclick: () => dialog.close(), "aria-label": "Close the large code" }, el("img", { src: source, alt: "" })));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  return el("button", { type: "button", class: "symbol", onclick: enlarge, "aria-label": "Show the code larger" },
    el("img", { id: "symbol", src: source, alt: `QR code of batch ${batch}` }), over);
}

// --- cameras of a simulated fleet -----------------------------------------------------------------

const READINGS = { waiting: ["waiting", "warn"], unbinding: ["unbinding", "warn"], unbound: ["unbound", "good"], failed: ["failed", "bad"] };

function cameras(root, batch, place) {
  const chosen = new Map(); // by uuid, whether it is chosen; those that wait are, unless somebody says no
  const failed = el("div", {});
  const hold = el("button", { type: "button", class: "main wide", id: "hold" }, "Hold it to the cameras");
  const list = el("ul", { class: "devices" });
  const title = el("summary", {});
  hold.addEventListener("click", attempt(async () => {
    fill(failed);
    const uuids = [...list.querySelectorAll("input:checked")].map((box) => box.value);
    try {
      const held = await post(`${root}/codes/${encodeURIComponent(batch)}/hold`, { uuids });
      good(`${held.cameras} ${held.cameras === 1 ? "camera sees" : "cameras see"} the code.`);
    } catch (error) {
      fill(failed, refusal(error));
    }
  }));
  fill(place, el("h2", {}, "Hold it to the camera"),
    el("p", { class: "muted" }, "The cameras of this fleet are simulated: somebody at their bench does it for you."),
    failed, hold, el("details", {}, title, list));
  let drawn = "";
  return regularly(EVERY_MS, async () => {
    const all = await get(`${root}/cameras`);
    const state = JSON.stringify(all);
    if (state === drawn) return;
    drawn = state;
    place.hidden = all.length === 0;
    const waiting = all.filter((one) => one.ready && one.reading !== "unbound").length;
    title.textContent = `Choose cameras: ${waiting} of ${all.length} wait`;
    if (list.contains(document.activeElement)) keepFocus(list, () => draw(list, all, chosen, hold));
    else draw(list, all, chosen, hold);
  });
}

function draw(list, all, chosen, hold) {
  let room = AT_ONCE_MAX;
  const boxes = all.map((one) => {
    const checked = one.ready && (chosen.get(one.uuid) ?? (one.reading !== "unbound" && room > 0));
    room -= checked;
    return el("input", { type: "checkbox", value: one.uuid, disabled: !one.ready, checked,
      onchange: (event) => { chosen.set(one.uuid, event.target.checked); count(list, hold); } });
  });
  fill(list, all.map((one, at) => el("li", {}, el("label", { class: "device", dataset: { camera: one.uuid, reading: one.reading } }, boxes[at],
    el("span", { class: "text" }, el("strong", { class: "mono" }, one.uuid), el("small", {}, one.product)),
    tag(...(READINGS[one.reading] || [one.light, ""]))))));
  count(list, hold);
}

function count(list, hold) {
  const chosen = list.querySelectorAll("input:checked").length;
  hold.textContent = chosen === 0 ? "Choose a camera that waits" : chosen === 1 ? "Hold it to 1 camera" : `Hold it to ${chosen} cameras`;
  if (chosen > AT_ONCE_MAX) hold.textContent = `At most ${AT_ONCE_MAX} cameras see one screen`;
  hold.disabled = chosen === 0 || chosen > AT_ONCE_MAX;
}

function keepFocus(list, work) {
  const value = document.activeElement.value;
  work();
  [...list.querySelectorAll("input")].find((box) => box.value === value)?.focus();
}
