// All devices as columns: what each shows, since when, and where it belongs. Kept by the feed.

import { get } from "../api.js";
import { listen } from "../feed.js";

const AGAIN_MS = 300;
const DARK = { mode: "off", colours: [], on_ms: 0, off_ms: 0, words: "", meaning: "" };

/** What happens to the columns is told to `handlers`: `anew()`, `changed(indices)`, `state(text)`. */
export class Fleet {
  constructor(handlers) {
    this.handlers = handlers;
    this.count = 0;
    this.lead = -Infinity; // the server's clock minus ours, as exact as the quickest event was
    this.close = () => {};
  }

  /** Read who is there, then listen. */
  async open() {
    this.close();
    this.adopt(await get("/api/wall/fleet"));
    this.close = listen("/api/wall/feed", {
      all: (told) => this.takeAll(told),
      some: (told) => this.takeSome(told),
      lost: () => this.reopen(),
    }, { onstate: this.handlers.state });
  }

  /** Something was missed, or devices have come: begin anew, until it works. */
  async reopen(after = 0) {
    this.close();
    try {
      await new Promise((done) => setTimeout(done, after));
      await this.open();
    } catch {
      this.reopen(1000);
    }
  }

  adopt(wall) {
    this.name = wall.name;
    this.products = wall.products;
    this.shapes = wall.shapes;
    this.uuids = wall.uuids;
    this.devIds = wall.dev_ids;
    this.count = wall.uuids.length;
    this.product = Uint16Array.from(wall.of_product);
    this.shape = new Uint8Array(this.count);
    this.pattern = new Uint16Array(this.count);
    this.start = new Float64Array(this.count); // when the light began to show this, server's clock
    this.batch = new Array(this.count).fill("");
    this.batchNumbers = new Map([["", Infinity]]); // in the order in which they began
    this.patterns = [];
    const numbers = new Map();
    this.patternOf = this.products.map((product) => this.shapes.map((shape) => {
      const light = product.lights[shape.light] ?? DARK;
      const key = `${light.mode} ${light.colours} ${light.on_ms} ${light.off_ms}`;
      if (!numbers.has(key)) numbers.set(key, this.patterns.push(light) - 1);
      return numbers.get(key);
    }));
  }

  takeAll(told) {
    const rows = binary(told.rows);
    if (told.wall !== this.name || rows.byteLength !== 7 * this.count) return this.reopen(AGAIN_MS); // others than we know
    this.lead = told.at_ms - performance.now();
    this.takeBatches(told.batches);
    for (let i = 0; i < this.count; i++) {
      this.set(i, rows.getUint8(7 * i), told.at_ms - rows.getUint32(7 * i + 1, true));
      this.batch[i] = told.batches[rows.getUint16(7 * i + 5, true)];
    }
    this.handlers.anew();
  }

  takeSome(told) {
    const rows = binary(told.rows);
    const moved = binary(told.moved);
    const indices = new Uint32Array(rows.byteLength / 5);
    this.lead = Math.max(this.lead, told.at_ms - performance.now());
    this.takeBatches(told.batches);
    for (let n = 0; n < indices.length; n++) {
      const index = indices[n] = rows.getUint16(5 * n, true);
      if (index >= this.count) return this.reopen();
      this.set(index, rows.getUint8(5 * n + 2), told.at_ms - rows.getUint16(5 * n + 3, true));
    }
    for (let n = 0; n < moved.byteLength; n += 4) {
      this.batch[moved.getUint16(n, true)] = told.batches[moved.getUint16(n + 2, true)];
    }
    this.handlers.changed(indices);
  }

  takeBatches(batches) {
    for (const [number, name] of Object.entries(batches)) if (name) this.batchNumbers.set(name, Number(number));
  }

  set(index, shape, start) {
    this.shape[index] = shape;
    this.start[index] = start;
    this.pattern[index] = this.patternOf[this.product[index]][shape];
  }

  /** Return the server's time now, in ms; blinking is counted by it. */
  now() {
    return performance.now() + this.lead;
  }

  /** Say whether a device was taken away for good. */
  gone(index) { return this.shapes[this.shape[index]].light === ""; }

  light(index) { return this.shapes[this.shape[index]].light; }
  /** Return how many devices there are that were not taken away. */
  present() {
    const gone = this.shapes.findIndex((shape) => shape.light === "");
    return this.shape.reduce((count, shape) => count + (shape === gone ? 0 : 1), 0);
  }

  state(index) { return this.shapes[this.shape[index]].lifecycle; }
  place(index) { return this.shapes[this.shape[index]].place; }
  words(index) { return this.patterns[this.pattern[index]].words; }

  /** Return what the operator reads from the light of a device; "" for nothing. */
  operator(index) { return this.shapes[this.shape[index]].operator; }

  /** Return the first device after `from` that `text` names: by number, or by part of a name. */
  find(text, from = -1) {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return -1;
    const number = /^#?\d{1,6}$/.test(wanted) ? Number(wanted.replace("#", "")) : this.count;
    if (number < this.count && !this.gone(number)) return number;
    for (let n = 1; n <= this.count; n++) {
      const index = (from + n + this.count) % this.count;
      if (this.gone(index)) continue;
      if (this.uuids[index].toLowerCase().includes(wanted) || this.devIds[index].toLowerCase().includes(wanted)) return index;
    }
    return -1;
  }
}

function binary(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let n = 0; n < text.length; n++) bytes[n] = text.charCodeAt(n);
  return new DataView(bytes.buffer);
}
