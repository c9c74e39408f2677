// What a light shows at an instant, and how its colours are painted: the one place for all pages.

import { get } from "./api.js";

const { shades, dark } = await get("/api/colours"); // the table that pictures and terminals have

/** The colour that is lit `elapsedMs` after a pattern began; "" is dark. */
export function colourAt(pattern, elapsedMs) {
  if (pattern.mode === "off") return "";
  if (!pattern.on_ms) return pattern.colours[0];
  const period = pattern.on_ms + pattern.off_ms;
  const into = ((elapsedMs % period) + period) % period;
  if (into < pattern.on_ms) return pattern.colours[0];
  return pattern.mode === "alternate" ? pattern.colours[1] : "";
}

/** How a lamp of this colour looks on its dark body; "" is one that is not lit. */
export const paint = (colour) => (colour ? shades[colour].lit : dark);

/** How this colour is drawn on any ground, light or dark. */
export const ink = (colour) => (colour ? shades[colour].ink : "currentColor");

/** The letter that stands for a colour; a dot for darkness. */
export const letter = (colour) => (colour ? shades[colour].letter : "·");

export const COLOURS = Object.keys(shades);

/** How often a pattern changes per second of real time, at so many virtual seconds per second. */
export function changesPerS(pattern, rate = 1) {
  return pattern.on_ms ? (2000 * rate) / (pattern.on_ms + pattern.off_ms) : 0;
}

/** The stretches of a pattern from `fromMs` to `toMs` after it began: [colour, startMs, endMs]. */
export function stretches(pattern, fromMs, toMs) {
  if (!pattern.on_ms) return [[colourAt(pattern, 0), fromMs, toMs]];
  const found = [];
  const period = pattern.on_ms + pattern.off_ms;
  let at = fromMs;
  while (at < toMs) {
    const into = at % period;
    const until = Math.min(toMs, at - into + (into < pattern.on_ms ? pattern.on_ms : period));
    found.push([colourAt(pattern, at), at, until]);
    at = until;
  }
  return found;
}
