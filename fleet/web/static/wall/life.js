// The life line of one device: who it is, how it is, what it has been through, and hands on it.

import { el, fill, $ } from "../dom.js";
import { attempt, get, say } from "../api.js";
import { link, power, press } from "./hands.js";
import { Sample } from "./legend.js";
import { ribbon } from "./ribbon.js";
import { human } from "./view.js";

const DEVICE_MS = 2000; // notes come without a change of state
const CLOUD_MS = 5000;
const SOURCES = { state: "device", note: "note", cloud: "cloud" };

const exact = (ms) => {
  const date = new Date(ms);
  const digits = (value, wanted) => String(value).padStart(wanted, "0");
  return `${digits(date.getHours(), 2)}:${digits(date.getMinutes(), 2)}:${digits(date.getSeconds(), 2)}.${digits(date.getMilliseconds(), 3)}`;
};

/** The panel. `onclose()` is called when it was closed. */
export class LifeLine {
  constructor(fleet, onclose) {
    Object.assign(this, { fleet, onclose });
    this.index = -1;
    this.hidden = new Set(); // sources that are not listed
    this.panel = $("#life");
    this.panel.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
  }

  /** Show a device; the focus goes to its name. */
  async open(index) {
    this.index = index;
    this.life = this.cloud = null;
    this.failed = "";
    clearInterval(this.timer);
    clearInterval(this.cloudTimer);
    this.build();
    this.panel.hidden = false;
    $("#life-title").focus();
    this.timer = setInterval(() => this.read(), DEVICE_MS);
    this.cloudTimer = setInterval(() => this.ask(), CLOUD_MS);
    await this.read();
    await this.ask();
  }

  close() {
    if (this.index < 0) return;
    this.index = -1;
    clearInterval(this.timer);
    clearInterval(this.cloudTimer);
    this.panel.hidden = true;
    this.onclose();
  }

  /** The wall has heard that devices have changed. */
  changed(indices) {
    if (this.index < 0 || !indices.includes(this.index) || this.soon) return;
    this.soon = setTimeout(() => { this.soon = 0; this.read(); }, 60);
    clearTimeout(this.cloudSoon);
    this.cloudSoon = setTimeout(() => this.ask(), 700);
  }

  /** Let the lamp of the panel blink. */
  blink(now, still) {
    if (this.index < 0 || !this.lamp) return;
    this.lamp.pattern = this.fleet.patterns[this.fleet.pattern[this.index]];
    this.lamp.start = this.fleet.start[this.index];
    this.lamp.show(still ? this.lamp.start : now);
  }

  async read() {
    const index = this.index;
    if (index < 0) return;
    const life = await get(`/api/wall/devices/${index}`).catch((error) => { say(error.message); return null; });
    if (life === null || index !== this.index) return;
    this.life = life;
    this.show();
  }

  async ask() {
    const index = this.index;
    if (index < 0) return;
    let cloud = null;
    let failed = "";
    try {
      cloud = await get(`/api/wall/devices/${index}/cloud`);
    } catch (error) {
      failed = error.message;
    }
    if (index !== this.index) return;
    this.cloud = cloud ?? this.cloud;
    this.failed = failed;
    this.show();
  }

  // --- what it looks like ---------------------------------------------------------------------------

  build() {
    this.lamp = new Sample(this.fleet.patterns[this.fleet.pattern[this.index]], "large");
    this.parts = {
      state: el("p", { class: "now", "aria-live": "polite" }),
      hands: el("div", { class: "row hands", role: "group", "aria-label": "Hands" }),
      ribbon: el("div", { class: "ribbon" }),
      facts: el("dl", { class: "facts" }),
      events: el("ol", { class: "events" }),
    };
    this.panel.dataset.device = this.index;
    fill(this.panel,
      el("div", { class: "row title" }, this.lamp.element,
        el("div", { class: "grow" }, el("h2", { id: "life-title", tabIndex: -1 }, `Device #${this.index}`),
          el("code", {}, this.fleet.uuids[this.index])),
        el("button", { type: "button", "aria-label": "Close", class: "close", onclick: () => this.close() }, "✕")),
      this.parts.state, this.parts.hands, el("h3", {}, "Light so far"), this.parts.ribbon, this.parts.facts,
      el("div", { class: "row" }, el("h3", { class: "grow" }, "Life line"), Object.keys(SOURCES).map((source) => this.chip(source))),
      el("div", { class: "scroll log", tabIndex: 0, role: "region", "aria-label": "Life line, newest first" }, this.parts.events));
  }

  chip(source) {
    const toggle = (event) => {
      if (this.hidden.has(source)) this.hidden.delete(source);
      else this.hidden.add(source);
      event.currentTarget.setAttribute("aria-pressed", String(!this.hidden.has(source)));
      this.events();
    };
    return el("button", { type: "button", class: "chip", "aria-pressed": String(!this.hidden.has(source)), onclick: toggle },
      { state: "States", note: "Notes", cloud: "Cloud" }[source]);
  }

  show() {
    const life = this.life;
    if (life === null) return;
    const reads = life.operator ? ` · the operator reads “${life.operator}”` : "";
    const text = `${human(life.lifecycle)}: ${this.pattern(life.light).words}${reads}`;
    if (this.parts.state.textContent !== text) this.parts.state.textContent = text;
    this.panel.dataset.state = life.lifecycle;
    this.panel.dataset.light = life.light;
    this.hands();
    this.facts();
    this.events();
    fill(this.parts.ribbon, ribbon(life, (light) => this.pattern(light)));
  }

  pattern(light) {
    return this.fleet.products[this.fleet.product[this.index]].lights[light];
  }

  hands() {
    const life = this.life;
    const key = `${life.powered} ${life.linked}`;
    if (this.parts.hands.dataset.key === key && this.parts.hands.childElementCount) return;
    this.parts.hands.dataset.key = key;
    const button = (text, title, work) => el("button", { type: "button", title, onclick: attempt(async () => { await work(); await this.read(); }) }, text);
    fill(this.parts.hands,
      button(`Hold reset ${(life.reset_hold_ms / 1000).toFixed(1)} s`, "Hold the reset button as long as this model wants", () => press(this.index)),
      life.powered ? button("Cut power", "Pull the plug", () => power(this.index, false))
        : button("Power on", "Put the plug back", () => power(this.index, true)),
      life.linked
        ? button(life.wired ? "Pull cable" : "Out of Wi-Fi reach", "Take its network away", () => link(this.index, false))
        : button(life.wired ? "Plug cable in" : "Back into Wi-Fi reach", "Give its network back", () => link(this.index, true)));
  }

  facts() {
    const { life, cloud } = this;
    const bound = cloud === null ? (this.failed || "asking the cloud …")
      : `${cloud.bound ? "bound" : "nobody’s"}, ${cloud.online ? "connected" : "not connected"}${cloud.pending_reset ? `, ${cloud.pending_reset} not heard yet` : ""}`;
    const facts = [
      ["In the cloud", bound, "bound"], ["Product", `${life.product} · ${life.model}`], ["Batch", life.batch || "in no batch yet"],
      ["Device id", life.dev_id], ["Firmware", `${life.firmware}, LAN ${life.lan_version}`],
      ["Address", `${life.address} · ${life.mac}`], ["Place", life.place], ["Session", human(life.session)],
      ["In a run", life.trouble ? `it is to get into trouble: ${human(life.trouble)}` : ""],
    ].filter(([, value]) => value !== "");
    fill(this.parts.facts, facts.flatMap(([name, value, key]) => [el("dt", {}, name), el("dd", { dataset: key ? { fact: key } : {} }, value)]));
    this.panel.dataset.bound = cloud === null ? "" : String(cloud.bound);
  }

  events() {
    const { life, cloud } = this;
    if (life === null) return;
    const told = [
      ...life.steps.map((step) => ({ at: step.at_ms, source: "state", light: step.light, text: human(step.lifecycle), more: [step.session === "DOWN" ? "" : `session ${human(step.session)}`, step.cause].filter(Boolean).join(" · ") })),
      ...life.notes.map((note) => ({ at: note.at_ms, source: "note", text: human(note.kind), more: note.detail })),
      ...(cloud?.rows ?? []).map((row) => ({ at: row.time_ms, source: "cloud", text: human(row.event), more: row.detail })),
    ].filter((event) => !this.hidden.has(event.source)).sort((a, b) => b.at - a.at);
    const rows = told.map((event) => el("li", { class: event.source, dataset: { source: event.source } },
      el("time", { class: "mono" }, exact(event.at)),
      el("span", { class: `tag ${event.source}` }, SOURCES[event.source]),
      el("span", { class: "text" }, el("strong", {}, event.text), event.more ? el("small", {}, ` ${event.more}`) : null)));
    if (life.forgotten) rows.push(el("li", { class: "older muted" }, `${life.forgotten} older states are forgotten`));
    if (!rows.length) rows.push(el("li", { class: "older muted" }, "Nothing has happened since these pages are served."));
    fill(this.parts.events, rows);
  }
}
