// Unbind Devices: by QR code or by wire, and the form before a code.

import { get, post } from "../api.js";
import { el, fill } from "../dom.js";
import { inPlace } from "../parts.js";
import { entry } from "./signs.js";

export async function methods({ place }) {
  fill(place, el("p", { class: "muted" }, "Devices must be reset before: hold the button until the light says that they wait."),
    el("ul", { class: "menu" },
      entry("#qr", "qr", "QR code", "Cameras read a code from this screen, up to 30 with one code"),
      entry("#wired", "wired", "Wired", "Recorders and gateways are found on this network")));
}

export async function form({ root, place, go }) {
  const here = await get(`${root}/place`);
  const own = el("input", { type: "radio", name: "wifi", value: "own", checked: Boolean(here.ssid) });
  const other = el("input", { type: "radio", name: "wifi", value: "other", checked: !here.ssid });
  const ssid = el("input", { maxLength: 32, autocomplete: "off" });
  const password = el("input", { type: "password", maxLength: 64, autocomplete: "off" });
  const shown = el("input", { type: "checkbox", onchange: () => { password.type = shown.checked ? "text" : "password"; } });
  const typed = el("div", { class: "card" }, el("label", {}, "Wi-Fi name", ssid), el("label", {}, "Wi-Fi password", password),
    el("label", { class: "inline" }, shown, "Show the password"));
  const count = el("input", { type: "number", min: "1", max: String(here.devices_per_code), value: String(here.devices_per_code), required: true });
  const choose = () => { typed.hidden = own.checked; ssid.required = other.checked; };
  own.addEventListener("change", choose);
  other.addEventListener("change", choose);
  choose();
  const failed = el("div", {});
  const make = inPlace(failed, async () => {
    const wifi = own.checked ? { own_wifi: true } : { ssid: ssid.value, password: password.value };
    const batch = await post(`${root}/codes`, { ...wifi, max_devices: Number(count.value) });
    go("code", batch.batch);
  });
  fill(place, el("form", { onsubmit: make },
    el("fieldset", {}, el("legend", {}, "Wi-Fi that the cameras are to join"),
      here.ssid ? el("label", { class: "inline" }, own, el("span", {}, el("strong", {}, here.ssid), " – this workshop, its password is known here")) : null,
      el("label", { class: "inline" }, other, "Another one"), typed),
    el("label", {}, `Devices for this code (at most ${here.devices_per_code})`, count),
    failed,
    el("button", { class: "main wide" }, "Make the code")));
}
