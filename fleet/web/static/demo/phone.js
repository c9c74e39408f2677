// The apps beside the device: the developer app unbinds, the owner's app pairs; codes, and the wired way.

import { $, el, fill } from "../dom.js";
import { attempt, post } from "../api.js";

const TITLES = {
  owner: "owns the products", partner: "partner with the right to develop",
  after_sale: "after-sales service of the owner's space", no_right: "partner that may only buy", first_owner: "first owner", next_owner: "next owner",
};

export class Phone {
  constructor() {
    this.key = "";
    this.code = null;
    $("#role").addEventListener("change", () => this.chosen());
    $("#code-form").addEventListener("submit", attempt(() => post("/api/demo/code", {
      role: $("#role").value,
      right_password: !$("#mistype").checked,
      life_s: this.pairs || !$("#life").value ? null : Number($("#life").value),
    })));
  }

  get pairs() { return ["first_owner", "next_owner"].includes($("#role").value); }

  get what() { return this.wired ? "token" : "code"; }

  begin(world, other) {
    this.wired = world.model.wired;
    $("#mistype-label").hidden = this.wired;
    $("#pictures").hidden = this.wired;
    this.key = "";
    if (!other) return;
    const group = (label, purpose) => el("optgroup", { label }, world.people.filter((one) => one.purpose === purpose)
      .map((one) => el("option", { value: one.role }, `${one.name} – ${TITLES[one.role]}`)));
    const before = $("#role").value;
    fill($("#role"), group("Developer app: unbind", "unbind"), group("Owner’s app: pair", "pair"));
    $("#role").value = before || "after_sale";
    this.chosen();
  }

  chosen() {
    $("#life-label").hidden = this.pairs;
    $("#life-title").textContent = this.wired ? "Token runs out after" : "Code runs out after";
    $("#make").textContent = this.pairs ? `Make a pairing ${this.what}` : `Make an unbinding ${this.what}`;
  }

  show(world) {
    const { codes, touch, found, busy } = world.now;
    const code = codes.at(-1) ?? null;
    const key = JSON.stringify([code, touch.shown, found, busy]);
    if (key === this.key) return;
    this.key = key;
    this.code = code;
    if (code?.outcome && $("#app-says").textContent !== code.outcome) $("#app-says").textContent = code.outcome;
    if (code === null) {
      fill($("#screen"), el("p", { class: "empty" }, `No ${this.what} was made yet: choose who asks for one.`));
      return;
    }
    fill($("#screen"), ...this.screen(code, touch, found, busy !== ""));
  }

  screen(code, touch, found, busy) {
    const used = code.purpose === "unbind" ? `${code.used} of ${code.devices_max} used` : code.used ? "used" : "not used yet";
    return [
      el("p", { class: "row" },
        el("strong", {}, code.purpose === "unbind" ? "Unbind devices" : "Add a device"),
        el("span", { class: "tag", id: "used", dataset: { used: code.used } }, used),
        el("span", { class: "tag", id: "expiry" })),
      el("p", { class: "muted" }, code.account),
      ...(this.wired ? this.wiredWay(code, found, busy) : this.picture(code, touch)),
      el("p", { id: "outcome", class: code.ok === true ? "good" : code.ok === false ? "bad" : "" }, code.outcome),
    ];
  }

  picture(code, touch) {
    const held = touch.shown === code.number;
    const toggle = () => post("/api/demo/hand", held ? { do: "hide" } : { do: "hold", code: code.number });
    const wifi = `Wi-Fi “${code.ssid}”${code.right_password ? "" : ", password mistyped"}`;
    return [
      el("img", { src: `/api/demo/codes/${code.number}`, alt: `QR code ${code.number}: ${wifi}`, width: 180, height: 180 }),
      el("p", { class: "muted" }, wifi),
      el("button", { type: "button", id: "hold", class: held ? "" : "main", "aria-pressed": String(held), onclick: attempt(toggle) },
        held ? "Take it away from the camera" : "Hold it to the camera"),
    ];
  }

  wiredWay(code, found, busy) {
    return [
      el("div", { class: "row" },
        el("button", { type: "button", id: "search", disabled: busy, onclick: attempt(() => post("/api/demo/search")) }, "Search the LAN"),
        el("button", { type: "button", id: "send", class: "main", disabled: busy || found.length === 0,
          onclick: attempt(() => post("/api/demo/send", { code: code.number })) }, "Send the token")),
      found.length === 0 ? el("p", { class: "muted" }, "Devices that wait for a token show up here.")
        : el("ul", { class: "found" }, found.map((uuid) => el("li", {},
          el("label", { class: "inline" }, el("input", { type: "radio", name: "found", checked: true, value: uuid }), uuid)))),
    ];
  }

  frame(nowMs) {
    const tag = $("#expiry");
    if (!tag || this.code === null) return;
    const leftS = Math.ceil((this.code.expires_ms - nowMs) / 1000);
    const text = leftS > 0 ? `runs out in ${Math.floor(leftS / 60)}:${String(leftS % 60).padStart(2, "0")}` : "has run out";
    if (tag.textContent === text) return;
    tag.textContent = text;
    tag.className = leftS > 0 ? "tag" : "tag bad";
  }
}
