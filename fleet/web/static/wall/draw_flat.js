// Lamps drawn on a plain canvas: where no graphics card helps, only what has changed or blinked is
// drawn again.

import { paint } from "../light.js";
import { COLOURS, rgb, sprite } from "./lamp.js";

const NOTHING = 255;

/** Return a painter for a plain canvas. */
export function flatPainter(canvas) {
  return new FlatPainter(canvas, canvas.getContext("2d"));
}

class FlatPainter {
  constructor(canvas, pen) {
    this.name = "canvas";
    this.patternsMax = Infinity;
    this.canvas = canvas;
    this.pen = pen;
    this.top = 0;
  }

  resize(width, height, ratio) {
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.sprites = null;
    this.shown?.fill(NOTHING);
  }

  hang(fleet, layout) {
    const before = this.fleet === fleet && this.layout?.pitch === layout.pitch && this.sprites ? this.layout : null;
    this.fleet = fleet;
    this.layout = layout;
    this.first = fleet.patterns.map((pattern) => COLOURS.indexOf(pattern.colours[0] ?? ""));
    this.second = fleet.patterns.map((pattern) => COLOURS.indexOf(pattern.colours[1] ?? ""));
    this.on = fleet.patterns.map((pattern) => pattern.on_ms);
    this.period = fleet.patterns.map((pattern) => pattern.on_ms + pattern.off_ms);
    if (before) return this.keep(before);
    this.shown = new Uint8Array(layout.order.length).fill(NOTHING);
    this.sprites = null;
    this.clear();
  }

  /** Leave on the canvas what hangs where something hung before, and wipe the rest off. */
  keep(before) {
    const shown = new Uint8Array(this.layout.order.length).fill(NOTHING);
    before.blocks.forEach((old, n) => {
      const block = this.layout.blocks[n];
      const stays = block && block.x === old.x && block.y === old.y && block.across === old.across && block.sign === old.sign;
      const kept = stays ? Math.min(old.indices.length, block.indices.length) : 0;
      if (stays) shown.set(this.shown.subarray(old.first, old.first + kept), block.first);
      else this.wipe(old.x, old.y + old.sign, old.across * before.pitch, old.height - old.sign);
      for (let k = kept; stays && k < old.indices.length; k++) {
        const half = before.pitch / 2;
        this.wipe(before.x[old.indices[k]] - half, before.y[old.indices[k]] - half, before.pitch, before.pitch);
      }
    });
    this.shown = shown;
  }

  wipe(x, y, width, height) {
    const at = (place) => Math.round(place * this.ratio);
    this.pen.clearRect(at(x), at(y - this.top), at(width) + 1, at(height) + 1);
  }

  touch() {} // what has changed is seen when it is drawn

  clear() {
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.shown.fill(NOTHING);
  }

  prepare() {
    this.size = Math.max(2, Math.round(this.layout.pitch * this.ratio));
    this.sprites = COLOURS.map((name) => sprite(this.size, name === "" ? null : rgb(paint(name))));
    this.clear();
  }

  /** Draw what looks otherwise than before; returns how many lamps that were. */
  draw(top, now, still) {
    if (this.sprites === null) this.prepare();
    if (top !== this.top) {
      this.top = top;
      this.clear();
    }
    const { order, x, y, pitch } = this.layout;
    const { pattern, start } = this.fleet;
    const half = pitch / 2;
    let drawn = 0;
    for (let slot = 0; slot < order.length; slot++) {
      const index = order[slot];
      const above = y[index] - top;
      if (above < -half || above > this.height + half) continue;
      const kind = pattern[index];
      const period = this.period[kind];
      const lit = still || period === 0 || (now - start[index]) % period < this.on[kind];
      const colour = lit ? this.first[kind] : this.second[kind];
      if (this.shown[slot] === colour) continue;
      this.lamp(x[index] - half, above - half, colour, this.shown[slot] !== NOTHING);
      this.shown[slot] = colour;
      drawn++;
    }
    return drawn;
  }

  lamp(left, top, colour, again) {
    const x = Math.round(left * this.ratio);
    const y = Math.round(top * this.ratio);
    if (again) this.pen.clearRect(x, y, this.size, this.size);
    this.pen.drawImage(this.sprites[colour], x, y);
  }
}
