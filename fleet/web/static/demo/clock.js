// Virtual time on this page: the server says an instant and a rate, the wall clock does the rest.

const NEAR_MS = 40; // of real time: less than that is the way of the message, and no reason to jump

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** A virtual instant as the time of day. (A formatter costs more than a frame has time for; it is kept.) */
export const timeOfDay = (ms) => TIME.format(ms);

export class VirtualClock {
  constructor() {
    this.atMs = 0;
    this.realMs = 0;
    this.rate = 0;
    this.known = false;
  }

  take({ at_ms: atMs, rate }) {
    const next = rate ?? 0; // none: the world is on its way as fast as it goes
    const off = Math.abs(this.now() - atMs);
    if (this.known && next === this.rate && next > 0 && off < NEAR_MS * next) return;
    this.atMs = atMs;
    this.realMs = performance.now();
    this.rate = next;
    this.known = true;
  }

  now() {
    return this.atMs + (performance.now() - this.realMs) * this.rate;
  }
}
