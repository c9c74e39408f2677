// The lights of a device over time as a ribbon: what is lit in its colour, what blinks in stripes.

import { el, svg, clock } from "../dom.js";
import { paint } from "../light.js";

const WIDTH = 600;
const HEIGHT = 28;
const SPAN_MS_MIN = 10000;
let made = 0;

/** Return the ribbon of a life; `patternOf(light)` is what this model does. */
export function ribbon(life, patternOf) {
  const now = life.now_ms;
  const steps = life.steps.length ? life.steps : [{ at_ms: now - SPAN_MS_MIN, light: life.light }];
  const from = Math.min(steps[0].at_ms, now - SPAN_MS_MIN);
  const x = (ms) => (WIDTH * (ms - from)) / (now - from);
  const stripes = new Map();
  const parts = steps.map((step, n) => {
    const until = steps[n + 1]?.at_ms ?? now;
    const pattern = patternOf(step.light);
    return svg("rect", { x: x(step.at_ms).toFixed(2), y: 0, width: Math.max(0.6, x(until) - x(step.at_ms)).toFixed(2), height: HEIGHT, fill: ink(pattern, stripes) },
      titled(`${step.light.replaceAll("_", " ")}: ${pattern.words}, from ${clock(step.at_ms)}`));
  });
  return [
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${life.steps.length} states since ${clock(from)}` },
      svg("defs", {}, ...[...stripes.values()].map((one) => one.element)),
      svg("rect", { width: WIDTH, height: HEIGHT, class: "dark" }), ...parts),
    el("div", { class: "row ends" }, el("small", {}, clock(from)), el("span", { class: "grow" }), el("small", {}, clock(now))),
  ];
}

function titled(text) {
  const title = svg("title");
  title.textContent = text;
  return title;
}

function ink(pattern, stripes) {
  if (!pattern.colours.length) return "none";
  if (!pattern.on_ms) return paint(pattern.colours[0]);
  if (!stripes.has(pattern.words)) {
    const id = `stripes-${++made}`;
    const wide = Math.min(12, 3 + pattern.on_ms / 250);
    const second = pattern.colours[1];
    stripes.set(pattern.words, { id, element: svg("pattern", { id, width: 2 * wide, height: HEIGHT, patternUnits: "userSpaceOnUse" },
      svg("rect", { width: wide, height: HEIGHT, fill: paint(pattern.colours[0]) }),
      ...(second ? [svg("rect", { x: wide, width: wide, height: HEIGHT, fill: paint(second) })] : [])) });
  }
  return `url(#${stripes.get(pattern.words).id})`;
}
