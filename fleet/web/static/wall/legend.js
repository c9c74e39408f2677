// What each light means, how many devices show it now, and a button that shows only those.

import { el, fill, $, number } from "../dom.js";
import { colourAt, paint } from "../light.js";
import { human } from "./view.js";

const SAMPLES_MAX = 4; // models may blink differently for the same state

/** The legend of all products on the wall. `onlight(name)` is called for a chosen one. */
export class Legend {
  constructor(fleet, view, onlight) {
    Object.assign(this, { fleet, view, onlight });
    this.lamps = [];
  }

  /** Make the rows for the products that there are. */
  build() {
    const names = Object.keys(this.fleet.products[0].lights);
    this.lamps = [];
    this.rows = new Map(names.map((name) => [name, this.row(name)]));
    fill($("#legend"), [...this.rows.values()].map((row) => row.button));
  }

  row(name) {
    const meanings = this.fleet.products.map((product) => product.lights[name].meaning); // cameras and wired devices wait differently
    const patterns = distinct(this.fleet.products.map((product) => product.lights[name])).slice(0, SAMPLES_MAX);
    const lamps = patterns.map((pattern) => new Sample(pattern));
    this.lamps.push(...lamps);
    const count = el("span", { class: "count" });
    const button = el("button", { type: "button", class: "meaning", "aria-pressed": "false", dataset: { light: name }, onclick: () => this.onlight(name) },
      el("span", { class: "lamps" }, lamps.map((lamp) => lamp.element)),
      el("span", { class: "words" }, el("strong", {}, human(name)), el("small", {}, [...new Set(meanings)].join(" ")),
        el("span", { class: "sr" }, patterns.map((pattern) => pattern.words).join("; "))),
      count);
    return { button, count };
  }

  /** Count anew. */
  count() {
    const counts = new Map();
    const { shapes, shape } = this.fleet;
    const byShape = new Uint32Array(shapes.length);
    for (const one of shape) byShape[one]++;
    byShape.forEach((many, n) => counts.set(shapes[n].light, (counts.get(shapes[n].light) ?? 0) + many));
    for (const [name, { button, count }] of this.rows) {
      const many = counts.get(name) ?? 0;
      if (count.dataset.count !== String(many)) {
        count.dataset.count = many;
        count.textContent = number(many);
        button.classList.toggle("none", many === 0);
      }
      button.setAttribute("aria-pressed", String(this.view.light === name));
    }
  }

  /** Let the samples blink. */
  blink(now, still) {
    for (const lamp of this.lamps) lamp.show(still ? 0 : now);
  }
}

/** One lamp that shows a pattern. */
export class Sample {
  constructor(pattern, size = "") {
    this.pattern = pattern;
    this.element = el("span", { class: `lamp ${size}`, "aria-hidden": "true" });
    this.start = 0;
  }

  /** Show what the pattern shows at `now`. */
  show(now) {
    const colour = colourAt(this.pattern, Math.max(0, now - this.start));
    if (colour === this.colour) return;
    this.colour = colour;
    this.element.dataset.colour = colour;
    this.element.style.setProperty("--lit", colour ? paint(colour) : "transparent");
    this.element.classList.toggle("lit", colour !== "");
  }
}

function distinct(patterns) {
  return [...new Map(patterns.map((pattern) => [pattern.words, pattern])).values()];
}
