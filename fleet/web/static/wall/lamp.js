// What a lamp on the wall is made of: the dark body, and lit in one of the colours that lights have.

import { COLOURS as LIT, paint } from "../light.js";

/** All that a lamp can show; its place here is its number in buffers. "" is dark. */
export const COLOURS = ["", ...LIT];

/** Return a CSS colour #rrggbb as three numbers from 0 to 1. */
export function rgb(css) {
  const hex = /^#([0-9a-f]{6})$/i.exec(css);
  if (!hex) throw new Error(`no colour #rrggbb: ${css}`);
  return [0, 2, 4].map((place) => parseInt(hex[1].slice(place, place + 2), 16) / 255);
}

/** A lamp that is dark: its rim stands out from its body. */
export const RIM = rgb(paint(""));
export const BODY = RIM.map((part) => 0.7 * part);

const css = (colour, alpha = 1) => `rgb(${colour.map((part) => Math.round(255 * part)).join(" ")} / ${alpha})`;

/** Return a picture of a lamp, `size` pixels wide, with `colour` (three numbers) or null for dark. */
export function sprite(size, colour) {
  const canvas = new OffscreenCanvas(size, size);
  const pen = canvas.getContext("2d");
  const half = size / 2;
  const disc = (radius, fill) => {
    pen.fillStyle = fill;
    pen.beginPath();
    pen.arc(half, half, radius * half, 0, 2 * Math.PI);
    pen.fill();
  };
  if (colour === null) {
    disc(0.74, css(RIM, 0.9));
    disc(0.62, css(BODY));
    return canvas;
  }
  const glow = pen.createRadialGradient(half, half, 0.4 * half, half, half, half);
  glow.addColorStop(0, css(colour, 0.5));
  glow.addColorStop(1, css(colour, 0));
  disc(1, glow);
  const core = pen.createRadialGradient(0.88 * half, 0.84 * half, 0, half, half, 0.62 * half);
  core.addColorStop(0, css(colour.map((part) => part + (1 - part) * 0.35)));
  core.addColorStop(0.8, css(colour));
  disc(0.62, core);
  return canvas;
}
