// The past of a run as points in time: few enough to draw, whatever its length.

const POINTS_MAX = 480;

export class Series {
  constructor() {
    this.points = [];
    this.gap = 0; // seconds between points that are kept
  }

  /** Begin anew with what the server remembers; `slots` have sums, rates are made of them. */
  begin(slots) {
    this.points = [];
    let last = { at_s: 0, changes: 0, unbound: 0, rebound: 0 };
    for (const slot of slots) {
      const span = Math.max(slot.at_s - last.at_s, 0.001);
      const rate = (name) => (slot[name] - last[name]) / span;
      this.points.push({ at: slot.at_s, lights: slot.lights, states: rate("changes"), unbound: rate("unbound"), rebound: rate("rebound") });
      last = slot;
    }
    this.thin();
  }

  /** Add one moment. */
  add(moment) {
    const last = this.points.at(-1);
    if (last && moment.elapsed_s <= last.at) return;
    const point = { at: moment.elapsed_s, lights: moment.lights, states: moment.states_per_s,
      unbound: moment.unbound_per_s, rebound: moment.rebound_per_s };
    const before = this.points.at(-2);
    if (before && last.at - before.at < this.gap) this.points[this.points.length - 1] = point;
    else this.points.push(point);
    this.thin();
  }

  thin() {
    while (this.points.length > POINTS_MAX) {
      const end = this.points.length - 1;
      this.points = this.points.filter((_, number) => number % 2 === 0 || number === end);
      this.gap = (this.points.at(-1).at - this.points[0].at) / POINTS_MAX;
    }
  }
}
