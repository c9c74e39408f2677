// The light and the state over the last seconds, on a canvas that scrolls as time passes.

import { $ } from "../dom.js";
import { changesPerS, paint, stretches } from "../light.js";
import { timeOfDay } from "./clock.js";

const WINDOW_S = 12; // of real time
const LIGHT = { top: 8, height: 34 };
const STATE = { top: 56, height: 30 };
const AXIS_TOP = 102;
const KEPT_MAX = 400;
const TONES_MAX = 60;
const FLASHES_MAX = 3; // per second
const STILL_EVERY_MS = 1000;

export class Timeline {
  constructor() {
    this.canvas = $("#timeline");
    this.changes = []; // {at, light, since, state}
    this.tones = []; // when
    this.patterns = new Map();
    this.reduced = matchMedia("(prefers-reduced-motion: reduce)");
    this.drawnMs = 0;
    this.dirty = true;
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  begin(world) {
    this.patterns = new Map(world.lights.map((light) => [light.state, light.pattern]));
    this.changes = [];
    this.tones = [];
  }

  show(world, happened) {
    this.tones = [...this.tones, ...happened.filter((one) => one.type === "sounded").map((one) => one.at_ms)].slice(-TONES_MAX);
    for (const one of happened) {
      if (one.type !== "shown") continue;
      const last = this.changes.at(-1);
      const since = last?.light === one.light ? last.since : one.at_ms;
      this.changes.push({ at: one.at_ms, light: one.light, since, state: one.lifecycle.toLowerCase() });
    }
    if (this.changes.length > KEPT_MAX) this.changes.splice(0, this.changes.length - KEPT_MAX);
    this.dirty = true;
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(116 * ratio);
    this.dirty = true;
  }

  frame(nowMs, rate) {
    const realMs = performance.now();
    if (this.reduced.matches && !this.dirty && realMs - this.drawnMs < STILL_EVERY_MS) return;
    if (rate === 0 && !this.dirty) return;
    this.drawnMs = realMs;
    this.dirty = false;
    this.draw(nowMs, WINDOW_S * 1000 * Math.max(1, rate), rate);
  }

  draw(nowMs, spanMs, rate) {
    const context = this.canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const width = this.canvas.width / ratio;
    const style = getComputedStyle(this.canvas);
    const [ink, line, sunken] = ["--muted", "--line", "--sunken"].map((name) => style.getPropertyValue(name));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, 116);
    context.fillStyle = sunken;
    context.fillRect(0, STATE.top, width, STATE.height);
    const x = (ms) => width + ((ms - nowMs) / spanMs) * width;
    const startMs = nowMs - spanMs;
    for (const [i, change] of this.changes.entries()) {
      const endMs = Math.min(nowMs, this.changes[i + 1]?.at ?? nowMs);
      if (endMs <= startMs || endMs <= change.at && i < this.changes.length - 1) continue;
      this.light(context, change, Math.max(startMs, change.at), endMs, x, rate);
      this.state(context, change, Math.max(startMs, change.at), endMs, x, { ink, line });
    }
    context.fillStyle = ink;
    for (const at of this.tones) if (at > startMs) context.fillText("♪", x(at) - 4, STATE.top - 1);
    axis(context, startMs, nowMs, x, { ink, line, width });
    const said = `the last ${Math.round(spanMs / 1000)} s${rate > 1 ? ` at ${rate} ×` : ""}`;
    if ($("#window").textContent !== said) $("#window").textContent = said;
  }

  light(context, change, fromMs, toMs, x, rate) {
    const pattern = this.patterns.get(change.light);
    if (!pattern) return;
    const area = (from, to) => [x(from), LIGHT.top, Math.max(0.5, x(to) - x(from)), LIGHT.height];
    // What scrolls by quicker than three flashes a second would flash over a large area.
    if (changesPerS(pattern, Math.max(1, rate)) / 2 > FLASHES_MAX) {
      mixture(context, pattern, area(fromMs, toMs));
      return;
    }
    for (const [colour, from, to] of stretches(pattern, fromMs - change.since, toMs - change.since)) {
      context.fillStyle = paint(colour);
      context.fillRect(...area(from + change.since, to + change.since));
    }
  }

  state(context, change, fromMs, toMs, x, { ink, line }) {
    const left = x(fromMs);
    const right = x(toMs);
    context.fillStyle = line;
    context.fillRect(left, STATE.top, 1, STATE.height);
    context.fillStyle = ink;
    context.font = "12px system-ui, sans-serif";
    if (context.measureText(change.state).width + 8 < right - left) {
      context.fillText(change.state, left + 5, STATE.top + 20);
    }
  }
}

/** What an eye sees of a light that is too quick for it: its colours, by how long each is lit. */
function mixture(context, pattern, area) {
  context.fillStyle = paint(pattern.mode === "alternate" ? pattern.colours[1] : "");
  context.fillRect(...area);
  context.globalAlpha = pattern.on_ms / (pattern.on_ms + pattern.off_ms);
  context.fillStyle = paint(pattern.colours[0]);
  context.fillRect(...area);
  context.globalAlpha = 1;
}

function axis(context, startMs, nowMs, x, { ink, line, width }) {
  const spanS = (nowMs - startMs) / 1000;
  const stepS = [1, 2, 5, 10, 20, 30, 60].find((step) => (width / spanS) * step > 48) ?? 60;
  context.fillStyle = ink;
  context.font = "11px system-ui, sans-serif";
  for (let at = Math.ceil(startMs / 1000 / stepS) * stepS; at * 1000 <= nowMs; at += stepS) {
    const left = x(at * 1000);
    context.fillStyle = line;
    context.fillRect(left, 88, 1, 5);
    context.fillStyle = ink;
    context.fillText(timeOfDay(at * 1000).slice(3), left + 3, AXIS_TOP + 2);
  }
}
