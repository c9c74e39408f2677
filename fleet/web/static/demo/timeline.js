// The light and the state over the last seconds, on a canvas that scrolls as time passes.

import { $ } from "../dom.js";
import { changesPerS, paint, stretches } from "../light.js";

const WINDOW_S = 12; // of real time
const LIGHT = { top: 8, height: 34 };
const STATE = { top: 56, height: 30 };
const AXIS_TOP = 102;
const KEPT_MAX = 400;
const TONES_MAX = 60;
const EDGES_MAX = 1500; // of a light in view; what changes more often is drawn as a mixture
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
      this.light(context, change, Math.max(startMs, change.at), endMs, x);
      this.state(context, change, Math.max(startMs, change.at), endMs, x, { ink, line });
    }
    context.fillStyle = ink;
    for (const at of this.tones) if (at > startMs) context.fillText("♪", x(at) - 4, STATE.top - 1);
    axis(context, startMs, nowMs, x, { ink, line, width });
    $("#window").textContent = `the last ${Math.round(spanMs / 1000)} s${rate > 1 ? ` at ${rate} ×` : ""}`;
  }

  light(context, change, fromMs, toMs, x) {
    const pattern = this.patterns.get(change.light);
    if (!pattern) return;
    const edges = (changesPerS(pattern) * (toMs - fromMs)) / 1000;
    const drawn = edges > EDGES_MAX ? [[pattern.colours[0], 0, 0]] : stretches(pattern, fromMs - change.since, toMs - change.since);
    for (const [colour, from, to] of drawn) {
      context.fillStyle = paint(colour);
      const left = edges > EDGES_MAX ? x(fromMs) : x(from + change.since);
      const right = edges > EDGES_MAX ? x(toMs) : x(to + change.since);
      context.fillRect(left, LIGHT.top, Math.max(0.5, right - left), LIGHT.height);
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
    const text = new Date(at * 1000).toLocaleTimeString(undefined, { hour12: false }).slice(3);
    context.fillText(text, left + 3, AXIS_TOP + 2);
  }
}
