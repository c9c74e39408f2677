// What each light of this model means, with a lamp that shows it and files to take away.

import { $, el, fill, svg } from "../dom.js";
import { colourAt, paint } from "../light.js";

const FILES = [["gif", "GIF"], ["apng", "APNG"], ["png", "PNG"], ["svg", "SVG"]];

export class Lights {
  constructor() {
    this.rows = new Map();
  }

  begin(world, other) {
    if (!other) return;
    this.rows.clear();
    const head = ["", "Light", "Operator reads", "It means", "It looks", "Says who", "Files"];
    fill($("#lights"), el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Table of lights" },
      el("table", { class: "lights" },
        el("thead", {}, el("tr", {}, head.map((text) => (text ? el("th", { scope: "col" }, text) : el("td", {}))))),
        el("tbody", {}, world.lights.map((light) => this.row(world, light))))));
  }

  row(world, light) {
    const lamp = svg("circle", { cx: 10, cy: 10, r: 7, class: "bulb" });
    const name = world.model.name;
    const reads = light.reads.filter(Boolean);
    const row = el("tr", { dataset: { light: light.state } },
      el("td", {}, swatch(lamp)),
      el("th", { scope: "row" }, link(world, light.state)),
      el("td", {}, reads.length ? reads.map((word) => el("span", { class: `tag ${tone(word)}` }, word)) : "–",
        reads.length && light.reads.includes("") ? " or –" : null), // it depends on what was before
      el("td", {}, light.meaning),
      el("td", {}, light.words),
      el("td", {}, light.vendors ? `vendor: ${light.pattern.source}` : light.pattern.source),
      el("td", { class: "files" }, FILES.map(([kind, title]) =>
        el("a", { href: `/api/demo/lights/${name}/${light.state}.${kind}`, download: `${name}-${light.state}.${kind}`,
          "aria-label": `${title} of ${light.state}` }, title))));
    this.rows.set(light.state, { row, lamp, pattern: light.pattern, colour: null });
    return row;
  }

  show(world) {
    for (const [state, { row }] of this.rows) {
      if (state === world.now.shown.light) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  /** These lamps go at their own pace, in real time: they say how a light is, and not when it is. */
  frame() {
    const nowMs = performance.now();
    for (const one of this.rows.values()) {
      const colour = colourAt(one.pattern, nowMs);
      if (colour === one.colour) continue;
      one.colour = colour;
      one.lamp.setAttribute("fill", paint(colour));
    }
  }
}

/** A link that brings a new device of this model to this light, if there is a way. */
function link(world, state) {
  const text = state.replace("_", " ");
  if (!world.begin.includes(state)) return text;
  return el("a", { href: `/demo?${new URLSearchParams({ profile: world.model.name, state })}` }, text);
}

const swatch = (lamp) => svg("svg", { viewBox: "0 0 20 20", class: "swatch", "aria-hidden": "true" },
  svg("circle", { cx: 10, cy: 10, r: 9.5, class: "socket" }), lamp);

export function tone(word) {
  return { unbound: "good", failed: "bad", unbinding: "warn" }[word] ?? "";
}
