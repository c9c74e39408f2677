// The hands: power, the reset button as long as it is held, cable, Wi-Fi, and carrying it away.

import { $, el, fill } from "../dom.js";
import { attempt, post } from "../api.js";

const KEYS = [" ", "Enter"];

export class Hands {
  constructor() {
    this.queue = Promise.resolve(); // what a hand does arrives in its order
    this.down = false;
    this.pressedMs = null;
    this.holdMs = 3000;
    const toggle = (id, on, off) => $(id).addEventListener("click", () =>
      this.send({ do: $(id).getAttribute("aria-pressed") === "true" ? off : on }));
    toggle("#power", "power_on", "power_off");
    toggle("#cable", "plug", "unplug");
    toggle("#wifi", "wifi_on", "wifi_off");
    this.watchReset($("#reset"));
  }

  send(order) {
    const done = this.queue.then(() => attempt(() => post("/api/demo/hand", order))());
    this.queue = done;
    return done;
  }

  watchReset(button) {
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId); // a finger that slides off still holds
      this.press();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      button.addEventListener(name, () => this.release());
    }
    button.addEventListener("keydown", (event) => {
      if (!KEYS.includes(event.key)) return;
      event.preventDefault();
      if (!event.repeat) this.press();
    });
    button.addEventListener("keyup", (event) => { if (KEYS.includes(event.key)) this.release(); });
    button.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  press() {
    if (this.down) return;
    this.down = true;
    this.send({ do: "press" });
  }

  release() {
    if (!this.down) return;
    this.down = false;
    this.send({ do: "release" });
  }

  begin(world) {
    this.holdMs = world.model.hold_ms;
    $("#cable").hidden = !world.model.wired;
    $("#wifi").hidden = world.model.wired;
    $("#reset").title = `Held for ${this.holdMs / 1000} s it resets the device`;
    fill($("#places"), world.places.map(([name, title]) => el("label", { class: "inline" },
      el("input", { type: "radio", name: "place", value: name, onchange: () => this.send({ do: "move", place: name }) }),
      title)));
  }

  show(world, happened) {
    const { touch, clock } = world.now;
    const pressed = (id, on, text) => {
      $(id).setAttribute("aria-pressed", String(on));
      $(id).textContent = text;
    };
    pressed("#power", touch.powered, touch.powered ? "Power is on" : "Power is off");
    pressed("#cable", touch.plugged, touch.plugged ? "Cable is in" : "Cable is out");
    pressed("#wifi", touch.wifi, touch.wifi ? "Wi-Fi is on" : "Wi-Fi is off");
    const place = world.places.find(([name]) => name === touch.place);
    $("#wifi-name").textContent = world.model.wired ? "" : `Here is the Wi-Fi “${place[2]}”.`;
    const chosen = document.querySelector(`input[name="place"][value="${touch.place}"]`);
    if (chosen) chosen.checked = true;
    const finger = happened.filter((one) => one.type === "told" && one.who === "you").at(-1);
    if (!touch.pressed) this.pressedMs = null;
    else this.pressedMs ??= finger?.at_ms ?? clock.at_ms;
    $("#reset").setAttribute("aria-pressed", String(touch.pressed));
  }

  frame(nowMs) {
    const heldMs = this.pressedMs === null ? 0 : Math.max(0, nowMs - this.pressedMs);
    const text = this.pressedMs === null ? `Hold reset, ${this.holdMs / 1000} s` : `Held for ${(heldMs / 1000).toFixed(1)} s`;
    if ($("#reset-text").textContent !== text) $("#reset-text").textContent = text;
    $("#reset-fill").style.width = `${Math.min(100, (heldMs / this.holdMs) * 100)}%`;
  }
}
